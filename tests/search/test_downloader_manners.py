"""Servers' rules, kept over real HTTP: what is asked for, what is not, and what is written down."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web
from pydantic import ValidationError

from adc_core.components.context import work_context
from adc_core.components.interfaces import Searcher
from adc_core.errors import InputError
from adc_core.records.design import Hit, Page, Query
from adc_plugins_rehearse.conditions import XMP, with_xmp
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.searchers.folder import FolderSearcher


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"X-Robots-Tag": "max-image-preview:large, noai"}, "x-robots-tag: noai"),
        ({"X-Robots-Tag": "adc-search: noindex"}, "x-robots-tag: adc-search: noindex"),
        ({"tdm-reservation": "1"}, "tdm-reservation: 1"),
        ({"Content-Usage": "train-ai=n"}, "content-usage: train-ai=n"),
    ],
)
def test_an_opt_out_is_kept_and_its_body_never_read(
    site, outcome_of, headers: dict[str, str], detail: str
) -> None:
    sent: list[int] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for _ in range(500):
            await response.write(bytes(100_000))
            sent.append(1)
        return response

    assert outcome_of(site.on("/x.jpg", answer), max_bytes=10**9) == ("opted out", detail)
    assert len(sent) < 500


@pytest.fixture
def collect(tmp_path: Path, site, listed, design_of, image_bytes) -> Callable[..., Any]:
    """Collect one address as a cat, beside a dog that is always there."""

    def run(url: str, **options: Any) -> Any:
        good = site.serve("/good.jpg", image_bytes(1000))
        options = {"allow_hosts": (site.endpoint,), "backoff": 0.01, "min_side": 8} | options
        with work_context(tmp_path / "work"):
            searcher = listed(urls={"cat": (url,), "dog": (good,)})
            return Downloader(**options).collect(design_of("cat", "dog"), [searcher])

    return run


def test_what_is_ignored_is_written_down(site, collect, image_bytes, tmp_path: Path) -> None:
    said = {"X-Robots-Tag": "noai", "tdm-reservation": "1"}
    url = site.serve("/x.jpg", image_bytes(1), **said)
    dataset = collect(url, ignore=["x-robots-tag", "tdm-reservation"])
    assert dataset.sources["signals"].to_pylist() == [
        "x-robots-tag: noai; tdm-reservation: 1",
        None,
    ]
    written = json.loads((tmp_path / "work/collection.json").read_text())
    assert written["ignore"] == ["x-robots-tag", "tdm-reservation"]


def test_only_what_is_named_is_ignored(site, outcome_of, image_bytes) -> None:
    said = {"X-Robots-Tag": "noai", "tdm-reservation": "1"}
    url = site.serve("/x.jpg", image_bytes(1), **said)
    assert outcome_of(url, ignore=["x-robots-tag"]) == ("opted out", "tdm-reservation: 1")


def test_rules_for_other_bots_are_written_down(site, collect, image_bytes) -> None:
    url = site.serve("/x.jpg", image_bytes(1), **{"X-Robots-Tag": "googlebot: noindex"})
    signals = collect(url).sources["signals"].to_pylist()
    assert signals == ["x-robots-tag: googlebot: noindex", None]


def test_an_opt_out_within_the_image_is_kept(site, outcome_of, image_bytes) -> None:
    url = site.serve("/x.jpg", with_xmp(image_bytes(1), XMP))
    opted_out = ("opted out", "plus-data-mining: DMI-PROHIBITED-AIMLTRAINING")
    assert outcome_of(url) == opted_out
    assert outcome_of(url, ignore=["tdm-reservation"]) == opted_out
    assert outcome_of(url, ignore=["plus-data-mining"]) is None


@pytest.mark.parametrize(
    ("packet", "ignore", "signals"),
    [
        (
            XMP,
            ["plus-data-mining"],
            "x-robots-tag: otherbot: noai; plus-data-mining: DMI-PROHIBITED-AIMLTRAINING",
        ),
        (
            XMP.replace(b"-AIML", b"-GENAIML"),
            [],
            "x-robots-tag: otherbot: noai; plus-data-mining: DMI-PROHIBITED-GENAIMLTRAINING",
        ),
        (XMP.replace(b"plus:", b"dc:").replace(b"DMI", b""), [], "x-robots-tag: otherbot: noai"),
    ],
)
def test_what_an_image_says_and_does_not_bind_is_written_down(
    site, collect, image_bytes, packet: bytes, ignore: list[str], signals: str
) -> None:
    said = {"X-Robots-Tag": "otherbot: noai"}
    url = site.serve("/x.jpg", with_xmp(image_bytes(1), packet), **said)
    dataset = collect(url, ignore=ignore)
    assert dataset.sources["signals"].to_pylist() == [signals, None]


def test_in_a_folder_of_ones_own_nothing_binds(tmp_path: Path, design_of, image_bytes) -> None:
    for name, packet in (("cat", XMP), ("dog", b"")):
        (tmp_path / "own" / name).mkdir(parents=True)
        (tmp_path / "own" / name / "x.jpg").write_bytes(with_xmp(image_bytes(len(packet)), packet))
    with work_context(tmp_path / "work"):
        searcher = FolderSearcher(root=tmp_path / "own")
        dataset = Downloader(min_side=8).collect(design_of("cat", "dog"), [searcher])
    assert dataset.sources["signals"].to_pylist() == [
        "plus-data-mining: DMI-PROHIBITED-AIMLTRAINING",
        None,
    ]


def test_robots_txt_is_kept(site, outcome_of, image_bytes) -> None:
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /x.jpg\n", "text/plain")
    url = site.serve("/x.jpg", image_bytes(1))
    assert outcome_of(url) == ("robots.txt", "robots.txt excludes it")
    assert sorted(site.paths) == ["/good.jpg", "/robots.txt"]
    assert outcome_of(url, ignore=["robots"]) is None


def test_robots_txt_is_read_through_a_redirect(site, outcome_of, image_bytes) -> None:
    site.serve("/rules", b"User-agent: adc-search\nDisallow: /x.jpg\n", "text/plain")
    site.script("/robots.txt", lambda: web.Response(status=301, headers={"Location": "/rules"}))
    url = site.serve("/x.jpg", image_bytes(1))
    assert outcome_of(url) == ("robots.txt", "robots.txt excludes it")


def test_robots_txt_is_read_to_its_end_however_it_comes(site, outcome_of, image_bytes) -> None:
    async def in_pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b"User-agent: *\n", b"Crawl-delay: 0\n", b"Disallow: /x.jpg\n"):
            await response.write(piece)
            await asyncio.sleep(0.05)
        return response

    site.on("/robots.txt", in_pieces)
    url = site.serve("/x.jpg", image_bytes(1))
    assert outcome_of(url) == ("robots.txt", "robots.txt excludes it")


def test_a_redirect_does_not_lead_past_robots_txt(site, outcome_of, image_bytes) -> None:
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /x.jpg\n", "text/plain")
    site.serve("/x.jpg", image_bytes(1))
    hop = site.script("/hop", lambda: web.Response(status=302, headers={"Location": "/x.jpg"}))
    assert outcome_of(hop) == ("robots.txt", "robots.txt excludes it")
    assert "/x.jpg" not in site.paths


def test_a_host_that_cannot_say_its_rules_is_left_alone(
    site, other_site, outcome_of, image_bytes
) -> None:
    other_site.script("/robots.txt", lambda: web.Response(status=503))
    url = other_site.serve("/x.jpg", image_bytes(1))
    allowed = (site.endpoint, other_site.endpoint)
    assert outcome_of(url, allow_hosts=allowed, retries=1) == (
        "robots.txt",
        "robots.txt cannot be read now: HTTP 503",
    )
    assert set(other_site.paths) == {"/robots.txt"}


def test_strangers_are_not_asked_without_a_contact(site, collect, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        collect("http://shop.example/x.jpg")
    assert str(raised.value) == (
        "contact: shop.example is another machine, whose owner must be able to reach you: "
        "set the downloader's `contact` to an address of yours"
    )
    assert not site.paths


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.1.2.3", "[::1]"])
def test_a_service_of_ones_own_needs_no_contact_but_allow_hosts(site, collect, host: str) -> None:
    with pytest.raises(InputError) as raised:
        collect(f"http://{host}:9911/x.jpg")
    assert str(raised.value) == (
        f"allow_hosts: {host}:9911 is on this machine or in a private network: if it is a service "
        f"of your own, list it in the downloader's `allow_hosts: ['{host}:9911']`; it needs no "
        "contact"
    )
    assert not site.paths


def test_when_only_private_addresses_are_found_the_option_is_named(other_site, collect) -> None:
    url = f"http://localhost:{other_site.port}/secret.jpg"
    with pytest.raises(InputError) as raised:
        collect(url, contact="me@example.org", allow_hosts=())
    assert str(raised.value) == (
        "none of the 2 images that were found could be used (2 forbidden address); "
        f"{url!r} was refused: the address is not on the public internet; if it is a service of "
        "your own, list its host:port in allow_hosts"
    )
    assert other_site.paths == []


def test_nor_by_a_redirect(site, other_site, outcome_of) -> None:
    url = site.script(
        "/hop", lambda: web.Response(status=302, headers={"Location": other_site.url("/x.jpg")})
    )
    assert outcome_of(url, contact="") == (
        "forbidden address",
        "another machine, which needs to know your `contact`",
    )
    assert not other_site.paths


class Licensed(Searcher):
    """Offers an address for each query under a license."""

    offers: dict[str, tuple[str, str | None]]

    def page(self, query: Query, cursor: str | None = None) -> Page:
        url, license = self.offers[query.text]
        return Page(hits=(Hit(url=url, query=query, engine="x", rank=1, license=license),))


def test_only_allowed_licenses_are_fetched(site, design_of, image_bytes, tmp_path: Path) -> None:
    licenses = {
        "a": "CC-BY-4.0",
        "b": "CC-BY-SA-4.0",
        "c": "CC0-1.0",
        "d": None,
        "e": "All rights reserved",
        "f": "CC-BY",
    }
    offers = {
        name: (site.serve(f"/{name}.jpg", image_bytes(n)), license)
        for n, (name, license) in enumerate(licenses.items())
    }
    with work_context(tmp_path / "work"):
        dataset = Downloader(
            allow_hosts=(site.endpoint,), allow_licenses=["cc0", "by"], min_side=8
        ).collect(design_of(*licenses), [Licensed(offers=offers)])
    assert dataset.sources["license"].to_pylist() == ["CC-BY-4.0", "CC0-1.0", "CC-BY"]
    assert sorted(site.paths) == ["/a.jpg", "/c.jpg", "/f.jpg"]
    refused = pq.read_table(tmp_path / "work/refused.parquet").to_pylist()
    assert [(row["class"], row["reason"], row["detail"]) for row in refused] == [
        ("b", "license", "CC-BY-SA-4.0"),
        ("d", "license", "none is known"),
        ("e", "license", "All rights reserved"),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"allow_licenses": ["by-4.0"]},
            "Input should be 'cc0', 'pdm', 'by', 'by-sa', 'by-nc', 'by-nd', 'by-nc-sa' or "
            "'by-nc-nd'",
        ),
        (
            {"ignore": ["everything"]},
            "Input should be 'robots', 'x-robots-tag', 'tdm-reservation', 'content-usage' or "
            "'plus-data-mining'",
        ),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Downloader.model_validate(options)
    assert raised.value.errors()[0]["msg"] == message


def test_a_body_that_comes_too_slowly_is_given_up(site, outcome_of) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(100))
            await asyncio.sleep(0.2)

    url = site.on("/x.jpg", drip)
    assert outcome_of(url, retries=0, min_bytes_per_second=5000) == (
        "too slow",
        "less than 5,000 bytes per second",
    )


def test_a_crawl_delay_keeps_requests_apart(
    site, listed, design_of, image_bytes, tmp_path: Path
) -> None:
    asked: list[float] = []

    def noted(body: bytes) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.Response:
            asked.append(asyncio.get_running_loop().time())
            return web.Response(body=body)

        return answer

    site.serve("/robots.txt", b"User-agent: *\nCrawl-delay: 0.3\n", "text/plain")
    urls = tuple(site.on(f"/{n}.jpg", noted(image_bytes(n))) for n in range(4))
    with work_context(tmp_path / "work"):
        collector = Downloader(allow_hosts=(site.endpoint,), max_connections_per_host=1, min_side=8)
        collector.collect(design_of("cat", "dog"), [listed(urls={"cat": urls})])
    # The first may arrive as late as the second starts.
    assert asked[3] - asked[0] >= 0.6
