"""Every searcher against the gallery's reading of its service: the same images, in order."""

import pytest
import urllib3
from aiohttp import web

from adc_core.errors import InputError
from adc_core.records.design import Query
from adc_plugins_rehearse.digits import DigitCatalog
from adc_plugins_rehearse.protocols import bing, brave, google, openverse, searxng, wikimedia
from adc_plugins_rehearse.protocols.protocol import Protocol
from adc_plugins_rehearse.server import GalleryServer
from adc_plugins_search.searchers import openverse as openverse_searcher
from adc_plugins_search.searchers.bing import BingSearcher
from adc_plugins_search.searchers.brave import BraveSearcher
from adc_plugins_search.searchers.google import GoogleSearcher
from adc_plugins_search.searchers.openverse import OpenverseSearcher
from adc_plugins_search.searchers.searxng import SearxngSearcher
from adc_plugins_search.searchers.wikimedia import WikimediaSearcher

THREE = Query(text="handwritten three", class_name="three")

PATHS = {
    GoogleSearcher: google.PATH,
    OpenverseSearcher: "",
    WikimediaSearcher: wikimedia.PATH,
    BraveSearcher: brave.PATH,
    BingSearcher: bing.PATH,
    SearxngSearcher: searxng.PATH,
}
LICENSED = {OpenverseSearcher: "CC0-1.0", WikimediaSearcher: "CC0-1.0", BingSearcher: "PDM"}
VARIABLES = {
    GoogleSearcher: "GOOGLE_API_KEY",
    BraveSearcher: "BRAVE_API_KEY",
    BingSearcher: "BING_SUBSCRIPTION_KEY",
}


@pytest.fixture(scope="module")
def catalog():
    return DigitCatalog()


@pytest.fixture(scope="module")
def gallery(catalog):
    with GalleryServer(catalog, port=0) as server:
        yield server


@pytest.fixture(autouse=True)
def _keys(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", google.KEY)
    monkeypatch.setenv("GOOGLE_CSE_ID", google.ENGINE)
    monkeypatch.setenv("BRAVE_API_KEY", brave.KEY)
    monkeypatch.setenv("BING_SUBSCRIPTION_KEY", bing.KEY)
    monkeypatch.delenv("OPENVERSE_CLIENT_ID", raising=False)
    monkeypatch.delenv("OPENVERSE_CLIENT_SECRET", raising=False)
    openverse_searcher._tokens.clear()


def everything(searcher, query=THREE):
    hits, cursor = [], None
    for _ in range(50):
        page = searcher.page(query, cursor)
        assert page.retry_after is None
        hits += page.hits
        cursor = page.cursor
        if cursor is None:
            return hits
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("searcher", PATHS)
def test_finds_every_offer_once_and_in_order(gallery, catalog, searcher):
    hits = everything(searcher(base_url=gallery.url + PATHS[searcher]))
    offers = catalog.search(THREE.text)
    assert [hit.url for hit in hits] == [f"{gallery.url}/{offer.path}" for offer in offers]
    assert [hit.rank for hit in hits] == list(range(1, len(offers) + 1))
    assert {hit.license for hit in hits} == {LICENSED.get(searcher)}
    assert {(hit.width, hit.height) for hit in hits} == {offer.size for offer in offers}
    assert all(hit.page for hit in hits)


@pytest.mark.parametrize("searcher", PATHS)
def test_nothing_found_is_the_end(gallery, searcher):
    query = Query(text="a whale", class_name="whale")
    assert everything(searcher(base_url=gallery.url + PATHS[searcher]), query) == []


def test_openverse_with_a_key_asks_less_often(gallery, catalog, monkeypatch):
    monkeypatch.setenv("OPENVERSE_CLIENT_ID", openverse.CLIENT)
    monkeypatch.setenv("OPENVERSE_CLIENT_SECRET", openverse.SECRET)
    before = gallery.openverse.calls
    hits = everything(OpenverseSearcher(base_url=gallery.url))
    assert len(hits) == len(catalog.search(THREE.text)) == 100
    assert gallery.openverse.calls - before == 2
    monkeypatch.setenv("OPENVERSE_CLIENT_SECRET", "wrong")
    openverse_searcher._tokens.clear()
    with pytest.raises(InputError, match="check OPENVERSE_CLIENT_ID and OPENVERSE_CLIENT_SECRET"):
        OpenverseSearcher(base_url=gallery.url).page(THREE)


@pytest.mark.parametrize("searcher", VARIABLES)
def test_a_wrong_key_is_named_by_its_variable(gallery, monkeypatch, searcher):
    monkeypatch.setenv(VARIABLES[searcher], "wrong")
    with pytest.raises(InputError):
        searcher(base_url=gallery.url + PATHS[searcher]).page(THREE)


@pytest.mark.parametrize("searcher", PATHS)
def test_a_used_up_quota_parks_and_goes_on_later(catalog, searcher):
    with GalleryServer(catalog, port=0, quota=0) as server:
        asking = searcher(base_url=server.url + PATHS[searcher])
        parked = asking.page(THREE)
        assert parked.retry_after is not None
        assert parked.hits == ()
        for protocol in (
            server.google,
            server.openverse,
            server.wikimedia,
            server.brave,
            server.bing,
            server.searxng,
        ):
            protocol.quota = None
        assert asking.page(THREE, parked.cursor).hits


class Lines(Protocol):
    """A service of somebody else's, that gives one address a line."""

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/lines", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        if not self.spend():
            return web.Response(status=429)
        offers = self.catalog.search(request.query["q"])
        return web.Response(text="\n".join(self.root(request, o) + o.path for o in offers))


def test_a_protocol_of_ones_own(catalog):
    with GalleryServer(catalog, port=0, hosts=2, quota=1, protocols=[Lines]) as server:
        first, second = (
            urllib3.request("GET", f"{server.url}/lines?q=three", retries=False) for _ in range(2)
        )
        lines = [server.url_of(offer) for offer in catalog.search("three")]
    assert first.data.decode().splitlines() == lines
    assert {line.split(":")[1] for line in lines} == {"//127.0.0.1", "//127.0.0.2"}
    assert second.status == 429
