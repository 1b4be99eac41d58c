import pytest
from aiohttp import web
from pydantic import ValidationError

from adc_core.errors import InputError, WorkError
from adc_core.records.design import Page, Query
from adc_plugins_search.searchers.bing import BingSearcher

QUERY = Query(text="beige sweater", class_name="sweater")
PATH = "/v7.0/images/search"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("BING_SUBSCRIPTION_KEY", "bing-secret")


def results(count, following=None, total=834):
    body = {
        "_type": "Images",
        "totalEstimatedMatches": total,
        "currentOffset": 0,
        "value": [
            {
                "imageId": f"AB{place}",
                "name": f"Sweater {place}",
                "contentUrl": f"https://h.example/{place}.jpg",
                "hostPageUrl": f"https://h.example/p/{place}",
                "encodingFormat": "jpeg",
                "contentSize": "54018 B",
                "width": 900,
                "height": 1200,
                "creativeCommons": "AttributionNonCommercialShareAlike",
            }
            for place in range(count)
        ],
    }
    return body if following is None else body | {"nextOffset": following}


def answering(site, body, status=200, **headers):
    url = site.script(PATH, lambda: web.json_response(body, status=status, headers=headers))
    return BingSearcher(base_url=url)


def test_asks_as_bing_documented(site):
    seen = {}

    async def answer(request):
        seen.update(request.query)
        return web.json_response(results(0))

    url = site.on(PATH, answer)
    BingSearcher(base_url=url, market="en-US", license="Share", image_type="Photo").page(
        QUERY, "155"
    )
    assert seen == {
        "q": "beige sweater",
        "count": "150",
        "offset": "155",
        "safeSearch": "Moderate",
        "mkt": "en-US",
        "license": "Share",
        "imageType": "Photo",
    }
    assert site.headers[0]["Ocp-Apim-Subscription-Key"] == "bing-secret"


def test_goes_on_where_the_service_says(site):
    page = answering(site, results(2, following=155)).page(QUERY)
    assert page.cursor == "155"
    later = answering(site, results(2, following=310)).page(QUERY, "155")
    assert [hit.rank for hit in later.hits] == [156, 157]
    hit = page.hits[0]
    assert (hit.url, hit.page) == ("https://h.example/0.jpg", "https://h.example/p/0")
    assert (hit.title, hit.width, hit.height) == ("Sweater 0", 900, 1200)
    assert (hit.engine, hit.license) == ("bing", "CC-BY-NC-SA")


@pytest.mark.parametrize("following", [None, 0, 155, 900])
def test_ends_where_nothing_new_would_come(site, following):
    assert answering(site, results(1, following)).page(QUERY, "155").cursor is None
    assert answering(site, results(0, 300)).page(QUERY, "155") == Page()


def test_an_address_is_needed():
    with pytest.raises(ValidationError, match="base_url"):
        BingSearcher()


def test_limits_park_and_failures_are_told_in_one_line(site):
    body = {
        "_type": "ErrorResponse",
        "errors": [{"code": "InvalidRequest", "message": "Bad\nkey bing-secret"}],
    }
    parked = answering(site, body, 429, **{"Retry-After": "4"}).page(QUERY, "150")
    assert parked == Page(cursor="150", retry_after=4)
    with pytest.raises(InputError) as raised:
        answering(site, body, 401).page(QUERY)
    assert str(raised.value) == "bing answered 401: Bad key …; check BING_SUBSCRIPTION_KEY"
    with pytest.raises(WorkError) as failed:
        answering(site, body, 410).page(QUERY)
    assert str(failed.value) == ("bing answered 410: Bad key …; try again later, or check base_url")
