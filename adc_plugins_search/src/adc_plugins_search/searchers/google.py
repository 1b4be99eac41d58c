"""Google image search, through the Custom Search JSON API."""

from collections.abc import Mapping
from time import time
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from adc_core import Hit, InputError, Page, Query, Searcher, WorkError
from adc_endpoint import BaseUrl, check_may_have, one_line, secret
from adc_plugins_search.http_json import Answer, Hits, get_json, results_of

PAGE_SIZE = 10
MAX_RESULTS = 100
DAY = 86_400
QUOTA_RESET = 8 * 3600
"""Daily quotas end at midnight in California, which is never later than 08:00 UTC."""

SERVICE = "https://customsearch.googleapis.com/customsearch/v1"
KEY, ENGINE = "GOOGLE_API_KEY", "GOOGLE_CSE_ID"


class GoogleSearcher(Searcher):
    """Finds images with Google's Custom Search JSON API (10 per call, 100 per query).

    The key comes from the environment variable `GOOGLE_API_KEY`, the search engine's id from
    `GOOGLE_CSE_ID`. Google takes no new customers for this service and ends it on 1 January 2027;
    `base_url` lets anything that speaks the same protocol stand in, such as `adc gallery`; on
    another machine it gets the key only if `ADC_GOOGLE_BASE_URL` names it too.

    Google does not say which license an image has: `rights` only filters, and hits carry
    no license.
    """

    renamed_options: ClassVar[Mapping[str, str]] = {"safe": "safe_search"}

    base_url: BaseUrl = Field(default=SERVICE, description="address of the service")
    rights: str | None = Field(
        default=None, description="license filter, such as cc_publicdomain|cc_attribute"
    )
    safe_search: Literal["active", "off"] = Field(
        default="off", description="whether to leave out adult content"
    )
    image_type: Literal["clipart", "face", "lineart", "stock", "photo", "animated"] | None = Field(
        default=None, description="kind of image"
    )

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return up to ten hits; the cursor is the place of the next one.

        Raises:
            InputError: a key is missing or refused.
            WorkError: the service cannot be reached or answers nonsense.
        """
        check_may_have(self.base_url, KEY, "google", SERVICE)
        start = int(cursor or 1)
        answer = get_json(self.base_url, self._parameters(query, start))
        if answer.status != 200:
            return _refusal(answer, start)
        results = results_of(answer, _Results, "google")
        hits = tuple(
            Hit(
                url=item.link,
                query=query,
                engine="google",
                rank=start + place,
                page=item.image.page,
                title=item.title,
                width=item.image.width,
                height=item.image.height,
            )
            for place, item in enumerate(results.items)
        )
        following = results.queries.next_page
        more = hits and following and start + 2 * PAGE_SIZE - 1 <= MAX_RESULTS
        return Page(hits=hits, cursor=str(following[0].start) if more else None)

    def _parameters(self, query: Query, start: int) -> dict[str, str]:
        parameters = {
            "key": secret(KEY, "google"),
            "cx": secret(ENGINE, "google"),
            "q": query.text,
            "searchType": "image",
            "num": str(PAGE_SIZE),
            "start": str(start),
            "safe": self.safe_search,
        }
        if self.rights:
            parameters["rights"] = self.rights
        if self.image_type:
            parameters["imgType"] = self.image_type
        return parameters


class _Image(BaseModel):
    page: str | None = Field(default=None, alias="contextLink")
    width: int | None = None
    height: int | None = None


class _Item(BaseModel):
    link: str
    title: str | None = None
    image: _Image = _Image()


class _Start(BaseModel):
    start: int = Field(alias="startIndex")


class _Queries(BaseModel):
    next_page: list[_Start] = Field(default=[], alias="nextPage")


class _Results(BaseModel):
    """A page of results; Google leaves `items` and `nextPage` out where there are none."""

    items: Hits[_Item] = []
    queries: _Queries


def _refusal(answer: Answer, start: int) -> Page:
    """Return what an error of Google's means: come back later, the end, or an exception."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    error = error if isinstance(error, dict) else {}
    message = one_line(error.get("message", "no reason given"))
    reasons = _reasons(error)
    said = f"google answered {answer.status}: {message}"
    if reasons & {"dailyLimitExceeded", "quotaExceeded"} or (
        answer.status == 429 and "per day" in message
    ):
        return _parked(start, DAY - (time() - QUOTA_RESET) % DAY)
    if answer.status == 429 or reasons & {"rateLimitExceeded", "userRateLimitExceeded"}:
        return _parked(start, 60 if answer.retry_after is None else answer.retry_after)
    if "API_KEY_INVALID" in reasons or answer.status in (401, 403):
        raise InputError(f"{said}; check {KEY}")
    if answer.status == 400 and start > 1:
        # Only the place has changed since the first page, so the results end before it.
        return Page()
    if answer.status == 400:
        raise InputError(f"{said}; check {ENGINE} and {KEY}")
    raise WorkError(f"{said}; try again later, or check base_url")


def _parked(start: int, seconds: float) -> Page:
    return Page(cursor=str(start), retry_after=seconds)


def _reasons(error: dict[str, Any]) -> set[str]:
    """Return the reasons of an error in its old (`errors`) and its new place (`details`)."""
    entries = [*(error.get("errors") or []), *(error.get("details") or [])]
    return {str(entry.get("reason")) for entry in entries if isinstance(entry, dict)}
