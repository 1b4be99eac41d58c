"""How a cell ended."""

from typing import NamedTuple

from adc_plugins_compare.results.figures import Figure


class Outcome(NamedTuple):
    """How a cell ended.

    Attributes:
        cell: its name.
        seconds: how long it took, on the clock.
        figures: what was measured; empty where it failed.
        error: what went wrong, on one line; None where all went well.
    """

    cell: str
    seconds: float
    figures: tuple[Figure, ...] = ()
    error: str | None = None
