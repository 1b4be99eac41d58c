import logging

import pytest
from aiohttp import web

from adc_core.errors import InputError, WorkError
from adc_core.records.design import Page, Query
from adc_plugins_search.searchers import openverse
from adc_plugins_search.searchers.openverse import OpenverseSearcher

QUERY = Query(text="aran sweater", class_name="sweater")
PATH = "/v1/images/"
TOKEN = "/v1/auth_tokens/token/"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("OPENVERSE_CLIENT_ID", "OPENVERSE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    openverse._tokens.clear()


def results(count, pages=5):
    return {
        "result_count": 240,
        "page_count": pages,
        "page_size": 20,
        "page": 1,
        "results": [
            {
                "id": str(place),
                "title": f"Aran {place}",
                "foreign_landing_url": f"https://flickr.example/{place}",
                "url": f"https://live.example/{place}.jpg",
                "creator": "Ann",
                "creator_url": "https://flickr.example/ann",
                "license": "by-sa",
                "license_version": "2.0",
                "license_url": "https://creativecommons.org/licenses/by-sa/2.0/",
                "attribution": '"Aran" by Ann is licensed under CC BY-SA 2.0.',
                "height": 683,
                "width": 1024,
                "tags": None,
            }
            for place in range(1, count + 1)
        ],
    }


def searcher_of(site, **options):
    return OpenverseSearcher(base_url=site.url(""), **options)


def answer_with(site, body, status=200, **headers):
    site.script(PATH, lambda: web.json_response(body, status=status, headers=headers))
    return searcher_of(site)


def test_asks_as_openverse_documents(site):
    seen = []

    async def answer(request):
        seen.append(dict(request.query))
        return web.json_response(results(1))

    site.on(PATH, answer)
    searcher_of(site, contact="me@example.org").page(QUERY)
    assert seen.pop() == {"q": "aran sweater", "page": "1", "page_size": "20"}
    assert site.headers[0]["User-Agent"].endswith("(me@example.org)")
    assert "Authorization" not in site.headers[0]
    narrow = searcher_of(
        site, licenses=("cc0", "by"), license_type="commercial", category="photograph"
    )
    narrow.page(QUERY.model_copy(update={"text": "x" * 300}), "3")
    assert seen.pop() == {
        "q": "x" * 200,
        "page": "3",
        "page_size": "20",
        "license": "cc0,by",
        "license_type": "commercial",
        "category": "photograph",
    }


def test_hits_carry_license_and_creator(site):
    page = answer_with(site, results(2)).page(QUERY, "2")
    assert page.cursor == "3"
    assert [hit.rank for hit in page.hits] == [21, 22]
    hit = page.hits[0]
    assert (hit.url, hit.page) == ("https://live.example/1.jpg", "https://flickr.example/1")
    assert (hit.title, hit.width, hit.height) == ("Aran 1", 1024, 683)
    assert hit.license == "CC-BY-SA-2.0"
    assert hit.license_url == "https://creativecommons.org/licenses/by-sa/2.0/"
    assert (hit.creator, hit.creator_url) == ("Ann", "https://flickr.example/ann")
    assert hit.attribution == '"Aran" by Ann is licensed under CC BY-SA 2.0.'
    assert (hit.engine, hit.query) == ("openverse", QUERY)


def test_ends_with_the_last_page_and_at_the_depth_that_is_shown(site):
    assert answer_with(site, results(20, pages=2)).page(QUERY, "2").cursor is None
    assert answer_with(site, results(0, pages=0)).page(QUERY) == Page()
    assert answer_with(site, results(20, pages=40)).page(QUERY, "11").cursor == "12"
    assert answer_with(site, results(20, pages=40)).page(QUERY, "12").cursor is None


@pytest.fixture
def keys(monkeypatch):
    monkeypatch.setenv("OPENVERSE_CLIENT_ID", "my-client")
    monkeypatch.setenv("OPENVERSE_CLIENT_SECRET", "my secret")


class Service:
    """Openverse with tokens: counts them, and refuses all but the last."""

    def __init__(self, site):
        self.given, self.forms = 0, []
        site.post(TOKEN, self.token)
        site.on(PATH, self.search)

    async def token(self, request):
        self.forms.append(dict(await request.post()))
        self.given += 1
        body = {"access_token": f"token-{self.given}", "expires_in": 36000, "scope": "read"}
        return web.json_response(body)

    async def search(self, request):
        if request.headers.get("Authorization") != f"Bearer token-{self.given}":
            return web.json_response({"detail": "Invalid token."}, status=401)
        return web.json_response(results(int(request.query["page_size"])))


def test_with_a_key_pages_are_larger_and_one_token_serves(site, keys):
    service = Service(site)
    searcher = searcher_of(site)
    page = searcher.page(QUERY)
    assert (len(page.hits), page.cursor) == (50, "2")
    assert searcher.page(QUERY, "2").hits[0].rank == 51
    assert service.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "my-client",
            "client_secret": "my secret",
        }
    ]
    last = searcher.page(QUERY, "5")
    assert (len(last.hits), last.cursor) == (40, None)  # 240 in all


def test_a_token_that_was_refused_is_not_used_again(site, keys):
    service = Service(site)
    searcher = searcher_of(site)
    searcher.page(QUERY)
    service.given += 1
    with pytest.raises(InputError) as raised:
        searcher.page(QUERY)
    assert str(raised.value) == (
        "openverse answered 401: Invalid token.; "
        "check OPENVERSE_CLIENT_ID and OPENVERSE_CLIENT_SECRET"
    )
    assert len(searcher.page(QUERY).hits) == 50


def test_a_refused_key_names_its_variables_and_is_in_no_log(site, keys, caplog):
    caplog.set_level(logging.DEBUG)

    async def refuse(_):
        return web.json_response({"error": "invalid_client my secret"}, status=400)

    site.post(TOKEN, refuse)
    with pytest.raises(InputError) as raised:
        searcher_of(site).page(QUERY)
    assert str(raised.value) == (
        "openverse refused the key (invalid_client …): "
        "check OPENVERSE_CLIENT_ID and OPENVERSE_CLIENT_SECRET"
    )
    assert "my secret" not in caplog.text


def test_limits_park(site):
    body = {"detail": "Request was throttled. Expected available in 9 seconds."}
    assert answer_with(site, body, 429, **{"Retry-After": "9"}).page(QUERY, "2") == Page(
        cursor="2", retry_after=9
    )
    assert answer_with(site, body, 429).page(QUERY).retry_after == 60


def test_limits_of_tokens_park_too(site, keys):
    async def busy(_):
        return web.json_response({}, status=429, headers={"Retry-After": "3"})

    site.post(TOKEN, busy)
    assert searcher_of(site).page(QUERY, "4") == Page(cursor="4", retry_after=3)


def test_failures_are_told_in_one_line(site):
    with pytest.raises(InputError) as raised:
        answer_with(site, {"detail": "Bad\nlicense"}, 400).page(QUERY)
    assert str(raised.value) == (
        "openverse answered 400: Bad license; check the query and the searcher's options"
    )
    with pytest.raises(WorkError) as failed:
        answer_with(site, {"results": [{}], "page_count": 1}).page(QUERY)
    assert str(failed.value) == "openverse answered without a usable results.0.url: Field required"
    with pytest.raises(WorkError) as failed:
        answer_with(site, {}, 418).page(QUERY)
    assert str(failed.value) == (
        "openverse answered 418: no reason given; try again later, or check base_url"
    )
