"""What a gallery shows: images with known labels, the offers for a query, and the test set."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from adc_plugins_rehearse.conditions import Condition

SUFFIX_OF = {"image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True)
class Offer:
    """One image address that the gallery's search engine knows.

    Attributes:
        path: the address below the gallery's root, without a leading slash.
        title: what the search engine says of it.
        label: the class that the image truly shows.
        mime: what kind of file it is.
        size: width and height, in pixels.
        condition: how the server answers when asked for it.
        attributes: what else is true of the image, by name.
    """

    path: str
    title: str
    label: str
    mime: str
    size: tuple[int, int]
    condition: Condition = "good"
    attributes: Mapping[str, str] = field(default_factory=dict)


class Catalog(ABC):
    """Images whose true labels are known, and what a search engine would say of them.

    A catalog may be larger than memory: offers are found one by one, and what they show is
    computed when it is asked for. The methods may be called from several threads.
    """

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of what else is known of every image."""
        return ()

    @abstractmethod
    def offers(self) -> Iterator[Offer]:
        """Return every offer that the truth is written of; paths are distinct."""

    @abstractmethod
    def find(self, path: str) -> Offer | None:
        """Return the offer with an address; None where there is none."""

    @abstractmethod
    def search(self, text: str) -> Sequence[Offer]:
        """Return the offers for a query, best first."""

    @abstractmethod
    def content(self, offer: Offer) -> bytes:
        """Return the whole file behind an offer, whatever its condition; the same every time."""

    @abstractmethod
    def test_images(self) -> Iterator[tuple[str, str, bytes]]:
        """Return class, file name and bytes of each image that no offer shows."""
