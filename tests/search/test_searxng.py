import pytest
from aiohttp import web

from adc_core.errors import InputError
from adc_core.records.design import Page, Query
from adc_plugins_search.searchers.searxng import SearxngSearcher

QUERY = Query(text="beige sweater", class_name="sweater")

RESULTS = {
    "query": "beige sweater",
    "results": [
        {
            "url": "https://shop.example/p/1",
            "title": "Sweater",
            "img_src": "//shop.example/a.jpg",
            "resolution": "900 x 1200",
            "author": "Ann",
            "engine": "openverse",
        },
        {"url": "https://shop.example/p/2", "title": "text", "img_src": ""},
        {"img_src": "https://shop.example/c.jpg", "resolution": ""},
    ],
}


def answering(site, body, status=200, **options):
    url = site.script("/search", lambda: web.json_response(body, status=status))
    return SearxngSearcher(base_url=url, **options)


def test_asks_as_searxng_documents(site):
    seen = {}

    async def answer(request):
        seen.update(request.query)
        return web.json_response({"results": []})

    url = site.on("/search", answer)
    SearxngSearcher(base_url=url, engines=("flickr", "openverse")).page(QUERY, "3:41")
    assert seen == {
        "q": "beige sweater",
        "categories": "images",
        "format": "json",
        "pageno": "3",
        "engines": "flickr,openverse",
    }


def test_hits_are_counted_over_the_pages(site):
    page = answering(site, RESULTS).page(QUERY)
    assert page.cursor == "2:3"
    assert [(hit.url, hit.rank) for hit in page.hits] == [
        ("https://shop.example/a.jpg", 1),
        ("https://shop.example/c.jpg", 2),
    ]
    hit = page.hits[0]
    assert (hit.width, hit.height, hit.creator) == (900, 1200, "Ann")
    assert (page.hits[1].width, page.hits[1].page) == (None, None)
    assert answering(site, RESULTS).page(QUERY, page.cursor).hits[0].rank == 3


def test_ends_with_an_empty_page_and_after_so_many(site):
    assert answering(site, {"results": []}).page(QUERY, "4:9") == Page()
    assert answering(site, RESULTS, max_pages=2).page(QUERY, "2:3").cursor is None


def test_limits_park_and_a_silent_instance_is_explained(site):
    assert answering(site, {}, 429).page(QUERY, "2:3") == Page(cursor="2:3", retry_after=60)
    with pytest.raises(InputError) as raised:
        answering(site, {}, 403).page(QUERY)
    assert str(raised.value) == (
        "searxng answered 403: put json into search.formats of its settings"
    )
