"""Where an address leads: redirects, and addresses that are never asked."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adc_core.components.context import work_context
from adc_plugins_search.collectors.downloader import Downloader


def test_redirects_are_followed(site, outcome_of, image_bytes) -> None:
    site.serve("/end.jpg", image_bytes(1))
    for n in range(4):
        site.redirect(f"/{n}", f"/{n + 1}")
    site.redirect("/4", site.url("/end.jpg"), 307)
    assert outcome_of(site.url("/0")) is None


def test_a_redirect_loop_ends(site, outcome_of) -> None:
    url = site.redirect("/x.jpg", "/x.jpg", 301)
    assert outcome_of(url) == ("too many redirects", "more than 5")
    assert Counter(site.paths)["/x.jpg"] == 6


@pytest.mark.parametrize("target", ["ftp://a.example/x.jpg", "data:,x", "file:///x.jpg"])
def test_redirects_out_of_the_web(site, outcome_of, target: str) -> None:
    url = site.redirect("/x.jpg", target)
    assert outcome_of(url) == ("forbidden address", "redirected to no http or https address")


@pytest.mark.parametrize("target", ["http://[::1", "http://[::1]@/x.jpg", "http://[65536:;]/x"])
def test_a_redirect_to_nonsense(site, outcome_of, target: str) -> None:
    url = site.redirect("/x.jpg", target)
    assert outcome_of(url) == ("forbidden address", "redirected to no valid address")


def test_private_addresses_are_never_asked(site, other_site, outcome_of, image_bytes) -> None:
    other_site.serve("/secret.jpg", image_bytes(1))
    private = ("forbidden address", "the address is not on the public internet")
    port = other_site.port
    hop = site.redirect("/hop.jpg", other_site.url("/secret.jpg"))
    disguised = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.0.0.2"]
    for url in (hop, *(f"http://{host}:{port}/secret.jpg" for host in disguised)):
        assert outcome_of(url) == private
    for host in ("127.1", "2130706433", "0x7f.1"):
        reason, _ = outcome_of(f"http://{host}:{port}/secret.jpg", retries=0)
        assert reason in ("forbidden address", "unreachable")
    assert other_site.paths == []


@pytest.mark.parametrize(
    "url",
    [
        "http://" + "a" * 70 + ".example/x.jpg",
        "http://a..b/x.jpg",
        "http://exa mple/x.jpg",
        "http://127.0.0.1:0/x.jpg",
        "http://127.0.0.1:99999/x.jpg",
        "http://*/x.jpg",
        "http://xn--/x.jpg",
        "http://%zz/x.jpg",
        "http://[fe80::1%25lo]/x.jpg",
        "http://\x00/x.jpg",
        "http://-/\n",
    ],
)
def test_no_address_ends_the_collection(outcome_of, url: str) -> None:
    reason, detail = outcome_of(url, retries=0)
    assert reason in ("forbidden address", "unreachable")
    assert detail


def test_metadata_services_are_never_asked(outcome_of) -> None:
    assert outcome_of("http://169.254.169.254/latest/meta-data/") == (
        "forbidden address",
        "the address is not on the public internet",
    )


def test_redirects_queue_at_their_own_host(
    site, other_site, listed, design_of, image_bytes, tmp_path: Path
) -> None:
    now: list[None] = []
    most: list[int] = []

    def counted(body: bytes) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.Response:
            now.append(None)
            most.append(len(now))
            await asyncio.sleep(0.03)
            now.pop()
            return web.Response(body=body)

        return answer

    urls = []
    for n in range(8):
        target = other_site.on(f"/{n}.jpg", counted(image_bytes(n)))
        urls.append(site.redirect(f"/{n}", target))
        urls.append(target + "?again")
    searcher = listed(urls={"cat": tuple(urls)})
    allowed = (site.endpoint, other_site.endpoint)
    with work_context(tmp_path / "work"):
        collector = Downloader(max_connections_per_host=2, allow_hosts=allowed)
        assert len(collector.collect(design_of("cat", "dog"), [searcher])) == 8
    assert len(most) == 16
    assert max(most) == 2
