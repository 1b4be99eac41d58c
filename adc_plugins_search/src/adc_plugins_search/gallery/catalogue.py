"""What a gallery shows: pictures with known labels, the offers for a query, and the test set."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Condition = Literal["good", "slow", "broken", "page", "gone"]
"""How an offer answers: well, late, with a damaged file, with an HTML page, or not at all."""

SUFFIX_OF = {"image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True)
class Offer:
    """One image address that the gallery's search engine knows.

    Attributes:
        path: the address below the gallery's root, without a leading slash.
        title: what the search engine says of it.
        label: the class that the picture truly shows.
        mime: what the server says that the file is.
        size: width and height, in pixels.
        condition: how the server answers when asked for it.
    """

    path: str
    title: str
    label: str
    mime: str
    size: tuple[int, int]
    condition: Condition = "good"


class Catalogue(ABC):
    """Pictures whose true labels are known, and what a search engine would say of them."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""

    @property
    @abstractmethod
    def offers(self) -> tuple[Offer, ...]:
        """Every offer; paths are distinct."""

    @abstractmethod
    def search(self, text: str) -> tuple[Offer, ...]:
        """The offers for a query, best first."""

    @abstractmethod
    def content(self, offer: Offer) -> bytes:
        """The bytes behind an offer; the same every time."""

    @abstractmethod
    def test_pictures(self) -> Iterator[tuple[str, str, bytes]]:
        """Class, file name and bytes of each picture that no offer shows."""
