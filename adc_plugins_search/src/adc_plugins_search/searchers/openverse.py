"""Openverse: openly licensed images, with license and creator of each."""

from collections.abc import Mapping
from threading import Lock
from time import monotonic
from typing import Literal

from pydantic import BaseModel, Field

from adc_core import Hit, InputError, Page, Query, Searcher
from adc_endpoint import BaseUrl, check_may_have, keep_secret, one_line, optional_secret
from adc_plugins_search.http_json import Hits, get_json, refusal, results_of
from adc_plugins_search.licenses import creative_commons
from adc_plugins_search.user_agent import user_agent

MAX_RESULTS = 240
"""Openverse shows no more of any query."""

ANONYMOUS_SIZE, SIZE = 20, 50
SERVICE = "https://api.openverse.org"
ID, SECRET = "OPENVERSE_CLIENT_ID", "OPENVERSE_CLIENT_SECRET"

_MAX_QUERY_LENGTH = 200
_tokens: dict[tuple[str, str], tuple[str, float]] = {}
_lock = Lock()


class OpenverseSearcher(Searcher):
    """Finds openly licensed images with Openverse; license and creator come with each.

    It needs no key. With `OPENVERSE_CLIENT_ID` and `OPENVERSE_CLIENT_SECRET` in the environment
    pages are larger and limits higher. At most 240 images of a query are shown. The terms forbid
    copying the catalogue, and evading limits with several machines.
    """

    base_url: BaseUrl = Field(default=SERVICE, description="address of the service")
    licenses: tuple[str, ...] = Field(
        default=(), description="only these, such as cc0, by, by-sa; without any all that are open"
    )
    license_type: Literal["all", "all-cc", "commercial", "modification"] = Field(
        default="all", description="only licenses that allow this"
    )
    category: Literal["photograph", "illustration", "digitized_artwork"] | None = Field(
        default=None, description="kind of image"
    )
    contact: str = Field(
        default="", description="address at which you can be reached, sent to Openverse"
    )

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return up to 50 hits with a key, else 20; the cursor is the number of the next page.

        Raises:
            InputError: the key or the request is refused.
            WorkError: the service cannot be reached or answers nonsense.
        """
        number = int(cursor or 1)
        headers = {"User-Agent": user_agent(self.contact)}
        client = optional_secret(ID), optional_secret(SECRET)
        known = all(client)
        if known:
            check_may_have(self.base_url, SECRET, "openverse", SERVICE)
            token = self._token(*client, headers)
            if isinstance(token, Page):
                return token.replace(cursor=str(number))
            headers["Authorization"] = f"Bearer {token}"
        size = SIZE if known else ANONYMOUS_SIZE
        parameters = self._parameters(query, number, size)
        answer = get_json(f"{self.base_url}/v1/images/", parameters, headers=headers)
        if answer.status == 401 and known:
            with _lock:
                _tokens.pop((self.base_url, client[0]), None)
        if answer.status != 200:
            detail = answer.body.get("detail") if isinstance(answer.body, dict) else None
            return refusal(
                answer, detail, "openverse", str(number), *((ID, SECRET) if known else ())
            )
        results = results_of(answer, _Results, "openverse")
        shown = number * size
        more = results.results and number < results.page_count and shown < MAX_RESULTS
        return Page(
            hits=tuple(
                item.hit(query, shown - size + place)
                for place, item in enumerate(results.results, 1)
            ),
            cursor=str(number + 1) if more else None,
        )

    def _parameters(self, query: Query, number: int, size: int) -> dict[str, str]:
        parameters = {
            "q": query.text[:_MAX_QUERY_LENGTH],
            "page": str(number),
            "page_size": str(min(size, MAX_RESULTS - (number - 1) * size)),
        }
        if self.licenses:
            parameters["license"] = ",".join(self.licenses)
        if self.license_type != "all":
            parameters["license_type"] = self.license_type
        if self.category:
            parameters["category"] = self.category
        return parameters

    def _token(self, identity: str, password: str, headers: Mapping[str, str]) -> str | Page:
        """Return a token that is still good, fetched once for all threads; or the pause to make."""
        with _lock:
            token, until = _tokens.get((self.base_url, identity), ("", 0.0))
            if token and monotonic() < until:
                return token
            form = {
                "grant_type": "client_credentials",
                "client_id": identity,
                "client_secret": password,
            }
            url = f"{self.base_url}/v1/auth_tokens/token/"
            answer = get_json(url, form, headers=headers, method="POST")
            if answer.status != 200:
                reason = answer.body.get("error") if isinstance(answer.body, dict) else None
                if answer.status == 400:
                    said = one_line(reason)
                    raise InputError(f"openverse refused the key ({said}): check {ID} and {SECRET}")
                return refusal(answer, reason, "openverse", "", ID, SECRET)
            given = results_of(answer, _Token, "openverse")
            keep_secret(given.access_token)
            ends = monotonic() + 0.9 * given.expires_in
            _tokens[self.base_url, identity] = given.access_token, ends
            return given.access_token


class _Token(BaseModel):
    access_token: str
    expires_in: float


class _Item(BaseModel):
    url: str
    title: str | None = None
    foreign_landing_url: str | None = None
    creator: str | None = None
    creator_url: str | None = None
    license: str
    license_version: str | None = None
    license_url: str | None = None
    attribution: str | None = None
    height: int | None = None
    width: int | None = None

    def hit(self, query: Query, rank: int) -> Hit:
        return Hit(
            url=self.url,
            query=query,
            engine="openverse",
            rank=rank,
            page=self.foreign_landing_url,
            title=self.title,
            width=self.width,
            height=self.height,
            license=creative_commons(self.license, self.license_version),
            license_url=self.license_url,
            creator=self.creator,
            creator_url=self.creator_url,
            attribution=self.attribution,
        )


class _Results(BaseModel):
    results: Hits[_Item]
    page_count: int
