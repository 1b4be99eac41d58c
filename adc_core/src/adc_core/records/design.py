"""What is asked for: a brief becomes a design, a design's queries become hits."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from adc_core.records.record import Record

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
    """Refuse duplicate names; return the names.

    Raises:
        ValueError: there is a duplicate.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"duplicate {what} {name!r}: keep one")
        seen.add(name)
    return names


class Brief(Record):
    """The wish: what the dataset is about, and how many images to ask for.

    Attributes:
        subject: what the images show, in a few words.
        classes: if they are decided already.
        samples_per_query: images to ask of each searcher for each query.
    """

    subject: str = Field(min_length=1)
    classes: tuple[ClassName, ...] = ()
    samples_per_query: int = Field(default=100, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        distinct(self.classes, "class")
        return self


class Query(Record):
    """One search.

    Attributes:
        text: what to search for.
        class_name: the class that its images should have.
        attributes: attribute to the value that its images should have.
    """

    text: str = Field(min_length=1)
    class_name: ClassName
    attributes: dict[str, str] = Field(default_factory=dict)


class Design(Record):
    """What is to be collected.

    Attributes:
        classes: in the order of their indices.
        attributes: attribute to its values.
        queries: the searches, each for one of the classes.
        samples_per_query: images to ask of each searcher for each query.
    """

    classes: tuple[ClassName, ...] = Field(min_length=1)
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    queries: tuple[Query, ...] = Field(min_length=1)
    samples_per_query: int = Field(default=100, ge=1)

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

    A Creative Commons license is named as SPDX names it: `CC-BY-SA-4.0`, `CC0-1.0`; without its
    version where the engine does not give it. Other licenses are named as the engine does.

    Attributes:
        url: of the image.
        query: that it was offered for.
        engine: the searcher's name.
        rank: place among the query's hits of this engine, from 1.
        page: the web page that shows the image.
        title: of the image.
        width: in pixels, as the engine says.
        height: in pixels, as the engine says.
        license: its name.
        license_url: where to read it.
        creator: who made the image.
        creator_url: where to find them.
        attribution: how the engine says to name the creator.
    """

    url: str
    query: Query
    engine: str
    rank: int = Field(ge=1)
    page: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    license: str | None = None
    license_url: str | None = None
    creator: str | None = None
    creator_url: str | None = None
    attribution: str | None = None


class Page(Record):
    """One page of results, and how to go on: a next cursor, the end, or a pause.

    Attributes:
        hits: in the engine's order.
        cursor: what to pass for the next page; None: this was the last.
        retry_after: seconds after which to ask again, with the same cursor; such a
            page has no hits.
    """

    hits: tuple[Hit, ...] = ()
    cursor: str | None = None
    retry_after: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.retry_after is not None and self.hits:
            raise ValueError("a page with retry_after has no hits")
        return self
