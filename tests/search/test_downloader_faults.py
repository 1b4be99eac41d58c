"""Every kind of trouble on the web: refused with its reason, or overcome."""

import asyncio
import gzip
import re
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from yarl import URL

from adc_core.components.context import work_context
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.download.http import client
from adc_plugins_search.download.workers import fetch_loop

Outcome = tuple[str, str] | None


def status(code: int, **headers: str) -> Callable[[], web.Response]:
    return lambda: web.Response(status=code, headers=headers)


def good(body: bytes) -> Callable[[], web.Response]:
    return lambda: web.Response(body=body, content_type="image/jpeg")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (404, "not found"),
        (410, "not found"),
        (401, "denied"),
        (403, "denied"),
        (451, "denied"),
        (204, "denied"),
    ],
)
def test_final_answers_are_not_asked_again(site, outcome_of, code: int, reason: str) -> None:
    url = site.script("/x.jpg", status(code))
    assert outcome_of(url) == (reason, f"HTTP {code}")
    assert Counter(site.paths)["/x.jpg"] == 1


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_passing_errors_are_overcome(site, outcome_of, image_bytes, code: int) -> None:
    url = site.script("/x.jpg", status(code), status(code), good(image_bytes(1)))
    assert outcome_of(url) is None
    assert Counter(site.paths)["/x.jpg"] == 3


def test_lasting_errors_are_given_up(site, outcome_of) -> None:
    url = site.script("/x.jpg", status(500))
    assert outcome_of(url, retries=2) == ("server error", "HTTP 500")
    assert Counter(site.paths)["/x.jpg"] == 3


def test_a_pause_that_is_asked_for_is_kept(site, outcome_of, image_bytes) -> None:
    asked: list[float] = []
    answers = [status(429, **{"Retry-After": "1"}), good(image_bytes(1))]

    async def answer(_: web.Request) -> web.Response:
        asked.append(asyncio.get_running_loop().time())
        return answers[len(asked) - 1]()

    assert outcome_of(site.on("/x.jpg", answer)) is None
    assert asked[1] - asked[0] >= 1


def test_a_pause_that_is_too_long_is_not_waited_for(site, outcome_of) -> None:
    url = site.script("/x.jpg", status(429, **{"Retry-After": "99999"}))
    assert outcome_of(url) == ("server error", "HTTP 429")
    assert Counter(site.paths)["/x.jpg"] == 1


def test_an_answer_that_never_ends_is_cut_by_its_deadline(site, outcome_of) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"\xff")
            await asyncio.sleep(0.05)

    url = site.on("/x.jpg", drip)
    assert outcome_of(url, timeout=0.5, retries=1) == ("too slow", "no answer in time")
    assert Counter(site.paths)["/x.jpg"] == 2


def test_a_server_that_says_nothing_is_too_slow(site, outcome_of) -> None:
    async def silence(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    url = site.on("/x.jpg", silence)
    assert outcome_of(url, read_timeout=0.2, retries=0) == ("too slow", "no answer in time")


def test_a_broken_connection_is_tried_again(site, outcome_of, image_bytes) -> None:
    calls: list[None] = []

    async def hang_up(request: web.Request) -> web.StreamResponse:
        calls.append(None)
        response = web.StreamResponse(headers={"Content-Length": str(len(image_bytes(1)))})
        await response.prepare(request)
        await response.write(image_bytes(1) if len(calls) == 3 else image_bytes(1)[:100])
        if len(calls) < 3:
            assert request.transport
            request.transport.close()
        return response

    assert outcome_of(site.on("/x.jpg", hang_up)) is None
    assert len(calls) == 3


def test_a_host_that_takes_no_connection_is_unreachable(outcome_of, site) -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # nobody accepts them, so no other gets in
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        host = f"127.0.0.1:{full.getsockname()[1]}"
        options = {"connect_timeout": 0.3, "allow_hosts": (site.endpoint, host)}
        refused = outcome_of(f"http://{host}/x.jpg", retries=0, **options)
    assert refused == ("unreachable", "no connection in time")


def test_nobody_listening(site, outcome_of, unused_port) -> None:
    endpoint = f"127.0.0.1:{unused_port()}"
    refused = outcome_of(f"http://{endpoint}/x.jpg", allow_hosts=(site.endpoint, endpoint))
    assert refused == ("unreachable", "no connection")


def test_a_certificate_that_nobody_vouches_for(site, outcome_of) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                    context.wrap_socket(connection, server_side=True).close()
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=shake_hands, daemon=True).start()
        endpoint = f"127.0.0.1:{listener.getsockname()[1]}"
        refused = outcome_of(f"https://{endpoint}/x.jpg", allow_hosts=(site.endpoint, endpoint))
        listener.shutdown(socket.SHUT_RDWR)
    assert refused == ("unreachable", "no valid certificate")


def test_hosts_that_reset_every_connection_are_no_network_that_is_down(
    wide_site, listed, design_of, image_bytes, tmp_path: Path
) -> None:
    async def reset(request: web.Request) -> web.Response:
        linger = struct.pack("ii", 1, 0)  # closing then sends a reset
        request.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )
        request.transport.abort()
        await asyncio.sleep(1)
        raise AssertionError("nobody is there any more")

    async def answer_late(_: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response(body=image_bytes(1))

    wide_site.on("/x.jpg", reset)
    wide_site.on("/good.jpg", answer_late)
    hosts = [f"127.0.0.{n}:{wide_site.port}" for n in range(1, 15)]
    urls = [f"http://{host}/x.jpg" for host in hosts]
    searcher = listed(urls={"cat": tuple(urls), "dog": (f"http://{hosts[0]}/good.jpg",)})
    with work_context(tmp_path / "work"):
        collector = Downloader(
            allow_hosts=hosts,
            max_consecutive_unreachable=12,
            retries=0,
            ignore=["robots"],
            min_side=8,
        )
        assert len(collector.collect(design_of("cat", "dog"), [searcher])) == 1


def test_an_unknown_host_is_not_asked_for_again(outcome_of) -> None:
    reason, detail = outcome_of("http://no-such-host.invalid/x.jpg", retries=0)
    assert reason == "unreachable"
    # Without any name server the resolver cannot tell that the name does not exist.
    assert detail in ("unknown host", "no connection")


@pytest.mark.parametrize("announced", [True, False])
def test_large_bodies_are_cut_while_they_stream(site, outcome_of, announced: bool) -> None:
    sent: list[int] = []

    async def flood(request: web.Request) -> web.StreamResponse:
        size = 50_000_000
        response = web.StreamResponse(headers={"Content-Length": str(size)} if announced else {})
        await response.prepare(request)
        for _ in range(0, size, 100_000):
            await response.write(bytes(100_000))
            sent.append(100_000)
        return response

    refused = outcome_of(site.on("/x.jpg", flood), max_bytes=100_000)
    assert refused == ("too large", "more than 100,000 bytes")
    assert sum(sent) < 50_000_000


def test_the_cap_holds_for_what_is_unpacked(site, outcome_of) -> None:
    packed = gzip.compress(bytes(5_000_000))
    url = site.serve("/x.jpg", packed, **{"Content-Encoding": "gzip"})
    assert outcome_of(url, max_bytes=100_000) == ("too large", "more than 100,000 bytes")


def test_packed_images_are_unpacked(site, outcome_of, image_bytes) -> None:
    packed = gzip.compress(image_bytes(1))
    assert outcome_of(site.serve("/x.jpg", packed, **{"Content-Encoding": "gzip"})) is None


def test_a_pause_that_is_no_time_is_none(site, outcome_of, image_bytes) -> None:
    never = "Mon, 01 Jan 2030 00:00:00 +99999999999999999999"
    url = site.script("/x.jpg", status(429, **{"Retry-After": never}), good(image_bytes(1)))
    assert outcome_of(url) is None


def test_an_error_that_nobody_foresaw_costs_one_image(
    site, outcome_of, image_bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.serve("/x.jpg", image_bytes(1))

    async def fail(session, address: URL, rules):
        if str(address) == url:
            raise KeyError("strange")
        return await client.get(session, address, rules)

    monkeypatch.setattr(fetch_loop, "get", fail)
    said = f"{url} is left out (KeyError: 'strange'): please report this address as a bug in ADC"
    with pytest.warns(UserWarning, match=re.escape(said)):
        assert outcome_of(url) == ("unexpected error", "KeyError: 'strange'")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xfe",
        b"HTTP/1.1 999999 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: \xff=;;;\r\nContent-Length: 9\r\n\r\nshort",
    ],
)
def test_no_server_ends_the_collection(site, outcome_of, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def misbehave() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(10_000)
                    connection.sendall(answer)

        threading.Thread(target=misbehave, daemon=True).start()
        endpoint = f"127.0.0.1:{listener.getsockname()[1]}"
        refused = outcome_of(
            f"http://{endpoint}/x.jpg", retries=1, allow_hosts=(site.endpoint, endpoint)
        )
        listener.shutdown(socket.SHUT_RDWR)
    assert refused == ("server error", "the connection broke")


def test_no_more_at_once_than_allowed(
    site, other_site, listed, design_of, image_bytes, tmp_path: Path
) -> None:
    """Per host and in all; a slow host does not keep the others waiting."""
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def crowded(host: str, body: bytes) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.Response:
            for key in (host, "all"):
                now[key] += 1
                most[key] = max(most[key], now[key])
            await asyncio.sleep(0.2)
            for key in (host, "all"):
                now[key] -= 1
            return web.Response(body=body)

        return answer

    urls = [site.on(f"/{n}.jpg", crowded("one", image_bytes(n))) for n in range(12)]
    urls += [other_site.on(f"/{n}.jpg", crowded("other", image_bytes(50 + n))) for n in range(12)]
    searcher = listed(urls={"cat": tuple(urls)})
    allowed = (site.endpoint, other_site.endpoint)
    with work_context(tmp_path / "work"):
        collector = Downloader(max_connections=5, max_connections_per_host=3, allow_hosts=allowed)
        assert len(collector.collect(design_of("cat", "dog"), [searcher])) == 24
    assert most["one"] <= 3
    assert most["other"] == 3
    assert most["all"] <= 5
