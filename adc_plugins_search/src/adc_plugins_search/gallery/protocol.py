"""What every search protocol of the gallery has: a catalogue, and searches that are counted."""

from abc import ABC, abstractmethod

from aiohttp import web

from adc_plugins_search.gallery.catalogue import Catalogue


class Protocol(ABC):
    """Answers image searches over a catalogue as one service does.

    Args:
        catalogue: what is searched.
        quota: searches that are answered; later ones meet the service's limit. None: no end.
    """

    def __init__(self, catalogue: Catalogue, quota: int | None = None) -> None:
        self.catalogue = catalogue
        self.quota = quota
        self.calls = 0

    @abstractmethod
    def add_to(self, app: web.Application) -> None:
        """Answer at the service's paths."""

    def spend(self) -> bool:
        """Count a search; whether there was still one to be had."""
        if self.quota is not None and self.calls >= self.quota:
            return False
        self.calls += 1
        return True
