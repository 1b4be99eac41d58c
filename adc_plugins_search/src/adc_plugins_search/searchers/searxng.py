"""SearXNG: a search engine of engines that somebody runs for themselves."""

import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from adc_core import Hit, InputError, Page, Query, Searcher
from adc_endpoint import BaseUrl
from adc_plugins_search.http_json import Hits, get_json, refusal, results_of

_SIZE = re.compile(r"(\d+)\s*[×x]\s*(\d+)")


class SearxngSearcher(Searcher):
    """Finds images with a SearXNG instance of one's own, named by `base_url`.

    The instance must answer in JSON: put `json` into `search.formats` of its settings. It gives
    no licenses; which engines it asks, and whether their terms allow that, is its owner's affair.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"base_url": "http://127.0.0.1:9/search"}]}
    )

    renamed_options: ClassVar[Mapping[str, str]] = {"pages": "max_pages"}

    base_url: BaseUrl = Field(description="address of its search, such as http://localhost/search")
    engines: tuple[str, ...] = Field(default=(), description="ask only these of its engines")
    max_pages: int = Field(default=10, ge=1, description="at most so many pages of a query")

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return one page of hits; the cursor is the next one's number and first rank.

        Raises:
            InputError: the instance does not answer in JSON.
            WorkError: it cannot be reached or answers nonsense.
        """
        number, first = (int(part) for part in (cursor or "1:1").split(":"))
        parameters = {
            "q": query.text,
            "categories": "images",
            "format": "json",
            "pageno": str(number),
        }
        if self.engines:
            parameters["engines"] = ",".join(self.engines)
        answer = get_json(self.base_url, parameters)
        if answer.status == 403:
            raise InputError("searxng answered 403: put json into search.formats of its settings")
        if answer.status != 200:
            return refusal(answer, None, "searxng", f"{number}:{first}")
        results = results_of(answer, _Results, "searxng")
        shown = [item for item in results.results if item.image]
        return Page(
            hits=tuple(item.hit(query, rank) for rank, item in enumerate(shown, first)),
            cursor=f"{number + 1}:{first + len(shown)}"
            if shown and number < self.max_pages
            else None,
        )


class _Item(BaseModel):
    url: str | None = None
    title: str | None = None
    image: str | None = Field(default=None, alias="img_src")
    resolution: str | None = None
    author: str | None = None

    def hit(self, query: Query, rank: int) -> Hit:
        size = _SIZE.search(self.resolution or "")
        address = self.image or ""
        return Hit(
            # Some engines leave out the scheme.
            url=f"https:{address}" if address.startswith("//") else address,
            query=query,
            engine="searxng",
            rank=rank,
            page=self.url,
            title=self.title,
            width=int(size[1]) if size else None,
            height=int(size[2]) if size else None,
            creator=self.author or None,
        )


class _Results(BaseModel):
    results: Hits[_Item]
