"""A design written by hand."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adc_core.component import LocalPath
from adc_core.config_file import read_config
from adc_core.design import Brief, ClassName, Design, Query
from adc_core.errors import InputError, InputErrors
from adc_core.faults import lines_of
from adc_core.interfaces import Designer
from adc_plugins_search.designers.attributes import AttributeDesigner


class FileDesigner(Designer):
    """Reads a design that was written by hand, or by another designer and edited.

    The file is YAML, TOML or JSON. It holds `classes` and either `queries`, each with `text`,
    `class` and perhaps `attributes`, or `attributes` with their values, and perhaps a `template`,
    which are combined as `attributes` does. `samples_per_query` may stand there too.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "design.yaml"}]})

    path: LocalPath = Field(description="the design: .yaml, .toml or .json")

    def design(self, brief: Brief) -> Design:
        """What the file says, for the classes of the brief if it names any.

        Raises:
            InputErrors: the file cannot be read, says something wrong, or has other classes than
                the brief.
        """
        try:
            written = _Written.model_validate(read_config(self.path, "a design file"))
            if brief.classes and brief.classes != written.classes:
                raise InputError("the brief names other classes: leave them out there, or here")
            return written.design(brief)
        except (ValidationError, InputError) as error:
            prefix = f"{self.path}"
            lines = [line.removeprefix(f"{prefix}: ") for line in lines_of(error)]
            raise InputErrors(
                line if line.startswith(prefix) else f"{prefix}: {line}" for line in lines
            ) from None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _WrittenQuery(_Strict):
    text: str = Field(min_length=1)
    class_name: ClassName = Field(alias="class")
    attributes: dict[str, str] = Field(default_factory=dict)


class _Written(_Strict):
    classes: tuple[ClassName, ...] = Field(min_length=1)
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    template: str | None = None
    queries: tuple[_WrittenQuery, ...] = ()
    samples_per_query: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.queries and self.template:
            raise ValueError("queries are written out: leave the template out")
        return self

    def design(self, brief: Brief) -> Design:
        samples = self.samples_per_query or brief.samples_per_query
        if not self.queries:
            combined = AttributeDesigner(
                attributes=self.attributes, classes=self.classes, template=self.template
            )
            return combined.design(brief.replace(samples_per_query=samples))
        return Design(
            classes=self.classes,
            attributes=self.attributes,
            queries=tuple(
                Query(text=one.text, class_name=one.class_name, attributes=one.attributes)
                for one in self.queries
            ),
            samples_per_query=samples,
        )
