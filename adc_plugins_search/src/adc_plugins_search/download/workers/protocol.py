"""The messages between the supervisor and its workers; images are never sent."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from yarl import URL

from adc_plugins_search.download.fetch_task import FetchTask
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.images.verify import ImageRules
from adc_plugins_search.download.outcomes import Refused, Stored


@dataclass(frozen=True)
class Job:
    """The settings of one worker, sent before its first task.

    Attributes:
        index: its number, from 0.
        n_workers: how many workers there are.
        folder: where its shards go.
        shard_size: images in a full shard.
        image_rules: what an image must be, and how it is stored.
        rules: how to fetch.
    """

    index: int
    n_workers: int
    folder: Path
    shard_size: int
    image_rules: ImageRules
    rules: FetchRules

    @property
    def max_requests(self) -> int:
        """This worker's share of the simultaneous requests."""
        each, rest = divmod(self.rules.max_connections, self.n_workers)
        return max(1, each + (self.index < rest))

    @property
    def marker(self) -> Path:
        """The file that names the image being decoded, read if the worker dies."""
        return self.folder / f"decoding-{self.index}.part"


@dataclass(slots=True)
class FetchAttempt:
    """A task under way.

    Attributes:
        task: what is to be fetched.
        redirected_to: where a redirect has led; None at the start.
        redirects: how many so far.
        failures: errors so far.
    """

    task: FetchTask
    redirected_to: URL | None = None
    redirects: int = 0
    failures: int = 0


@dataclass(frozen=True)
class TaskStored:
    """An image is in the open shard."""

    key: str


@dataclass(frozen=True)
class TaskFailed:
    """A task has ended without an image."""

    key: str
    refused: Refused


@dataclass(frozen=True)
class TaskRedirected:
    """A redirect leads to a host that another worker serves."""

    attempt: FetchAttempt


@dataclass(frozen=True)
class ShardClosed:
    """A shard is complete and awaits its name."""

    part: Path
    stored: dict[str, Stored]


@dataclass(frozen=True)
class WorkerExited:
    """The worker has closed its last shard; `error` says why if it was not asked to."""

    error: BaseException | None = None


Event = TaskStored | TaskFailed | TaskRedirected | ShardClosed | WorkerExited


def host_queue_of(task: FetchTask, redirected_to: URL | None) -> str:
    """Return the name of the queue in which an attempt waits: its host, so that limits hold.

    That is the host as written, not its registrable domain, which would need a list of public
    suffixes that is kept up to date.
    """
    if task.root is not None:
        return f"file {crc32(task.key.encode()) & 255}"  # a disk needs no limits
    return (
        _host_of(task.url)
        if redirected_to is None
        else f"{redirected_to.host}:{redirected_to.port}"
    )


@lru_cache(1024)  # an attempt is sent, ends and is counted within a short time
def _host_of(url: str) -> str:
    address = URL(url)
    return f"{address.host}:{address.port}"


def worker_index_of(host_queue: str, n_workers: int) -> int:
    """Return the worker that serves a host, so that limits per host hold inside one process."""
    return crc32(host_queue.encode()) % n_workers
