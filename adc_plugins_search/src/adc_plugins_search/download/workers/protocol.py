"""What the coordinator and its workers tell each other; pictures are never among it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from yarl import URL

from adc_plugins_search.download.fetch_task import Errand
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.images.verify import PictureRules
from adc_plugins_search.download.outcomes import Refused, Stored


@dataclass(frozen=True)
class Job:
    """What one worker must know before its first errand.

    Attributes:
        slot: its number, from 0.
        slots: how many workers there are.
        folder: where its shards go.
        shard_size: pictures in a full shard.
        pictures: what a picture must be, and how it is stored.
        rules: how to fetch.
    """

    slot: int
    slots: int
    folder: Path
    shard_size: int
    pictures: PictureRules
    rules: FetchRules

    @property
    def share(self) -> int:
        """How many of the requests at the same time are this worker's."""
        each, rest = divmod(self.rules.workers, self.slots)
        return max(1, each + (self.slot < rest))

    @property
    def marker(self) -> Path:
        """The file that names the picture being decoded, for who finds the worker dead."""
        return self.folder / f"decoding-{self.slot}.part"


@dataclass(slots=True)
class Trip:
    """An errand under way.

    Attributes:
        errand: what is to be fetched.
        at: where a redirect has led, None at the start.
        hops: redirects so far.
        attempts: errors so far.
    """

    errand: Errand
    at: URL | None = None
    hops: int = 0
    attempts: int = 0


@dataclass(frozen=True)
class Gained:
    """A picture lies in an open shard."""

    key: str


@dataclass(frozen=True)
class Lost:
    """An errand has ended without a picture."""

    key: str
    refused: Refused


@dataclass(frozen=True)
class Moved:
    """A redirect has led to a host that is another worker's."""

    trip: Trip


@dataclass(frozen=True)
class Sealed:
    """A shard is whole; it waits for its name."""

    part: Path
    stored: dict[str, Stored]


@dataclass(frozen=True)
class Ended:
    """The worker has sealed its last shard, and why if that was not asked for."""

    error: BaseException | None = None


Event = Gained | Lost | Moved | Sealed | Ended


def line_of(errand: Errand, at: URL | None) -> str:
    """The name of the queue in which a trip waits: its host, so that limits per host can hold.

    The host as it is written, not its registrable domain: which endings belong to a registry is a
    list that would have to be kept up to date.
    """
    if errand.root is not None:
        return f"file {crc32(errand.key.encode()) & 255}"  # a disk needs no manners
    return _host_of(errand.url) if at is None else f"{at.host}:{at.port}"


@lru_cache(1024)  # a trip is sent, ends and is counted soon after
def _host_of(url: str) -> str:
    address = URL(url)
    return f"{address.host}:{address.port}"


def slot_of(line: str, slots: int) -> int:
    """The worker that serves a queue; limits per host then hold inside one process."""
    return crc32(line.encode()) % slots
