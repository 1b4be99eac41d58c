"""What the largest hosts mean for a collection: how long it must take, and how many it takes."""

from collections import Counter
from collections.abc import Callable, Sequence

from adc_plugins_search.download.fetch_task import FetchTask
from adc_plugins_search.download.outcomes import Outcome, Reason, Refused
from adc_plugins_search.download.workers.protocol import host_queue_of

_LONG = 600.0
"""Seconds from which on it is said before anything is fetched."""


def least_duration(
    hosts: Sequence[tuple[str, int]], interval: float, is_own: Callable[[str], bool]
) -> tuple[float, str, int]:
    """Return how long a collection must take at least, whatever the network and the machine.

    Args:
        hosts: name and number of images of each.
        interval: seconds between two requests to a host that is not your own.
        is_own: tells those that are asked without a pause.

    Returns:
        Seconds, and the host that they are for, with the number of its images.
    """
    others = [(count, host) for host, count in hosts if not is_own(host)]
    if not others:
        return 0.0, "", 0
    count, host = max(others)
    return (count - 1) * interval, host, count


def duration_message(seconds: float, host: str, count: int, interval: float) -> str | None:
    """Say how long it takes at least; None where that is a matter of minutes."""
    if seconds < _LONG:
        return None
    hours = seconds / 3600
    said = f"{hours:.1f} h" if hours >= 1 else f"{seconds / 60:.0f} min"
    return (
        f"this takes at least {said}: {host} has {count:,} of the images, one every "
        f"{interval:g} s; max_images_per_host takes fewer of one host"
    )


class HostShares:
    """Lets a host have so many images, in the order in which they were found.

    Args:
        most: of one host; None for any number.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._counts = Counter[str]()
        self.refused: list[tuple[str, Outcome]] = []

    def judge(self, task: FetchTask) -> Refused | None:
        """Return why a task is too many for its host, if it is; local files are never."""
        if self._most is None or task.root is not None:
            return None
        host = host_queue_of(task, None)
        if self._counts[host] < self._most:
            return None
        detail = f"{host} has more than {self._most:,} images: max_images_per_host"
        return Refused(Reason.HOST_LIMIT, detail, lasting=False)

    def count(self, task: FetchTask, refused: Refused | None) -> None:
        """Count a task that was not there before."""
        if refused is None:
            self._counts[host_queue_of(task, None)] += 1
        else:
            self.refused.append((task.key, refused))
