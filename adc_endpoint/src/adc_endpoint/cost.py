"""What answers cost, and how many may be asked for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Prices:
    """The prices of tokens, in any currency; None where unknown.

    Attributes:
        per_million_in: of a million tokens of prompts.
        per_million_out: of a million tokens of answers.
    """

    per_million_in: float | None = None
    per_million_out: float | None = None

    @property
    def known(self) -> bool:
        """Whether both are."""
        return self.per_million_in is not None and self.per_million_out is not None

    def cost(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """Return the cost of an answer; None where a price or a number of tokens is unknown."""
        if None in (self.per_million_in, self.per_million_out, tokens_in, tokens_out):
            return None
        return (
            (tokens_in or 0) * (self.per_million_in or 0)
            + (tokens_out or 0) * (self.per_million_out or 0)
        ) / 1e6


UNKNOWN_PRICES = Prices()


class SpentError(Exception):
    """A budget is spent: no further request may begin."""


class Budget:
    """What may still be asked, by all threads together: so many requests, for so much money.

    A request may begin where, with all that are under way costing as much as the mean so far, the
    sum would stay within `max_cost`; so that the last ones overrun it by no more than they differ
    from the mean. Requests whose tokens nobody told count as requests, and cost nothing.

    Args:
        max_cost: in the currency of the prices; None for any.
        max_requests: None for any number.
    """

    def __init__(self, max_cost: float | None = None, max_requests: int | None = None) -> None:
        self._max_cost = max_cost
        self._max_requests = max_requests
        self._lock = threading.Lock()
        self._started = 0
        self._ended = 0
        self._told = 0
        self.spent = 0.0
        self.exhausted = False

    @property
    def requests(self) -> int:
        """How many have begun."""
        return self._started

    @property
    def mean(self) -> float:
        """Mean cost of a request whose tokens were told; zero before the first."""
        return self.spent / self._told if self._told else 0.0

    def begin(self) -> None:
        """Count a request that begins.

        Raises:
            SpentError: it may not.
        """
        with self._lock:
            under_way = self._started - self._ended
            ahead = self.spent + (under_way + 1) * self.mean
            if (self._max_cost is not None and ahead > self._max_cost) or (
                self._max_requests is not None and self._started >= self._max_requests
            ):
                self.exhausted = True
                raise SpentError
            self._started += 1

    @contextmanager
    def paying(self) -> Iterator[Callable[[float | None], None]]:
        """Count a request from its beginning to its end, whatever it comes to.

        Yields:
            What is to be told its cost, once that is known.

        Raises:
            SpentError: it may not begin.
        """
        costs: list[float | None] = [None]
        self.begin()
        try:
            yield costs.append
        finally:
            self.end(costs[-1])

    def end(self, cost: float | None) -> None:
        """Count a request that has ended: answered, refused, or failed."""
        with self._lock:
            self._ended += 1
            if cost is not None:
                self._told += 1
                self.spent += cost
