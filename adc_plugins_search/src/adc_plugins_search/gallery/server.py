"""The gallery's web server: search protocols and pictures of one catalogue, in a thread."""

import asyncio
import errno
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from adc_core.errors import InputError, WorkError
from adc_plugins_search.gallery.bing_protocol import BingProtocol
from adc_plugins_search.gallery.brave_protocol import BraveProtocol
from adc_plugins_search.gallery.catalogue import Catalogue
from adc_plugins_search.gallery.export import export_answers
from adc_plugins_search.gallery.google_protocol import PATH, GoogleProtocol
from adc_plugins_search.gallery.openverse_protocol import OpenverseProtocol
from adc_plugins_search.gallery.searxng_protocol import SearxngProtocol
from adc_plugins_search.gallery.wikimedia_protocol import WikimediaProtocol


class GalleryServer:
    """Serves a catalogue while a `with` block runs.

    Args:
        catalogue: what is shown.
        host: address to listen on.
        port: port to listen on; 0 for any that is free.
        quota: searches that each protocol answers before its quota is used up; None: no end.
        slow_seconds: how long a slow picture takes.

    Raises:
        InputError: the port is taken, or the address is not this machine's.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        quota: int | None = None,
        slow_seconds: float = 1.0,
    ) -> None:
        self.catalogue = catalogue
        self.host = host
        self.port = port
        self.google = GoogleProtocol(catalogue, quota)
        self.openverse = OpenverseProtocol(catalogue, quota)
        self.wikimedia = WikimediaProtocol(catalogue, quota)
        self.brave = BraveProtocol(catalogue, quota)
        self.bing = BingProtocol(catalogue, quota)
        self.searxng = SearxngProtocol(catalogue, quota)
        self._offers = {offer.path: offer for offer in catalogue.offers}
        self._slow_seconds = slow_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gallery", daemon=True)

    @property
    def url(self) -> str:
        """The address of the gallery, without a slash at the end."""
        return f"http://{self.endpoint}"

    @property
    def endpoint(self) -> str:
        """Host and port, as the downloader's `allow_hosts` wants them."""
        return f"{self.host}:{self.port}"

    @property
    def search_url(self) -> str:
        """What to give the `google` searcher as `base_url`."""
        return self.url + PATH

    def export(self, folder: Path) -> None:
        """Write `truth.csv` and `test/`; see `export_answers`."""
        export_answers(self.catalogue, self.url, folder)

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
        ):
            protocol.add_to(app)
        app.router.add_get("/{path:.+}", self._picture)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]

    async def _picture(self, request: web.Request) -> web.Response:
        offer = self._offers.get(request.match_info["path"])
        if offer is None or offer.condition == "gone":
            raise web.HTTPNotFound
        if offer.condition == "slow":
            await asyncio.sleep(self._slow_seconds)
        return web.Response(body=self.catalogue.content(offer), content_type=offer.mime)


def _cannot_listen(error: OSError, host: str, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return InputError(f"port {port} is taken: stop what uses it, or choose another with --port")
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return InputError(f"{host} is no address of this machine: leave --host out, or correct it")
    return WorkError(f"{host}:{port} cannot be listened on: {error.strerror}")
