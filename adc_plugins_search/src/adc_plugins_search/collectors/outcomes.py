"""What can become of a hit: an image in a file, or a refusal with a reason."""

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


@dataclass(frozen=True)
class Refused:
    """The hit is not used.

    Attributes:
        reason: one of the closed list.
        detail: what exactly was met.
    """

    reason: Reason
    detail: str


@dataclass(frozen=True)
class Stored:
    """The image lies in its file.

    Attributes:
        width: of the picture as it was found, upright, in pixels.
        height: of the picture as it was found, upright, in pixels.
        size: of the file as it was found, in bytes.
        sha256: of the file as it was found.
        stored_sha256: of the file as it was stored.
    """

    width: int
    height: int
    size: int
    sha256: str
    stored_sha256: str


Outcome = Stored | Refused


class RefusedError(Exception):
    """Raised where a hit turns out to be of no use."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.refused = Refused(reason, detail)


class PassingError(Exception):
    """Raised where a hit cannot be had now, and perhaps later.

    Attributes:
        refused: what becomes of it where every attempt ends so.
        pause: seconds for which the server wants to be left alone, if it says so.
    """

    def __init__(self, reason: Reason, detail: str, pause: float | None = None) -> None:
        super().__init__(detail)
        self.refused = Refused(reason, detail)
        self.pause = pause
