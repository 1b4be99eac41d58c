"""The gallery's web server: search protocols and images of one catalog, in a thread."""

import asyncio
import errno
import ipaddress
import socket
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from adc_core import InputError, WorkError
from adc_plugins_rehearse.catalog import Catalog, Offer
from adc_plugins_rehearse.conditions import MOVED, FaultInjector, moved, robots
from adc_plugins_rehearse.export import export_answers
from adc_plugins_rehearse.protocols.bing import BingProtocol
from adc_plugins_rehearse.protocols.brave import BraveProtocol
from adc_plugins_rehearse.protocols.google import PATH, GoogleProtocol
from adc_plugins_rehearse.protocols.openverse import OpenverseProtocol
from adc_plugins_rehearse.protocols.protocol import Protocol, host_of
from adc_plugins_rehearse.protocols.searxng import SearxngProtocol
from adc_plugins_rehearse.protocols.wikimedia import WikimediaProtocol

_MAX_HOSTS = 254


class GalleryServer:
    """Serves a catalog while a `with` block runs.

    Args:
        catalog: what is shown.
        host: address to listen on.
        port: port to listen on; 0 for any that is free.
        hosts: addresses from `host` upwards that the images are spread over, at most 254.
        quota: searches that each protocol answers before its quota is used up; None: no end.
        slow_seconds: how long a slow image takes.
        drip_seconds: how long each byte takes of an image that drips.
        protocols: further ones to answer in, beside the six that it knows.

    Raises:
        InputError: the port is taken, an address is not this machine's, or there are too many.
    """

    def __init__(
        self,
        catalog: Catalog,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        hosts: int = 1,
        quota: int | None = None,
        slow_seconds: float = 1.0,
        drip_seconds: float = 1.0,
        protocols: Sequence[type[Protocol]] = (),
    ) -> None:
        self.catalog = catalog
        self.host = host
        self.port = port
        self.hosts = _hosts_from(host, hosts)
        shown = self.hosts if hosts > 1 else ()
        self.google = GoogleProtocol(catalog, quota, shown)
        self.openverse = OpenverseProtocol(catalog, quota, shown)
        self.wikimedia = WikimediaProtocol(catalog, quota, shown)
        self.brave = BraveProtocol(catalog, quota, shown)
        self.bing = BingProtocol(catalog, quota, shown)
        self.searxng = SearxngProtocol(catalog, quota, shown)
        self._further = [protocol(catalog, quota, shown) for protocol in protocols]
        self._fault_injector = FaultInjector(slow_seconds, drip_seconds)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gallery", daemon=True)

    @property
    def url(self) -> str:
        """The address of the gallery, without a slash at the end."""
        return f"http://{self.endpoint}"

    @property
    def endpoint(self) -> str:
        """Host and port of the searches, as the downloader's `allow_hosts` wants them."""
        return f"{self.host}:{self.port}"

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Host and port of every host that images come from, for the same."""
        return tuple(f"{host}:{self.port}" for host in self.hosts)

    def url_of(self, offer: Offer) -> str:
        """Return the address of an offer's image."""
        return f"http://{host_of(offer.path, self.hosts)}:{self.port}/{offer.path}"

    @property
    def search_url(self) -> str:
        """What to give the `google` searcher as `base_url`."""
        return self.url + PATH

    def export(self, folder: Path) -> None:
        """Write `truth.csv` and `test/`; see `export_answers`."""
        export_answers(self.catalog, self.url_of, folder)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        except OSError as error:
            self._stop_thread()
            raise _cannot_listen(error, self.host, self.port) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._stop_thread()

    def _stop_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        for protocol in (
            self.google,
            self.openverse,
            self.wikimedia,
            self.brave,
            self.bing,
            self.searxng,
            *self._further,
        ):
            protocol.add_to(app)
        app.router.add_get("/robots.txt", robots)
        app.router.add_get(rf"/{MOVED}/{{left:\d}}/{{path:.+}}", self._moved)
        app.router.add_get("/{path:.+}", self._image)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            for host in self.hosts:
                await web.TCPSite(self._runner, host, self.port).start()
                self.port = self._runner.addresses[0][1]
        except OSError:
            await self._runner.cleanup()
            raise

    async def _image(self, request: web.Request) -> web.StreamResponse:
        offer = self.catalog.find(request.match_info["path"])
        if offer is None:
            raise web.HTTPNotFound
        content = partial(self._content, offer)
        return await self._fault_injector.answer(
            request, offer.condition, offer.mime, offer.title, content
        )

    async def _moved(self, request: web.Request) -> web.StreamResponse:
        path, redirect = moved(request)
        offer = self.catalog.find(path)
        if offer is None:
            raise web.HTTPNotFound
        return redirect or web.Response(body=await self._content(offer), content_type=offer.mime)

    async def _content(self, offer: Offer) -> bytes:
        # Images are drawn beside the loop, which goes on answering.
        return await asyncio.to_thread(self.catalog.content, offer)


def _hosts_from(first: str, count: int) -> tuple[str, ...]:
    if count == 1:
        return (first,)
    if not 1 <= count <= _MAX_HOSTS:
        raise InputError(f"hosts must be in 1…{_MAX_HOSTS}")
    try:
        address = ipaddress.IPv4Address(first)
    except ValueError:
        raise InputError(
            f"{first} is no number from which {count} hosts follow: use 127.0.0.1"
        ) from None
    return tuple(str(address + number) for number in range(count))


def _cannot_listen(error: OSError, host: str, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return InputError(f"port {port} is taken: stop what uses it, or choose another with --port")
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return InputError(f"{host} is no address of this machine: leave --host out, or correct it")
    return WorkError(f"{host}:{port} cannot be listened on: {error.strerror}")
