"""A design written by hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adc_core import Brief, Design, Designer, InputError, LocalPath, Query
from adc_core.errors import InputErrors, lines_of
from adc_core.records import ClassName
from adc_core.storage import read_config
from adc_plugins_search.designers.attributes import MAX_QUERIES, AttributeDesigner, design_of


class FileDesigner(Designer):
    """Reads a design that was written by hand, or by another designer and edited.

    The file is YAML, TOML or JSON. It holds `classes` and either `queries`, each with `text`,
    `class` and perhaps `attributes`, or `attributes` with their values, and perhaps a `template`,
    which are combined as `attributes` does. Values of one class only are under `by_class`, values
    that the images have but no query names under `omit_from_query`. `samples_per_query` may be
    there too; `rejected`, the words that `adc design` does not offer again, is ignored.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "design.yaml"}]})

    path: LocalPath = Field(description="the design: .yaml, .toml or .json")

    def design(self, brief: Brief) -> Design:
        """Return what the file says, for the classes of the brief if it names any.

        Raises:
            InputErrors: the file cannot be read, says something wrong, or has other classes than
                the brief.
        """
        written = read_design(self.path)
        try:
            if brief.classes and brief.classes != written.classes:
                raise InputError("the brief names other classes: leave them out there, or here")
            return written.design(brief)
        except (ValidationError, InputError) as error:
            raise _of_file(self.path, error) from None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _WrittenQuery(_Strict):
    text: str = Field(min_length=1)
    class_name: ClassName = Field(alias="class")
    attributes: dict[str, str] = Field(default_factory=dict)


class WrittenDesign(_Strict):
    """What a design file says.

    Attributes:
        attributes: attribute to values, for every class.
        by_class: class to attribute to values, in place of those for every class.
        rejected: class to attribute to words that must not be offered again.
        omit_from_query: values that the images have but the query leaves out.
    """

    classes: tuple[ClassName, ...] = Field(min_length=1)
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    by_class: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    rejected: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    omit_from_query: tuple[str, ...] = ()
    template: str | None = None
    queries: tuple[_WrittenQuery, ...] = ()
    samples_per_query: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.queries and self.template:
            raise ValueError("queries are written out: leave the template out")
        if self.queries and self.by_class:
            raise ValueError("queries are written out: leave by_class out")
        if strange := [name for name in self.by_class if name not in self.classes]:
            raise ValueError(f"by_class names {strange[0]!r}, which is not among the classes")
        return self

    @property
    def values_of(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Class to attribute to values."""
        return {name: self.attributes | self.by_class.get(name, {}) for name in self.classes}

    def design(self, brief: Brief) -> Design:
        """Return the design, with as many images per query as it says, or else the brief.

        Raises:
            InputError: a duplicate value, the template does not fit, or there are too many
                queries.
        """
        samples = self.samples_per_query or brief.samples_per_query
        if self.queries:
            return Design(
                classes=self.classes,
                attributes=self.attributes,
                queries=tuple(
                    Query(text=one.text, class_name=one.class_name, attributes=one.attributes)
                    for one in self.queries
                ),
                samples_per_query=samples,
            )
        # An attribute designer checks the values of each class.
        values_of = {
            name: AttributeDesigner(attributes=values, template=self.template).attributes
            for name, values in self.values_of.items()
        }
        return design_of(
            values_of,
            samples,
            template=self.template,
            omit_from_query=self.omit_from_query,
            max_queries=MAX_QUERIES,
        )


def read_design(path: Path) -> WrittenDesign:
    """Return what a design file says.

    Raises:
        InputErrors: it cannot be read or says something wrong.
    """
    try:
        return WrittenDesign.model_validate(read_config(path, "a design file"))
    except (ValidationError, InputError) as error:
        raise _of_file(path, error) from None


def _of_file(path: Path, error: Exception) -> InputErrors:
    """Return the faults, each beginning with the file's name."""
    lines = [line.removeprefix(f"{path}: ") for line in lines_of(error)]
    return InputErrors(line if line.startswith(f"{path}") else f"{path}: {line}" for line in lines)
