import pytest
from aiohttp import web

from adc_core.errors import InputError, WorkError
from adc_core.records.design import Page, Query
from adc_plugins_search.searchers.brave import BraveSearcher

QUERY = Query(text="beige sweater", class_name="sweater")
PATH = "/res/v1/images/search"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("BRAVE_API_KEY", "brave-secret")
    monkeypatch.delenv("BRAVE_SEARCH_API_KEY", raising=False)


RESULTS = {
    "type": "images",
    "query": {"original": "beige sweater", "altered": None},
    "results": [
        {
            "type": "image_result",
            "title": "Sweater",
            "url": "https://shop.example/p/1",
            "properties": {"url": "https://shop.example/a.jpg", "width": 1920, "height": 1080},
        },
        {"type": "image_result", "title": "no image", "url": "https://shop.example/p/2"},
        {"url": "https://shop.example/p/3", "properties": {"url": "https://shop.example/c.jpg"}},
    ],
}


def answering(site, body, status=200, **headers):
    url = site.script(PATH, lambda: web.json_response(body, status=status, headers=headers))
    return BraveSearcher(base_url=url)


def test_asks_as_brave_documents(site):
    seen = {}

    async def answer(request):
        seen.update(request.query)
        return web.json_response({"results": []})

    url = site.on(PATH, answer)
    BraveSearcher(base_url=url).page(QUERY.model_copy(update={"text": "w " * 60}))
    assert seen == {
        "q": " ".join("w" * 50),
        "count": "200",
        "country": "US",
        "search_lang": "en",
        "safesearch": "strict",
        "spellcheck": "0",
    }
    assert site.headers[0]["X-Subscription-Token"] == "brave-secret"


def test_the_image_is_not_the_page(site):
    page = answering(site, RESULTS).page(QUERY)
    assert page.cursor is None
    assert [(hit.url, hit.page, hit.rank) for hit in page.hits] == [
        ("https://shop.example/a.jpg", "https://shop.example/p/1", 1),
        ("https://shop.example/c.jpg", "https://shop.example/p/3", 3),
    ]
    assert (page.hits[0].width, page.hits[0].height, page.hits[0].title) == (1920, 1080, "Sweater")
    assert (page.hits[0].engine, page.hits[0].license) == ("brave", None)


def test_either_variable_holds_the_key(site, monkeypatch):
    monkeypatch.delenv("BRAVE_API_KEY")
    with pytest.raises(InputError) as raised:
        answering(site, RESULTS).page(QUERY)
    assert str(raised.value) == "BRAVE_API_KEY is not set: brave needs it; export BRAVE_API_KEY=…"
    monkeypatch.setenv("BRAVE_SEARCH_API_KEY", "other-secret")
    answering(site, RESULTS).page(QUERY)
    assert site.headers[-1]["X-Subscription-Token"] == "other-secret"


def test_a_limit_parks_and_the_query_is_asked_again(site):
    body = {"type": "ErrorResponse", "error": {"code": "RATE_LIMITED", "detail": "Too many"}}
    parked = answering(site, body, 429).page(QUERY)
    assert parked == Page(cursor="1", retry_after=1)
    assert len(answering(site, RESULTS).page(QUERY, parked.cursor).hits) == 2


def test_failures_are_told_in_one_line(site):
    body = {"error": {"detail": "The token brave-secret is invalid."}}
    with pytest.raises(InputError) as raised:
        answering(site, body, 403).page(QUERY)
    assert str(raised.value) == ("brave answered 403: The token … is invalid.; check BRAVE_API_KEY")
    with pytest.raises(InputError) as raised:
        answering(site, {"error": {"detail": "count too large"}}, 422).page(QUERY)
    assert str(raised.value) == (
        "brave answered 422: count too large; check the query and the searcher's options"
    )
    with pytest.raises(WorkError) as failed:
        answering(site, {"type": "images"}).page(QUERY)
    assert str(failed.value) == "brave answered without a usable results: Field required"
