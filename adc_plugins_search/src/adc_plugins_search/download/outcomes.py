"""What is fetched and what can become of it: an image in a shard, or a refusal with a reason."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a hit is not in the dataset; a closed list, so that reports can count."""

    FORBIDDEN = "forbidden address"
    NOT_FOUND = "not found"
    DENIED = "denied"
    SERVER_ERROR = "server error"
    UNREACHABLE = "unreachable"
    TOO_SLOW = "too slow"
    TOO_LARGE = "too large"
    REDIRECTS = "too many redirects"
    NOT_AN_IMAGE = "not an image"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too many pixels"
    TOO_SMALL = "too small"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near duplicate"
    ROBOTS = "robots.txt"
    OPTED_OUT = "opted out"
    LICENSE = "license"
    CRASHED = "crashed the decoder"
    ERROR = "unexpected error"
    GIVEN_UP = "host given up"
    HOST_LIMIT = "host limit"


@dataclass(frozen=True, slots=True)
class Refused:
    """The hit is not used.

    Attributes:
        reason: one of the closed list.
        detail: what exactly was met.
        lasting: whether it is so for good; else the next collection asks for the hit again.
    """

    reason: Reason
    detail: str
    lasting: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """The image is in a shard.

    Attributes:
        final_url: the address that answered, after redirects.
        width: of the image as it was found, upright, in pixels.
        height: of the image as it was found, upright, in pixels.
        format: of the file as it was found: `JPEG`, `PNG`, …
        mode: of its pixels as they were found, in Pillow's words: `RGB`, `CMYK`, `P`, …
        size: of the file as it was found, in bytes.
        sha256: of the file as it was found.
        stored_size: of the file as it was stored, in bytes.
        stored_sha256: of the file as it was stored.
        perceptual: 64 bits that images which are nearly the same share, nearly.
        signals: what its server and its file say of its use, where that did not stop it.
        offset: its first byte within the shard.
        shard: the shard's file name.
    """

    final_url: str
    width: int
    height: int
    format: str
    mode: str
    size: int
    sha256: str
    stored_size: int
    stored_sha256: str
    perceptual: int
    signals: str = ""
    offset: int = 0
    shard: str = ""


Outcome = Stored | Refused


class RefusedError(Exception):
    """Raised where a hit turns out to be of no use."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.refused = Refused(reason, detail)


class TransientError(Exception):
    """Raised where a hit cannot be had now, and perhaps later.

    Attributes:
        refused: what becomes of it where every attempt ends so.
        retry_after: seconds after which the server wants to be asked again, if it says so.
        throttled: whether the server says that it gets too many requests.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        retry_after: float | None = None,
        *,
        throttled: bool = False,
        lasting: bool = True,
    ) -> None:
        super().__init__(detail)
        self.refused = Refused(reason, detail, lasting and not throttled)
        self.retry_after = retry_after
        self.throttled = throttled
