"""How fast one host may be asked: a pause between starts, a bandwidth, and less after complaints.

Pure bookkeeping on times that the caller gives: nothing here sleeps or asks a clock.
"""

from dataclasses import dataclass

_SLOWER = 2.0
_FASTER = 0.9
_FIRST_INTERVAL = 1.0
"""Seconds between starts after the first complaint of a host that was not paced at all."""
_MAX_INTERVAL = 60.0
_MIN_INTERVAL = 0.05
"""Less than this is none."""


@dataclass(frozen=True)
class HostRules:
    """What a host asks of everybody, as published.

    Attributes:
        connections: requests at the same time.
        megabits: per second, of bodies.
    """

    connections: int
    megabits: float


KNOWN_HOSTS = {"upload.wikimedia.org": HostRules(connections=2, megabits=25)}
"""Wikimedia's robot policy for media: two connections and 25 Mbit/s in all."""


class RateLimiter:
    """When the next request to one host may start.

    Args:
        interval: seconds between two starts, at least.
        megabits: per second that may be taken; None for as many as come.
    """

    def __init__(self, interval: float, megabits: float | None = None) -> None:
        self._base = interval
        self._interval = interval
        self._bytes_per_second = None if megabits is None else megabits * 1e6 / 8
        self._next = 0.0
        self._paused_until = 0.0

    @property
    def interval(self) -> float:
        """Seconds between two starts at present."""
        return self._interval

    @property
    def is_throttled(self) -> bool:
        """Whether the host has complained, and so is asked less often than it might be."""
        return self._interval > self._base

    def reserve(self, now: float) -> float:
        """Take the next place; gives the seconds to wait for it."""
        at = max(now, self._next)
        self._next = at + self._interval
        return at - now

    def set_min_interval(self, interval: float) -> None:
        """Leave more time between starts from now on, as the host's robots.txt wishes."""
        self._base = max(self._base, interval)
        if self._base > self._interval:
            self._next += self._base - self._interval
            self._interval = self._base

    def pause_until(self, time: float) -> None:
        """Start nothing before a time, not even what has a place already."""
        self._paused_until = max(self._paused_until, time)

    def pause_left(self, now: float) -> float:
        """Return seconds for which the host wants to be left alone from now on."""
        return max(0.0, self._paused_until - now)

    def is_idle(self, now: float) -> bool:
        """Tell whether nothing needs to be remembered of the host but its rules."""
        return now >= max(self._next, self._paused_until) and self._interval <= self._base

    def record_response(self, size: int, now: float) -> None:
        """Note a body of some bytes, and that the host is content."""
        faster = self._interval * _FASTER
        self._interval = max(self._base, faster if faster > _MIN_INTERVAL else 0.0)
        if self._bytes_per_second:
            self._next = max(self._next, now) + size / self._bytes_per_second

    def on_throttled(self) -> None:
        """Slow down, for the host has answered 429 or 503."""
        self._interval = min(max(_SLOWER * self._interval, _FIRST_INTERVAL), _MAX_INTERVAL)
