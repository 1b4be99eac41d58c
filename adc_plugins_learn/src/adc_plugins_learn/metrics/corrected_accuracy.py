"""Accuracy on a test set whose own labels people have looked at again."""

from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field

from adc_core import Dataset, InputError, LocalPath, Measurement, Metric, Run, status
from adc_core.arrays import Array, from_arrow
from adc_core.records import rows_of
from adc_core.storage import UNKNOWN, read_table

OUTCOMES = ("given", "guessed", "both", "neither")
"""What people may choose of a label in doubt, in this order: the given one, the guessed one, both,
neither. What fewer than enough of them choose is `undecided`."""


def review_outcome(votes: ArrayLike, need: int = 3) -> NDArray[np.str_]:
    """Decide what people said of labels in doubt (Northcutt et al., NeurIPS 2021).

    Args:
        votes: M × 4 counts of `OUTCOMES`.
        need: so many must agree; ties: the first outcome wins.

    Returns:
        M outcomes.

    Raises:
        InputError: votes of another shape, or none needed.
    """
    counts = np.asarray(votes)
    if counts.ndim != 2 or counts.shape[1] != len(OUTCOMES) or need < 1:
        raise InputError(
            f"votes: expected M × 4 counts ({', '.join(OUTCOMES)}) and need from 1, "
            f"got {counts.shape} and {need}"
        )
    enough = np.column_stack([counts >= need, np.ones(len(counts), bool)])
    outcomes: NDArray[np.str_] = np.array([*OUTCOMES, "undecided"])[enough.argmax(axis=1)]
    return outcomes


class CorrectedScores(NamedTuple):
    """Accuracy before and after labels were corrected; NaN where there are no samples.

    Attributes:
        original: on the labels as they were, of the samples that are left.
        corrected: on the corrected labels.
        fixed: on the samples whose label was corrected, by their new labels.
        rest: on the others.
        share: of the samples, whose label was corrected.
    """

    original: float
    corrected: float
    fixed: float
    rest: float
    share: float


def corrected_accuracy(
    predicted: ArrayLike, labels: ArrayLike, corrected: ArrayLike
) -> CorrectedScores:
    """Compare predictions with original and with corrected labels.

    Args:
        predicted: N class indices.
        labels: N original labels.
        corrected: N corrected labels; below 0 is left out everywhere.
    """
    guess, old, new = (np.asarray(values, np.int64) for values in (predicted, labels, corrected))
    kept, changed = new >= 0, (new >= 0) & (new != old)
    hit = guess == new
    return CorrectedScores(
        original=_mean((guess == old)[kept]),
        corrected=_mean(hit[kept]),
        fixed=_mean(hit[changed]),
        rest=_mean(hit[kept & ~changed]),
        share=_mean(changed[kept]),
    )


def crossing_share(one: CorrectedScores, other: CorrectedScores) -> float:
    """Compute the share of wrong labels at which two models are equally good; NaN if nowhere.

    At a share n a model's accuracy on corrected labels is n · fixed + (1 - n) · rest, so that the
    answer is a share only where it is between 0 and 1.
    """
    rest, fixed = one.rest - other.rest, one.fixed - other.fixed
    return rest / (rest - fixed) if rest != fixed else np.nan


class CorrectedAccuracy(Metric):
    """Measures accuracy on a test set of which people have corrected wrong labels.

    The table at `path` has a row for each sample in doubt: its `id`, the class `guess` that may be
    the right one, and how many people chose `given`, `guessed`, `both` and `neither`. A sample
    becomes its guess where enough chose that, keeps its label where enough chose that or the guess
    is that, and is left out otherwise: of both, make label sets and measure `label-set-accuracy`.
    Two trainings whose order depends on how many labels are wrong have a crossing: the share at
    which they are equal.

    Traps: accuracy on original labels rewards what learned their errors. Who chose the samples in
    doubt missed some, so that the measured share is a lower bound: let people look at as many
    others. A corrected test set is not a clean one.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "reviewed.csv"}]})

    requires = ("test",)

    path: LocalPath = Field(
        description="table of the reviewed samples, .csv or .parquet; "
        "one that is not there yet corrects nothing"
    )
    need: int = Field(default=3, ge=1, description="so many people must agree")

    @property
    def awaited_files(self) -> tuple[str, ...]:
        """The table, which people make while the run goes on."""
        return ("path",)

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every training; what the reviewers decided, and crossings, are details.

        Raises:
            InputError: the table cannot be read, or names no sample of the test set.
        """
        test = run.test
        if test is None:
            return ()
        outcomes: dict[str, int] = {}
        corrected = test.labels
        if self.path.exists():
            corrected, outcomes = _corrected(self.path, test, self.need)
        else:
            status(f"{self.path} is not there yet: no test label is corrected")
        scores = {
            training.subject: corrected_accuracy(
                training.predictions.labels, test.labels, corrected
            )
            for training in run.trainings
            if training.predictions is not None
        }
        found = [measured for name, one in scores.items() for measured in _measured(name, one)]
        for (name, one), (other_name, other) in combinations(scores.items(), 2):
            crossing = crossing_share(one, other)
            if 0 < crossing < 1:
                metric = "share of wrong test labels at which both are equal"
                found.append(_figure(metric, f"{name} and {other_name}", crossing, detail=True))
        for name, number in outcomes.items():
            found.append(_figure(f"reviewed: {name}", "test set", number, detail=True))
        return tuple(found)


def _corrected(path: Path, test: Dataset, need: int) -> tuple[Array, dict[str, int]]:
    """Read N corrected labels, `UNKNOWN` for what is left out, and how often each was decided."""
    table = read_table(path)
    needed = ("id", "guess", *OUTCOMES)
    if missing := [name for name in needed if name not in table.column_names]:
        raise InputError(
            f"{path} has no column `{missing[0]}`: it needs {', '.join(needed)}, "
            "a row for each reviewed sample"
        )
    rows = rows_of(test.ids, from_arrow(table["id"].cast(pa.string())))
    if not (rows >= 0).any():
        raise InputError(f"{path} names no sample of the test set: check its ids")
    texts = from_arrow(table["guess"].cast(pa.string()).fill_null(""))
    place = {name: k for k, name in enumerate(test.classes)}
    known = np.array([place.get(name, UNKNOWN) for name in texts.tolist()])
    if (strange := (known < 0) & (rows >= 0)).any():
        row = int(strange.argmax())
        raise InputError(
            f"{path}: row {row} has the guess {str(texts[row])!r}, which is not a class: "
            f"{', '.join(test.classes)}"
        )
    votes = np.column_stack([table[name].cast(pa.int64()).to_numpy() for name in OUTCOMES])
    used = rows >= 0
    rows, guess, decided = rows[used], known[used], review_outcome(votes, need)[used]
    # Such a row counts each vote twice in the released files: there was nothing to choose.
    decided[guess == test.labels[rows]] = "given"
    labels = test.labels.copy()
    labels[rows] = np.select(
        [decided == "given", decided == "guessed"], [test.labels[rows], guess], UNKNOWN
    )
    return labels, {name: int((decided == name).sum()) for name in (*OUTCOMES, "undecided")}


def _measured(subject: str, scores: CorrectedScores) -> list[Measurement]:
    figures = {
        "accuracy on original labels": scores.original,
        "accuracy on corrected labels": scores.corrected,
        "accuracy where the label was wrong": scores.fixed,
        "accuracy where it was right": scores.rest,
        "corrected labels": scores.share,
    }
    return [_figure(name, subject, value) for name, value in figures.items()]


def _figure(metric: str, subject: str, value: float, *, detail: bool = False) -> Measurement:
    known = None if np.isnan(value) else float(value)
    return Measurement(metric=metric, subject=subject, value=known, better="higher", detail=detail)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan
