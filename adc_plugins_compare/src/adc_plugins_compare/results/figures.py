"""What one cell measured, named so that cells can be compared."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from adc_core import Measurement, Pipeline
from adc_core.components import unique_names


class Figure(NamedTuple):
    """One number of one cell.

    Attributes:
        metric: what was measured.
        subject: of what, where the cell measured several: `on curated`; else empty.
        value: None where it is undefined.
        better: which direction is good.
        detail: one of many, such as the accuracy of one class.
    """

    metric: str
    subject: str
    value: float | None
    better: Literal["higher", "lower"]
    detail: bool = False


def figures_of(pipeline: Pipeline, measurements: Iterable[Measurement]) -> tuple[Figure, ...]:
    """Name what was measured in a cell without what the cell has one of.

    The only learner of one cell stands where the only learner of another one does, whatever their
    names: `elr on raw` is `on raw`, and nothing at all where raw is the only training set.
    """
    alone = {
        names[0]
        for kind in ("learners", "detectors", "curators")
        if (len(names := unique_names(getattr(pipeline, kind))) == 1)
    }
    named = [(_without(alone, one.subject), one) for one in measurements]
    trained_on = {subject for subject, _ in named if subject.startswith("on ")}
    return tuple(
        Figure(
            one.metric,
            "" if {subject} == trained_on else subject,
            one.value,
            one.better,
            one.detail,
        )
        for subject, one in named
    )


def _without(names: set[str], subject: str) -> str:
    """Leave out a name that the subject is or begins with."""
    first, _, rest = subject.partition(" ")
    return rest if first in names else subject
