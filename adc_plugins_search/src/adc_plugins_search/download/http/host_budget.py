"""What one host may cost before it is given up.

Pure bookkeeping on times that the caller gives: nothing here sleeps or asks a clock.
"""

from adc_plugins_search.download.outcomes import Reason, Refused

MAX_LOST_IMAGES = 10
"""Images in a row that a host may fail to give."""

HOST_REASONS = frozenset({Reason.GIVEN_UP, Reason.UNREACHABLE})
"""Why the images of a host that was given up are refused."""


class HostBudget:
    """Images and seconds that a host has cost since its last good answer.

    Time in which several requests failed, or waited, counts once; time in which an image waited for
    its turn does not count.

    Args:
        host: its name and port.
        max_seconds: that may be lost to it in a row.
        min_attempts: that it gets, however long they take.

    Attributes:
        refused: what becomes of its images, once it is given up.
    """

    def __init__(self, host: str, max_seconds: float, min_attempts: int) -> None:
        self.refused: Refused | None = None
        self._host = host
        self._max_seconds = max_seconds
        self._min_attempts = min_attempts
        self.on_answer()

    def on_answer(self) -> None:
        """Reset the budget after a good answer, unless the host was given up."""
        self._images = 0
        self._attempts = 0
        self._seconds = 0.0
        self._until = 0.0

    def add_time(self, start: float, end: float) -> None:
        """Count the time in which a request failed, or waited as the host asked."""
        self._seconds += max(0.0, end - max(start, self._until))
        self._until = max(self._until, end)

    def on_failure(self, why: Refused, *, for_good: bool) -> None:
        """Count a failed attempt, whose time was added already.

        Args:
            why: what was met.
            for_good: whether it was the image's last.
        """
        self._attempts += 1
        self._images += for_good
        slow = self._attempts >= self._min_attempts and self._seconds > self._max_seconds
        if slow or self._images >= MAX_LOST_IMAGES:
            self._give_up(why)

    def _give_up(self, why: Refused) -> None:
        # The network monitor must see what cannot be reached.
        reason = Reason.UNREACHABLE if why.reason is Reason.UNREACHABLE else Reason.GIVEN_UP
        detail = f"{self._host} was given up: {why.detail}"
        self.refused = self.refused or Refused(reason, detail, lasting=False)
