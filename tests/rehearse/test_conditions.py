"""Every way in which the gallery treats those who ask for an image, over real sockets."""

import asyncio
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pyarrow.parquet as pq
import pytest
import urllib3
from PIL import Image

from adc_core.components.context import work_context
from adc_plugins_rehearse import conditions
from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.conditions import CONDITIONS, HEADERS, WITHOUT_IMAGE, XMP, with_xmp
from adc_plugins_rehearse.flaws import CLEAN
from adc_plugins_rehearse.garments.catalog import GarmentCatalog
from adc_plugins_rehearse.server import GalleryServer
from adc_plugins_search.collectors.downloader import Downloader

EVEN = dict.fromkeys(CONDITIONS, 0.9 / len(CONDITIONS))


@pytest.fixture(scope="module")
def catalog() -> GarmentCatalog:
    flaws = replace(CLEAN, conditions=EVEN)
    return GarmentCatalog(
        values_per_attribute=2, answers=60, classes=["dress", "shawl"], flaws=flaws
    )


@pytest.fixture(scope="module")
def offers(catalog: GarmentCatalog) -> dict[str, list[Offer]]:
    """Some offers in each condition, the smaller files first."""
    found: dict[str, list[Offer]] = {name: [] for name in CONDITIONS}
    for offer in catalog.offers():
        if offer.mime == "image/jpeg":
            found[offer.condition].append(offer)
    return {name: sorted(some, key=lambda offer: offer.size) for name, some in found.items()}


@pytest.fixture(scope="module")
def gallery(catalog: GarmentCatalog) -> Iterator[GalleryServer]:
    with GalleryServer(catalog, port=0, hosts=3, slow_seconds=0.2, drip_seconds=0.05) as server:
        yield server


def ask(url: str, length: int = -1) -> urllib3.BaseHTTPResponse:
    """One request that follows nothing and repeats nothing; at most `length` bytes of it."""
    answer = urllib3.request(
        "GET", url, retries=False, redirect=False, preload_content=False, timeout=20
    )
    answer.told = answer.read(None if length < 0 else length, decode_content=False)
    answer.close()
    return answer


def test_the_table_has_every_condition() -> None:
    rows = [line.split("|") for line in (conditions.__doc__ or "").splitlines() if "|" in line][2:]
    assert [name.strip() for row in rows for name in row[1].split(",")] == list(CONDITIONS)
    told = {name.strip(): row[3].strip() for row in rows for name in row[1].split(",")}
    assert {name for name in told if told[name] == "no"} == WITHOUT_IMAGE


@pytest.mark.parametrize("name", ["good", "slow", "mistyped", "closed", *HEADERS])
def test_the_image_is_sent(gallery, catalog, offers, name: str) -> None:
    offer = offers[name][0]
    answer = ask(gallery.url_of(offer))
    assert answer.status == 200
    assert answer.told == catalog.content(offer)
    assert answer.headers["Content-Type"] == ("text/plain" if name == "mistyped" else "image/jpeg")
    for header in ("X-Robots-Tag", "tdm-reservation"):
        wanted = [value for key, value in HEADERS.get(name, ()) if key == header]
        assert answer.headers.getlist(header) == wanted


def test_an_image_with_xmp(gallery, catalog, offers) -> None:
    offer = offers["xmp"][0]
    told = ask(gallery.url_of(offer)).told
    png = io.BytesIO()
    Image.new("RGB", (9, 9), "navy").save(png, "PNG")
    pairs = (
        (told, catalog.content(offer)),
        (with_xmp(png.getvalue(), XMP), png.getvalue()),
    )
    for file, plain in pairs:
        with Image.open(io.BytesIO(file)) as image, Image.open(io.BytesIO(plain)) as same:
            image.load()
            assert image.tobytes() == same.tobytes()
            assert (image.info["xmp"], "xmp" in same.info) == (XMP, False)


def test_statuses(gallery, offers) -> None:
    for name, status in (("gone", 404), ("removed", 410), ("denied", 403)):
        assert ask(gallery.url_of(offers[name][0])).status == status
    assert ask(f"{gallery.url}/pictures/000000000.jpg").status == 404


@pytest.mark.parametrize(
    ("name", "status", "pause"),
    [("failing", 500, None), ("busy", 503, "1"), ("throttled", 429, "1")],
)
def test_it_goes_well_the_second_time(gallery, catalog, offers, name, status, pause) -> None:
    offer = offers[name][1]
    first, second = (ask(gallery.url_of(offer)) for _ in range(2))
    assert (first.status, first.headers.get("Retry-After")) == (status, pause)
    assert (second.status, second.told) == (200, catalog.content(offer))


def test_what_is_no_image(gallery, catalog, offers) -> None:
    offer = offers["broken"][0]
    half = ask(gallery.url_of(offer)).told
    assert half == catalog.content(offer)[: len(half)]
    assert len(half) == len(catalog.content(offer)) // 2
    page = ask(gallery.url_of(offers["page"][0]))
    assert page.headers["Content-Type"] == "image/jpeg"
    assert page.told.startswith(b"<!doctype html>")
    pixel = ask(gallery.url_of(offers["pixel"][0]))
    assert pixel.told[:10] == b"GIF87a\1\0\1\0"
    bomb = ask(gallery.url_of(offers["bomb"][0]))
    assert len(bomb.told) < 60_000
    assert bomb.told[16:24] == (20_000).to_bytes(4, "big") * 2


def test_connections_that_break(gallery, offers) -> None:
    with pytest.raises(urllib3.exceptions.ProtocolError, match="reset"):
        ask(gallery.url_of(offers["reset"][0]))
    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        ask(gallery.url_of(offers["short"][0]))


def test_bodies_that_do_not_end(gallery, offers) -> None:
    endless = ask(gallery.url_of(offers["endless"][0]), 3_000_000)
    assert "Content-Length" not in endless.headers
    assert len(endless.told) == 3_000_000
    drip = ask(gallery.url_of(offers["drip"][0]), 1)
    assert int(drip.headers["Content-Length"]) > 10_000


def test_a_compressed_body(gallery, catalog, offers) -> None:
    offer = offers["gzip"][0]
    raw = ask(gallery.url_of(offer))
    assert raw.headers["Content-Encoding"] == "gzip"
    assert raw.told[:2] == b"\x1f\x8b"
    assert urllib3.request("GET", gallery.url_of(offer)).data == catalog.content(offer)


def test_redirects(gallery, catalog, offers) -> None:
    offer = offers["moved"][0]
    assert ask(gallery.url_of(offer)).status == 302
    followed = urllib3.request("GET", gallery.url_of(offer))
    assert len(followed.retries.history) == 3
    assert followed.data == catalog.content(offer)
    loop = offers["loop"][0]
    assert ask(gallery.url_of(loop)).headers["Location"] == f"/{loop.path}"
    inward = ask(gallery.url_of(offers["inward"][0]))
    assert inward.headers["Location"] == "http://127.0.0.1:9/private.jpg"


def test_a_folder_that_robots_txt_excludes(gallery, offers) -> None:
    for endpoint in gallery.endpoints:
        rules = ask(f"http://{endpoint}/robots.txt").told.decode()
        assert rules == "User-agent: *\nDisallow: /closed/\n"
    assert all(offer.path.startswith("closed/") for offer in offers["closed"])
    assert not any(offer.path.startswith("closed/") for offer in offers["good"])


REASONS = {
    "broken": "damaged",
    "page": "not an image",
    "gone": "not found",
    "removed": "not found",
    "denied": "denied",
    "reset": "server error",
    "short": "server error",
    "endless": "too large",
    "drip": "too slow",
    "loop": "too many redirects",
    "inward": "forbidden address",
    "bomb": "too many pixels",
    "pixel": "too small",
    "closed": "robots.txt",
}
OPTED_OUT = {"xmp", *HEADERS} - {"noai-others", "noindex-others", "preview"}


def test_the_downloader_knows_them_all(gallery, offers, listed, design_of, tmp_path: Path) -> None:
    """One address in each condition: stored, or refused for the reason that is the true one."""
    urls = {gallery.url_of(offers[name][2]): name for name in CONDITIONS}
    collector = Downloader(
        allow_hosts=gallery.endpoints,
        backoff=0.01,
        retries=1,
        max_bytes=2_000_000,
        timeout=5,
        image_size=64,
    )
    other = gallery.url_of(offers["good"][3])
    searcher = listed(urls={"dress": tuple(urls), "shawl": (other,)}, per_page=100)
    with work_context(tmp_path):
        dataset = collector.collect(design_of("dress", "shawl"), [searcher])
    refused = {
        urls[row["url"]]: row["reason"]
        for row in pq.read_table(tmp_path / "refused.parquet").to_pylist()
    }
    assert refused == REASONS | dict.fromkeys(OPTED_OUT, "opted out")
    kept = {urls.get(url) for url in dataset.sources["url"].to_pylist()} - {None}
    assert kept == set(CONDITIONS) - set(refused)


def test_images_are_drawn_beside_the_answers(gallery, catalog) -> None:
    """Many at once, from all hosts, arrive whole; an address has one host."""
    some = [offer for offer in catalog.offers() if offer.condition == "good"][:24]

    async def fetch() -> list[bytes]:
        async with aiohttp.ClientSession() as session:

            async def one(offer: Offer) -> bytes:
                async with session.get(gallery.url_of(offer)) as answer:
                    return await answer.read()

            return await asyncio.gather(*map(one, some))

    assert asyncio.run(fetch()) == [catalog.content(offer) for offer in some]
    hosts = {urllib3.util.parse_url(gallery.url_of(offer)).host for offer in some}
    assert hosts == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}
