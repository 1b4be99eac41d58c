"""What every search protocol of the gallery has: a catalog, and searches that are counted."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from zlib import crc32

from aiohttp import web

from adc_plugins_rehearse.catalog import Catalog, Offer


class Protocol(ABC):
    """Answers image searches over a catalog as one service does.

    Args:
        catalog: what is searched.
        quota: searches that are answered; later ones meet the service's limit. None: no end.
        hosts: hosts of the images; without any it is the one that was asked.
    """

    def __init__(
        self, catalog: Catalog, quota: int | None = None, hosts: Sequence[str] = ()
    ) -> None:
        self.catalog = catalog
        self.quota = quota
        self.calls = 0
        self._hosts = hosts

    @abstractmethod
    def add_to(self, app: web.Application) -> None:
        """Answer at the service's paths."""

    def spend(self) -> bool:
        """Count a search; whether there was still one to be had."""
        if self.quota is not None and self.calls >= self.quota:
            return False
        self.calls += 1
        return True

    def root(self, request: web.Request, offer: Offer) -> str:
        """Return the address of the host that has an offer's image, with a slash at the end."""
        if not self._hosts:
            return f"{request.scheme}://{request.host}/"
        host = host_of(offer.path, self._hosts)
        return f"{request.scheme}://{host}:{request.url.port}/"


def host_of(path: str, hosts: Sequence[str]) -> str:
    """Return which of the hosts has the image with a path; always the same one."""
    return hosts[crc32(path.encode()) % len(hosts)]
