"""Wikimedia Commons: freely licensed media, with license and creator of each."""

import json
import re
from html import unescape

from pydantic import BaseModel, Field

from adc_core import Hit, Page, Query, Searcher
from adc_endpoint import BaseUrl
from adc_plugins_search.http_json import Answer, Hits, get_json, refusal, results_of
from adc_plugins_search.licenses import of_url
from adc_plugins_search.user_agent import user_agent

PAGE_SIZE = 50
_LAG = 5
_FACTS = "LicenseShortName|LicenseUrl|Artist|Credit|AttributionRequired"
_TAG = re.compile(r"<[^>]*>")


class WikimediaSearcher(Searcher):
    """Finds images on Wikimedia Commons; license and creator come with each.

    It needs no key, but Wikimedia asks programs to say how their owner can be reached: give
    `contact`. The images are asked for in the width that is needed, not as originals, and are
    on a server that wants no more than two connections at once.
    """

    base_url: BaseUrl = Field(
        default="https://commons.wikimedia.org/w/api.php", description="address of the service"
    )
    width: int = Field(default=500, ge=20, description="of the images to fetch, in pixels")
    contact: str = Field(
        default="", description="address at which you can be reached, sent to Wikimedia"
    )

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return up to 50 hits; the cursor is what the service says to go on with.

        Raises:
            InputError: the request is refused.
            WorkError: the service cannot be reached or answers nonsense.
        """
        going_on = json.loads(cursor) if cursor else {}
        headers = {"User-Agent": user_agent(self.contact)}
        answer = get_json(self.base_url, self._parameters(query) | going_on, headers=headers)
        fault = answer.body.get("error") if isinstance(answer.body, dict) else None
        if answer.status != 200 or fault:
            return _refusal(answer, fault, cursor or "{}")
        results = results_of(answer, _Results, "wikimedia")
        pages = sorted(results.query.pages, key=lambda page: page.index)
        first = int(going_on.get("gsroffset", 0))
        return Page(
            hits=tuple(
                page.imageinfo[0].hit(query, first + place, page.title)
                for place, page in enumerate(pages, 1)
                if page.imageinfo
            ),
            cursor=json.dumps(results.go_on) if results.go_on and pages else None,
        )

    def _parameters(self, query: Query) -> dict[str, str]:
        return {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "maxlag": str(_LAG),
            "generator": "search",
            "gsrnamespace": "6",
            "gsrsearch": f"filetype:bitmap {query.text}",
            "gsrlimit": str(PAGE_SIZE),
            "prop": "imageinfo",
            "iiprop": "url|size|mime|extmetadata",
            "iiurlwidth": str(self.width),
            "iiextmetadatafilter": _FACTS,
        }


class _Fact(BaseModel):
    value: str | int | float | bool = ""

    @property
    def text(self) -> str | None:
        """The value without markup; None where nothing is left."""
        return " ".join(unescape(_TAG.sub("", str(self.value))).split()) or None


class _Info(BaseModel):
    url: str
    thumb: str | None = Field(default=None, alias="thumburl")
    thumb_width: int | None = Field(default=None, alias="thumbwidth")
    thumb_height: int | None = Field(default=None, alias="thumbheight")
    width: int | None = None
    height: int | None = None
    page: str | None = Field(default=None, alias="descriptionurl")
    facts: dict[str, _Fact] = Field(default={}, alias="extmetadata")

    def hit(self, query: Query, rank: int, title: str) -> Hit:
        license_url, name, creator, credit = (
            self.facts.get(key, _Fact()).text
            for key in ("LicenseUrl", "LicenseShortName", "Artist", "Credit")
        )
        return Hit(
            url=self.thumb or self.url,
            query=query,
            engine="wikimedia",
            rank=rank,
            page=self.page,
            title=title.removeprefix("File:"),
            width=self.thumb_width if self.thumb else self.width,
            height=self.thumb_height if self.thumb else self.height,
            license=of_url(license_url) or name,
            license_url=license_url,
            creator=creator,
            attribution=credit,
        )


class _Page(BaseModel):
    index: int
    title: str
    imageinfo: list[_Info] = []


class _Pages(BaseModel):
    pages: Hits[_Page] = []


class _Results(BaseModel):
    """A page of results; `query` and `continue` are left out where there is nothing."""

    query: _Pages = _Pages()
    go_on: dict[str, str | int] = Field(default={}, alias="continue")


def _refusal(answer: Answer, fault: object, cursor: str) -> Page:
    """Return errors come with status 200 and a code; a lagging server says for how long to wait."""
    error = fault if isinstance(fault, dict) else {}
    code = str(error.get("code", ""))
    if code in ("maxlag", "ratelimited", "readonly"):
        pause = _LAG if answer.retry_after is None else answer.retry_after
        return Page(cursor=cursor, retry_after=pause)
    status = 400 if answer.status == 200 else answer.status
    answer = Answer(status, answer.body, answer.retry_after)
    return refusal(answer, error.get("info") or code, "wikimedia", cursor)
