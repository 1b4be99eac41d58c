import json

import pytest
from aiohttp import web

from adc_core.errors import InputError, WorkError
from adc_core.records.design import Page, Query
from adc_plugins_search.searchers.wikimedia import WikimediaSearcher

QUERY = Query(text="aran sweater", class_name="sweater")
PATH = "/w/api.php"


def page_of(index, **info):
    facts = {
        "LicenseShortName": {"value": "CC BY-SA 4.0"},
        "LicenseUrl": {"value": "https://creativecommons.org/licenses/by-sa/4.0"},
        "Artist": {"value": '<a href="//x">Ann &amp; Bo</a>'},
        "Credit": {"value": "<span>Own work</span>"},
    }
    return {
        "pageid": index,
        "ns": 6,
        "title": f"File:Aran {index}.jpg",
        "index": index,
        "imageinfo": [
            {
                "url": f"https://upload.example/{index}.jpg",
                "thumburl": f"https://upload.example/thumb/{index}/500px.jpg",
                "thumbwidth": 500,
                "thumbheight": 320,
                "width": 3746,
                "height": 2400,
                "descriptionurl": f"https://commons.example/{index}",
                "mime": "image/jpeg",
                "extmetadata": facts,
            }
            | info
        ],
    }


def answering(site, body, status=200, **headers):
    url = site.script(PATH, lambda: web.json_response(body, status=status, headers=headers))
    return WikimediaSearcher(base_url=url)


def test_asks_as_wikimedia_documents(site):
    seen = {}

    async def answer(request):
        seen.update(request.query)
        return web.json_response({"query": {"pages": []}})

    url = site.on(PATH, answer)
    cursor = json.dumps({"gsroffset": 50, "continue": "gsroffset||"})
    WikimediaSearcher(base_url=url, contact="me@example.org", width=320).page(QUERY, cursor)
    assert seen == {
        "action": "query",
        "format": "json",
        "formatversion": "2",
        "maxlag": "5",
        "generator": "search",
        "gsrnamespace": "6",
        "gsrsearch": "filetype:bitmap aran sweater",
        "gsrlimit": "50",
        "gsroffset": "50",
        "continue": "gsroffset||",
        "prop": "imageinfo",
        "iiprop": "url|size|mime|extmetadata",
        "iiurlwidth": "320",
        "iiextmetadatafilter": "LicenseShortName|LicenseUrl|Artist|Credit|AttributionRequired",
    }
    assert site.headers[0]["User-Agent"].endswith("(me@example.org)")


def test_pages_come_in_the_order_of_their_index(site):
    body = {
        "continue": {"gsroffset": 50, "continue": "gsroffset||"},
        "query": {"pages": [page_of(2), page_of(1)]},
    }
    page = answering(site, body).page(QUERY)
    assert json.loads(page.cursor) == {"gsroffset": 50, "continue": "gsroffset||"}
    assert [(hit.title, hit.rank) for hit in page.hits] == [("Aran 1.jpg", 1), ("Aran 2.jpg", 2)]
    assert answering(site, body).page(QUERY, page.cursor).hits[0].rank == 51


def test_hits_carry_license_and_creator_without_markup(site):
    (hit,) = answering(site, {"query": {"pages": [page_of(1)]}}).page(QUERY).hits
    assert hit.url == "https://upload.example/thumb/1/500px.jpg"
    assert (hit.width, hit.height) == (500, 320)
    assert hit.page == "https://commons.example/1"
    assert hit.license == "CC-BY-SA-4.0"
    assert hit.license_url == "https://creativecommons.org/licenses/by-sa/4.0"
    assert (hit.creator, hit.attribution) == ("Ann & Bo", "Own work")


def test_other_licenses_keep_their_name_and_small_images_their_address(site):
    info = {
        "thumburl": None,
        "extmetadata": {"LicenseShortName": {"value": "Public domain"}, "Artist": {"value": 7}},
    }
    (hit,) = answering(site, {"query": {"pages": [page_of(1, **info)]}}).page(QUERY).hits
    assert hit.url == "https://upload.example/1.jpg"
    assert (hit.width, hit.height) == (3746, 2400)
    assert (hit.license, hit.license_url, hit.creator) == ("Public domain", None, "7")


def test_nothing_found_is_the_end(site):
    assert answering(site, {"batchcomplete": True}).page(QUERY) == Page()


@pytest.mark.parametrize("code", ["maxlag", "ratelimited"])
def test_a_busy_server_parks(site, code):
    body = {"error": {"code": code, "info": "Waiting for a host: 6 seconds lagged."}}
    parked = answering(site, body, **{"Retry-After": "8"}).page(QUERY, '{"gsroffset": 50}')
    assert parked == Page(cursor='{"gsroffset": 50}', retry_after=8)
    assert answering(site, body).page(QUERY).retry_after == 5
    assert answering(site, {}, 429).page(QUERY) == Page(cursor="{}", retry_after=60)


def test_failures_are_told_in_one_line(site):
    with pytest.raises(InputError) as raised:
        answering(site, {"error": {"code": "cirrussearch-query", "info": "bad query"}}).page(QUERY)
    assert str(raised.value) == (
        "wikimedia answered 400: bad query; check the query and the searcher's options"
    )
    with pytest.raises(WorkError) as failed:
        answering(site, {"query": {"pages": [{"title": "x"}]}}).page(QUERY)
    assert str(failed.value) == (
        "wikimedia answered without a usable query.pages.0.index: Field required"
    )
