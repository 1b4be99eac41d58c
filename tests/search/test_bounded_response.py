"""Services that answer without end: in bytes, in time, in depth and in hits."""

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from aiohttp import web

from adc_core.errors import WorkError
from adc_core.records.design import Query
from adc_endpoint import TooLongError, read_bounded
from adc_plugins_search import http_json
from adc_plugins_search.searchers.searxng import SearxngSearcher

QUERY = Query(text="a cat", class_name="cat")


def asking(url: str) -> Callable[[], urllib3.BaseHTTPResponse]:
    pool = urllib3.PoolManager(retries=False)
    return lambda: pool.request("GET", url, preload_content=False)


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n[", b""],
    ids=["between headers", "within a header", "within the body", "before the status"],
)
def test_a_drip_ends_in_time(
    start: bytes, dripping: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_json, "_MAX_SECONDS", 0.5)
    with dripping(start) as host, pytest.raises(WorkError) as raised:
        SearxngSearcher(base_url=f"http://{host}/search").page(QUERY)
    assert str(raised.value) == f"{host} gave no whole answer within 0.5 s: try again later"


def test_a_bomb_is_not_unpacked(site) -> None:
    bomb = gzip.compress(b" " * (http_json.MAX_BYTES + (1 << 20)))
    url = site.serve("/search", bomb, "application/json", **{"Content-Encoding": "gzip"})
    with pytest.raises(WorkError) as raised:
        SearxngSearcher(base_url=url).page(QUERY)
    said = "answered more than 16,777,216 bytes: check base_url"
    assert str(raised.value) == f"{site.endpoint} {said}"


@pytest.mark.parametrize("status", [500, 404])
def test_nor_is_one_in_an_error(site, status: int) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        while True:
            await response.write(bytes(1 << 20))

    with pytest.raises(WorkError, match="answered more than 16,777,216 bytes: check base_url"):
        SearxngSearcher(base_url=site.on("/search", flood)).page(QUERY)


def test_nesting_without_end_is_no_json(site) -> None:
    url = site.serve("/search", b"[" * 100_000, "application/json")
    with pytest.raises(WorkError) as raised:
        SearxngSearcher(base_url=url).page(QUERY)
    assert str(raised.value) == (
        "searxng answered with something that is no JSON object: check base_url"
    )


def test_hits_without_end_are_no_page(site) -> None:
    results = [{"img_src": "http://a/1.jpg"}] * (http_json.MAX_HITS + 1)
    url = site.serve("/search", json.dumps({"results": results}).encode(), "application/json")
    with pytest.raises(WorkError) as raised:
        SearxngSearcher(base_url=url).page(QUERY)
    assert str(raised.value) == (
        "searxng answered without a usable results: List should have at most 5000 items after "
        "validation, not 5001"
    )


def test_what_is_within_bounds_is_given_whole(site) -> None:
    url = site.serve("/x", b"x" * 1000)
    response, data = read_bounded(asking(url), most_bytes=1000, seconds=30)
    assert (response.status, data) == (200, b"x" * 1000)
    with pytest.raises(TooLongError):
        read_bounded(asking(url), most_bytes=999, seconds=30)


def test_a_failure_is_the_callers(unused_port: Callable[[], int]) -> None:
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        read_bounded(asking(f"http://127.0.0.1:{unused_port()}/"), most_bytes=1, seconds=30)


def test_a_late_answer_is_a_timeout(site) -> None:
    async def late(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    with pytest.raises(TimeoutError):
        read_bounded(asking(site.on("/x", late)), most_bytes=1, seconds=0.2)
