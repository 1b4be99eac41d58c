"""A real web server whose answers a test scripts, and a searcher that offers what a test lists."""

import asyncio
import io
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from aiohttp import web
from dripping_server import dripping_server
from PIL import Image

from adc_core.components.context import work_context
from adc_core.components.interfaces import Searcher
from adc_core.records.design import Design, Hit, Page, Query
from adc_endpoint import keys
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.download.outcomes import Stored

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Web:
    """A web server on loopback. `paths` holds every request's path, in order of arrival.

    There is no robots.txt unless a test serves one, and who asks for it in vain is not noted.

    Args:
        address: to listen on; `0.0.0.0` makes every 127.x.y.z a host of its own.
    """

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._address = address
        self.paths: list[str] = []
        self.headers: list[Any] = []
        self._handlers: dict[str, Handler] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> "Web":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._dispatch)
        app.router.add_post("/{path:.*}", self._dispatch)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._open(0)
        self.port = self._runner.addresses[0][1]

    async def _open(self, port: int) -> None:
        self._site = web.TCPSite(self._runner, self._address, port)
        await self._site.start()

    async def close(self) -> None:
        """Take no more connections; called from a handler."""
        if self._site in self._runner.sites:
            await self._site.stop()

    def reopen(self) -> None:
        """Take connections again, at the same port."""
        asyncio.run_coroutine_threadsafe(self._open(self.port), self._loop).result()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await asyncio.sleep(0)  # transports close in the loop's next round

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.endpoint}{path}"

    def serve(self, path: str, body: bytes, mime: str = "image/jpeg", **headers: str) -> str:
        """Answer a path with some bytes; returns its URL."""

        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, content_type=mime, headers=headers)

        return self.on(path, answer)

    def script(self, path: str, *answers: Callable[[], web.Response]) -> str:
        """Answer a path with one response after the other, the last one for ever."""
        left = list(answers)

        async def answer(_: web.Request) -> web.Response:
            return (left.pop(0) if len(left) > 1 else left[0])()

        return self.on(path, answer)

    def redirect(self, path: str, target: str, code: int = 302) -> str:
        """Send whoever asks for a path elsewhere."""
        return self.script(path, lambda: web.Response(status=code, headers={"Location": target}))

    def on(self, path: str, handler: Handler) -> str:
        self._handlers[path] = handler
        return self.url(path)

    def post(self, path: str, handler: Handler) -> str:
        """Answer what is posted to a path; kept apart from what is asked for there."""
        self._handlers[f"POST {path}"] = handler
        return self.url(path)

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        key = request.path if request.method == "GET" else f"{request.method} {request.path}"
        if key not in self._handlers and key == "/robots.txt":
            raise web.HTTPNotFound
        self.paths.append(request.path)
        self.headers.append(request.headers)
        if key not in self._handlers:
            raise web.HTTPNotFound
        return await self._handlers[key](request)


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch):
    """A key such as `wrong` of one test must not be blotted out of what another one reads."""
    monkeypatch.setattr(keys, "_secrets", set())


@pytest.fixture
def site() -> Iterator[Web]:
    server = Web().start()
    yield server
    server.stop()


@pytest.fixture
def other_site() -> Iterator[Web]:
    server = Web().start()
    yield server
    server.stop()


@pytest.fixture
def wide_site() -> Iterator[Web]:
    """A site that answers at every address of loopback."""
    server = Web("0.0.0.0").start()
    yield server
    server.stop()


class Listed(Searcher):
    """Offers the addresses that a test lists for each query, some per page."""

    urls: dict[str, tuple[str, ...]]
    per_page: int = 10

    def page(self, query: Query, cursor: str | None = None) -> Page:
        urls = self.urls.get(query.text, ())
        start = int(cursor or 0)
        stop = start + self.per_page
        return Page(
            hits=tuple(
                Hit(url=url, query=query, engine="listed", rank=rank)
                for rank, url in enumerate(urls[start:stop], start + 1)
            ),
            cursor=str(stop) if stop < len(urls) else None,
        )


@pytest.fixture(scope="session")
def listed() -> type[Listed]:
    return Listed


def _design(*classes: str, samples: int = 100) -> Design:
    return Design(
        classes=classes,
        queries=tuple(Query(text=name, class_name=name) for name in classes),
        samples_per_query=samples,
    )


@pytest.fixture(scope="session")
def design_of() -> Callable[..., Design]:
    """A design with one query per class, whose text is the class."""
    return _design


def _image_bytes(seed: int, size: tuple[int, int] = (64, 48), kind: str = "JPEG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    image = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="session")
def image_bytes() -> Callable[..., bytes]:
    """The bytes of an image of coloured tiles; every seed gives another one."""
    return _image_bytes


@pytest.fixture(scope="session")
def unused_port() -> Callable[[], int]:
    """A port that nothing listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    return find


@pytest.fixture(scope="session")
def dripping() -> Callable[[bytes], AbstractContextManager[str]]:
    """The endpoint of a server that sends a start, and then a byte now and then, for ever."""
    return dripping_server


@pytest.fixture
def outcome_of(
    tmp_path: Path, site, listed, design_of, image_bytes
) -> Callable[..., tuple[str, str] | None]:
    """Reason and detail with which one address is refused, None where it is kept."""

    def run(url: str, **options: Any) -> tuple[str, str] | None:
        good = site.serve("/good.jpg", image_bytes(1000))
        options = {
            "allow_hosts": (site.endpoint,),
            "backoff": 0.01,
            "min_side": 8,
            "contact": "tests@example.org",
        } | options
        searcher = listed(urls={"cat": (url,), "dog": (good,)})
        with work_context(tmp_path / "work"):
            dataset = Downloader(**options).collect(design_of("cat", "dog"), [searcher])
        rows = pq.read_table(tmp_path / "work/refused.parquet").to_pylist()
        if not rows:
            assert len(dataset) == 2
            return None
        (row,) = rows
        reason, detail = row.pop("reason"), row.pop("detail")
        assert row == {"url": url, "class": "cat", "engine": "listed", "query": "cat"}
        return reason, detail

    return run


@pytest.fixture(scope="session")
def stored() -> Callable[[int], Stored]:
    """What is known of a stored image, by its number."""

    def make(number: int) -> Stored:
        return Stored(
            final_url=f"https://end.example/{number}",
            width=9,
            height=8,
            format="PNG",
            mode="P",
            size=7,
            sha256=f"{number + 100:064x}",
            stored_size=6,
            stored_sha256=f"{number + 256:0<64x}",  # most of its bytes are zero
            perceptual=(0x0123456789ABCDEF * (number + 1)) % (1 << 64),
            offset=512 * number,
            shard=f"{number % 2}.tar",
        )

    return make
