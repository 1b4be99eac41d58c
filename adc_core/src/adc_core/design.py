"""What is asked for: a brief becomes a design, a design's queries become hits."""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from adc_core.record import Record

_LONGEST_CLASS = 200
"""Bytes: file systems allow 255, and an ending may follow."""
_NOT_IN_A_FOLDER = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Separators, and what breaks lines or turns them round."""


def _class_name(name: str) -> str:
    name = name.strip()
    if not name or name in {".", ".."} or _NOT_IN_A_FOLDER.search(name):
        raise ValueError(
            f"{name!r} cannot be a class name: it becomes a folder, so use no slashes, "
            "control characters or bare dots"
        )
    if len(name.encode(errors="surrogatepass")) > _LONGEST_CLASS:
        raise ValueError(
            f"{name[:40] + '…'!r} cannot be a class name: it becomes a folder, so use at most "
            f"{_LONGEST_CLASS} bytes"
        )
    return name


ClassName = Annotated[str, AfterValidator(_class_name)]
"""The name of a class, safe to use as the name of a folder."""


def distinct(names: tuple[str, ...], what: str) -> tuple[str, ...]:
    """The names themselves.

    Raises:
        ValueError: one of them stands twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name!r} stands twice: keep one")
        seen.add(name)
    return names


class Brief(Record):
    """The wish: what the dataset is about, and how many images to ask for."""

    subject: str = Field(min_length=1, description="what the images show, in a few words")
    classes: tuple[ClassName, ...] = Field((), description="the classes, if already decided")
    samples_per_query: int = Field(100, ge=1, description="images to ask for per query")

    @model_validator(mode="after")
    def _check(self) -> Self:
        distinct(self.classes, "class")
        return self


class Query(Record):
    """One search: its text, and the class and attribute values that its images shall have."""

    text: str = Field(min_length=1)
    class_name: ClassName
    attributes: dict[str, str] = Field(default_factory=dict)


class Design(Record):
    """The classes, the attributes with their values, and the queries that will find images."""

    classes: tuple[ClassName, ...] = Field(min_length=1)
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    queries: tuple[Query, ...] = Field(min_length=1)
    samples_per_query: int = Field(100, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        distinct(self.classes, "class")
        known = set(self.classes)
        for query in self.queries:
            if query.class_name not in known:
                raise ValueError(
                    f"query {query.text!r} is for class {query.class_name!r}, "
                    f"which is not among the classes: {', '.join(self.classes)}"
                )
        return self


class Hit(Record):
    """One image that a search engine offered for a query; unknown facts are None.

    A Creative Commons licence is named as SPDX names it: `CC-BY-SA-4.0`, `CC0-1.0`; without its
    version where the engine does not tell it. Other licences are named as the engine does.
    """

    url: str
    query: Query
    engine: str
    rank: int = Field(ge=1, description="place among the query's hits of this engine, from 1")
    page: str | None = Field(None, description="the web page that shows the image")
    title: str | None = None
    width: int | None = None
    height: int | None = None
    licence: str | None = None
    licence_url: str | None = None
    creator: str | None = None
    creator_url: str | None = None
    attribution: str | None = Field(None, description="how the engine says to name the creator")


class Page(Record):
    """One page of results, and how to go on: a next cursor, the end, or a pause."""

    hits: tuple[Hit, ...] = ()
    cursor: str | None = Field(None, description="what to pass for the next page; None: the end")
    parked_seconds: float | None = Field(
        None, ge=0, description="the service asks to come back this much later; cursor stays valid"
    )

    def model_post_init(self, _: Any) -> None:
        """Check that a pause says where to go on."""
        if self.parked_seconds is not None and self.hits:
            raise ValueError("a parked page has no hits")
