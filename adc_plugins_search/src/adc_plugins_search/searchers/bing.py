"""Services that speak the protocol of Bing Image Search, version 7."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from adc_core import Hit, Page, Query, Searcher
from adc_endpoint import BaseUrl, check_may_have, secret
from adc_plugins_search.http_json import Hits, get_json, refusal, results_of
from adc_plugins_search.licenses import creative_commons

PAGE_SIZE = 150
KEY = "BING_SUBSCRIPTION_KEY"

_LICENSES = {
    "Attribution": "by",
    "AttributionShareAlike": "by-sa",
    "AttributionNoDerivs": "by-nd",
    "AttributionNonCommercial": "by-nc",
    "AttributionNonCommercialShareAlike": "by-nc-sa",
    "AttributionNonCommercialNoDerivs": "by-nc-nd",
    "PublicNoRightsReserved": "pdm",
}


class BingSearcher(Searcher):
    """Finds images with a service that speaks Bing Image Search v7, named by `base_url`.

    Microsoft retired its own service on 11 August 2025, so there is no address by default. Its
    terms forbade storing results, and using them for machine learning: read those of the service
    that you name. The key comes from the environment variable `BING_SUBSCRIPTION_KEY`, and goes to
    another machine only if `ADC_BING_BASE_URL` names it too.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"base_url": "http://127.0.0.1:9/v7.0/images/search"}]}
    )

    base_url: BaseUrl = Field(description="address of the service")
    market: str | None = Field(default=None, description="language and country, such as en-US")
    safe_search: Literal["Off", "Moderate", "Strict"] = Field(
        default="Moderate", description="whether to leave out adult content"
    )
    license: str | None = Field(
        default=None, description="filter: Any, Public, Share, ShareCommercially, Modify, …"
    )
    image_type: str | None = Field(default=None, description="kind of image, such as Photo")

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return up to 150 hits; the cursor is the offset that the service gives for the next ones.

        Raises:
            InputError: the key or the request is refused.
            WorkError: the service cannot be reached or answers nonsense.
        """
        check_may_have(self.base_url, KEY, "bing")
        offset = int(cursor or 0)
        headers = {"Ocp-Apim-Subscription-Key": secret(KEY, "bing")}
        answer = get_json(self.base_url, self._parameters(query, offset), headers=headers)
        if answer.status != 200:
            errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
            first = errors[0] if isinstance(errors, list) and errors else {}
            message = first.get("message") if isinstance(first, dict) else None
            return refusal(answer, message, "bing", str(offset), KEY, park=1)
        results = results_of(answer, _Results, "bing")
        following = results.next_offset
        more = results.value and following is not None and offset < following < results.total
        return Page(
            hits=tuple(
                item.hit(query, offset + place) for place, item in enumerate(results.value, 1)
            ),
            cursor=str(following) if more else None,
        )

    def _parameters(self, query: Query, offset: int) -> dict[str, str]:
        parameters = {
            "q": query.text,
            "count": str(PAGE_SIZE),
            "offset": str(offset),
            "safeSearch": self.safe_search,
        }
        chosen = {"mkt": self.market, "license": self.license, "imageType": self.image_type}
        return parameters | {name: value for name, value in chosen.items() if value}


class _Item(BaseModel):
    content: str = Field(alias="contentUrl")
    page: str | None = Field(default=None, alias="hostPageUrl")
    name: str | None = None
    width: int | None = None
    height: int | None = None
    license: str | None = Field(default=None, alias="creativeCommons")

    def hit(self, query: Query, rank: int) -> Hit:
        code = _LICENSES.get(self.license or "")
        return Hit(
            url=self.content,
            query=query,
            engine="bing",
            rank=rank,
            page=self.page,
            title=self.name,
            width=self.width,
            height=self.height,
            license=creative_commons(code) if code else self.license,
        )


class _Results(BaseModel):
    """A page of results; pages overlap unless they are asked for by `nextOffset`."""

    value: Hits[_Item] = []
    next_offset: int | None = Field(default=None, alias="nextOffset")
    total: int = Field(default=0, alias="totalEstimatedMatches")
