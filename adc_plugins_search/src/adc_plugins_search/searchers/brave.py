"""Brave image search: a general index of the web."""

import os
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from adc_core import Hit, Page, Query, Searcher
from adc_endpoint import BaseUrl, check_may_have, secret
from adc_plugins_search.http_json import Hits, get_json, refusal, results_of

MAX_RESULTS = 200
"""Brave shows no more of any query, all on one page."""

SERVICE = "https://api.search.brave.com/res/v1/images/search"
KEY, OTHER_KEY = "BRAVE_API_KEY", "BRAVE_SEARCH_API_KEY"
_MAX_QUERY_LENGTH, _MAX_WORDS = 400, 50


class BraveSearcher(Searcher):
    """Finds images with the Brave Search API (up to 200 per query, in one call).

    The key comes from the environment variable `BRAVE_API_KEY` or `BRAVE_SEARCH_API_KEY`. Every
    call costs money beyond a monthly allowance. Brave gives no licenses; what may be stored and
    trained on depends on the plan: read its terms.
    """

    renamed_options: ClassVar[Mapping[str, str]] = {"safesearch": "safe_search"}

    base_url: BaseUrl = Field(default=SERVICE, description="address of the service")
    count: int = Field(default=MAX_RESULTS, ge=1, le=MAX_RESULTS, description="images to ask for")
    country: str = Field(default="US", description="two letters, or ALL")
    search_lang: str = Field(default="en", description="language of the query")
    safe_search: Literal["off", "strict"] = Field(
        default="strict", description="whether to leave out adult content"
    )

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return all hits; there is no next page. The cursor only says that there was a pause.

        Raises:
            InputError: the key is missing or refused, or the query is.
            WorkError: the service cannot be reached or answers nonsense.
        """
        name = OTHER_KEY if not os.environ.get(KEY) and os.environ.get(OTHER_KEY) else KEY
        check_may_have(self.base_url, name, "brave", SERVICE)
        headers = {"X-Subscription-Token": secret(name, "brave"), "Accept": "application/json"}
        words = query.text.split()[:_MAX_WORDS]
        parameters = {
            "q": " ".join(words)[:_MAX_QUERY_LENGTH],
            "count": str(self.count),
            "country": self.country,
            "search_lang": self.search_lang,
            "safesearch": self.safe_search,
            # Rare words of a query must not be silently replaced by frequent ones.
            "spellcheck": "0",
        }
        answer = get_json(self.base_url, parameters, headers=headers)
        if answer.status != 200:
            error = answer.body.get("error") if isinstance(answer.body, dict) else None
            detail = error.get("detail") if isinstance(error, dict) else error
            return refusal(answer, detail, "brave", "1", name, park=1)
        results = results_of(answer, _Results, "brave")
        return Page(
            hits=tuple(
                Hit(
                    url=item.properties.url,
                    query=query,
                    engine="brave",
                    rank=rank,
                    page=item.url,
                    title=item.title,
                    width=item.properties.width,
                    height=item.properties.height,
                )
                for rank, item in enumerate(results.results, 1)
                if item.properties.url
            )
        )


class _Properties(BaseModel):
    url: str | None = None
    width: int | None = None
    height: int | None = None


class _Item(BaseModel):
    """One result: `url` is the page, that of the image is among the properties."""

    url: str | None = None
    title: str | None = None
    properties: _Properties = _Properties()


class _Results(BaseModel):
    results: Hits[_Item]
