"""Queries from words: every class with every combination of attribute values."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from string import Formatter
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from adc_core import Brief, Design, Designer, InputError, Query
from adc_core.records import ClassName, distinct

MAX_QUERIES = 20_000
"""More are hardly meant: a week of most services' allowances."""


class AttributeDesigner(Designer):
    """Combines classes with attribute values into queries like "beige cotton fisherman sweater".

    Every option that is not one of the fields below is an attribute with its values, so a pipeline
    file says `{use: attributes, color: [beige, navy], material: [cotton, wool]}`; in Python,
    `AttributeDesigner(attributes={"color": ["beige", "navy"]})` is the same. An attribute that is
    called like a field goes into `attributes`.

    The text of a query is one value of each attribute, in the order in which the attributes are
    given, then the class; `template` puts them otherwise, such as "{class} in {color}". Queries
    come class by class, and within a class the last attribute changes fastest. A text that comes
    up twice for one class is kept once; one that comes up for two classes would make its images'
    labels ambiguous and is an error, as is a duplicate value.

    This is the query-building step of Liu et al., "Automatic Dataset Construction (ADC): Sample
    Collection, Data Curation, and Beyond" (2024), section 2.2.
    """

    # Any further key is an attribute: an editor must not refuse it.
    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    renamed_options: ClassVar[Mapping[str, str]] = {"limit": "max_queries"}

    attributes: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="attribute name to values; any other key is one too"
    )
    classes: tuple[ClassName, ...] = Field(
        default=(), description="the classes, where the brief leaves them open"
    )
    template: str | None = Field(
        default=None, description="text of a query, with the slots {class} and {ATTRIBUTE}"
    )
    max_queries: int = Field(
        default=MAX_QUERIES, ge=1, description="refuse designs with more queries than this"
    )

    @model_validator(mode="before")
    @classmethod
    def _gather_attributes(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        names = {*cls.model_fields, *cls.renamed_options}
        options = {key: value for key, value in given.items() if key in names}
        attributes = {key: value for key, value in given.items() if key not in names}
        declared = options.get("attributes", {})
        if not isinstance(declared, Mapping):
            return options
        for name in attributes:
            if name in declared:
                raise ValueError(f"attribute {name!r} is given twice: keep one")
        return options | {"attributes": {**declared, **attributes}}

    @field_validator("attributes", mode="before")
    @classmethod
    def _check_values(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {name: _values(str(name), values) for name, values in given.items()}

    @field_validator("classes")
    @classmethod
    def _check_classes(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        return distinct(classes, "class")

    @model_validator(mode="after")
    def _check_template(self) -> Self:
        if self.template is not None:
            check_template(self.template, self.attributes)
        return self

    def design(self, brief: Brief) -> Design:
        """Return the classes of the brief, or else of the options, with all combinations.

        Raises:
            InputError: no classes or other ones than the brief's, more queries than
                `max_queries`, or one text for two classes.
        """
        classes = self._classes(brief)
        size = len(classes) * prod(len(values) for values in self.attributes.values())
        if size > self.max_queries:
            raise InputError(
                f"{len(classes)} classes × {' × '.join(self._sizes())} make {size:,} queries, more "
                f"than max_queries: {self.max_queries:,}: give fewer values, or raise max_queries"
            )
        values_of = dict.fromkeys(classes, self.attributes)
        samples = brief.samples_per_query
        return design_of(values_of, samples, template=self.template, max_queries=self.max_queries)

    def _classes(self, brief: Brief) -> tuple[str, ...]:
        if self.classes and brief.classes and self.classes != brief.classes:
            raise InputError(
                "the brief and the designer name different classes: keep one of the two lists"
            )
        if classes := brief.classes or self.classes:
            return classes
        raise InputError("no classes: name them in the brief, as classes: [sweater, shirt]")

    def _sizes(self) -> Iterator[str]:
        for name, values in self.attributes.items():
            yield f"{len(values)} {name}"


def check_template(template: str, attributes: Collection[str]) -> None:
    """See that a text has a slot for the class and for each attribute.

    Raises:
        ValueError: it does not.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"template: {error}: write slots as {{class}}") from None
    slots = [name for _, name, _, _ in parts if name is not None]
    needed = ["class", *attributes]
    if sorted(slots) != sorted(needed):
        wanted = ", ".join(f"{{{name}}}" for name in needed)
        raise ValueError(f"template: {template!r} must hold each of {wanted} once")


def design_of(
    values_of: Mapping[str, Mapping[str, Sequence[str]]],
    samples_per_query: int,
    *,
    template: str | None = None,
    omit_from_query: Collection[str] = (),
    max_queries: int | None = None,
) -> Design:
    """Return every class with every combination of its own attribute values.

    Args:
        values_of: class to attribute to values.
        samples_per_query: images to ask for.
        template: text of a query, with a slot for the class and for each attribute; by default
            the values in their order, then the class.
        omit_from_query: values that the images have but the text leaves out.
        max_queries: how many queries there may be; None for any number.

    Raises:
        InputError: more queries than that, or one text for two classes.
    """
    sizes = [prod(map(len, attributes.values())) for attributes in values_of.values()]
    if max_queries is not None and sum(sizes) > max_queries:
        raise InputError(
            f"the values make {sum(sizes):,} queries, more than {max_queries:,}: "
            "choose fewer of them"
        )
    values: dict[str, dict[str, None]] = {}
    for attributes in values_of.values():
        for name, own in attributes.items():
            values.setdefault(name, {}).update(dict.fromkeys(own))
    return Design(
        classes=tuple(values_of),
        attributes={name: tuple(own) for name, own in values.items()},
        queries=tuple(_queries(values_of, template, omit_from_query)),
        samples_per_query=samples_per_query,
    )


def _queries(
    values_of: Mapping[str, Mapping[str, Sequence[str]]],
    template: str | None,
    omit_from_query: Collection[str],
) -> Iterator[Query]:
    # Engines do not tell upper from lower case, so neither do these texts.
    class_of: dict[str, str] = {}
    for class_name, attributes in values_of.items():
        for values in product(*attributes.values()):
            said = ["" if value in omit_from_query else value for value in values]
            text = _text(class_name, dict(zip(attributes, said, strict=True)), template)
            first = class_of.get(text.casefold())
            if first is None:
                class_of[text.casefold()] = class_name
                chosen = dict(zip(attributes, values, strict=True))
                yield Query(text=text, class_name=class_name, attributes=chosen)
            elif first != class_name:
                raise InputError(
                    f"the query {text!r} would be for class {first!r} and for class "
                    f"{class_name!r}: rename a class or drop a value"
                )


def _text(class_name: str, said: Mapping[str, str], template: str | None) -> str:
    if template is None:
        return " ".join(word for word in (*said.values(), class_name) if word)
    return " ".join(template.format_map({**said, "class": class_name}).split())


def _values(name: str, given: Any) -> tuple[str, ...]:
    """Return the values of one attribute, with single spaces.

    Raises:
        ValueError: not a list of distinct texts.
    """
    fields = ", ".join(AttributeDesigner.model_fields)
    if not isinstance(given, list | tuple):
        raise ValueError(
            f"{name!r} is taken for an attribute, which needs a list of texts, not {given!r}: "
            f"write {name}: [value, value] (the other options are {fields})"
        )
    values: dict[str, str] = {}
    for value in given:
        if not isinstance(value, str):
            raise ValueError(f"attribute {name!r} holds {value!r}, which is no text: quote it")
        text = " ".join(value.split())
        if not text:
            raise ValueError(f"attribute {name!r} holds an empty text: remove it")
        if text.casefold() in values:
            raise ValueError(f"attribute {name!r} holds {text!r} twice: keep one")
        values[text.casefold()] = text
    if not values:
        raise ValueError(f"attribute {name!r} has no values: give some, or remove it")
    return tuple(values.values())
