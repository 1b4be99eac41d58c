"""One address to fetch, as every part of the downloader passes it on."""

from dataclasses import dataclass
from pathlib import Path

KEY_LENGTH = 20


@dataclass(frozen=True, slots=True)
class FetchTask:
    """One address to fetch.

    Attributes:
        url: the address in its canonical form.
        key: the id of its sample, and the name of its image within a shard.
        root: the folder from which a `file:` address may be read; None for web addresses.
    """

    url: str
    key: str
    root: Path | None = None
