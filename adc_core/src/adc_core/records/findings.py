"""What detectors return: a judgment of every sample."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field, model_validator

from adc_core.arrays.validation import Array, Flags, Labels, Scores, SquareMatrix, Texts, read_only
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset, rows_of
from adc_core.records.design import ClassName
from adc_core.records.display import ROWS, counted, percent, suspicion_figure, table
from adc_core.records.estimates import Estimate, EvidenceQuality, NoiseRate
from adc_core.records.record import Record

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def _all_of(flagged: Array | None) -> Array:
    return read_only(np.ones(0 if flagged is None else len(flagged), np.bool_))


class Findings(Record):
    """A detector's judgement of every sample, in the dataset's order.

    Attributes:
        ids: N ids of the samples.
        suspicion: N float64 in 0 (surely right) … 1 (surely wrong); NaN where not covered.
        flagged: N booleans: label judged wrong.
        suggested_labels: N int64 class indices, -1 where none is suggested; or None.
        suggestion_confidence: N float64 in 0 … 1, NaN without a suggestion; or None.
        transition: K × K estimated noise matrix, row = true class, rows sum to one; or None.
        noise_rate: estimated share of wrong labels, or None.
        noise_range: the same as a range, with each estimator's word; or None.
        precision: estimated share of the flagged labels that are wrong, as a range; or None.
        evidence: how good the evidence is that the detector read; or None.
        covered: N booleans; samples that were never judged are neither flagged nor counted.
        classes: K names, where a function was given names as labels; or None.
        notes: sentences that the report shows, such as how many samples a model declined to judge.
    """

    ids: Texts
    suspicion: Scores
    flagged: Flags
    suggested_labels: Labels | None = None
    suggestion_confidence: Scores | None = None
    transition: SquareMatrix | None = None
    noise_rate: float | None = Field(default=None, ge=0, le=1)
    noise_range: NoiseRate | None = None
    precision: Estimate | None = None
    evidence: EvidenceQuality | None = None
    covered: Flags = Field(default_factory=lambda given: _all_of(given.get("flagged")))
    classes: tuple[ClassName, ...] | None = None
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        rows = len(self.ids)
        for name in (
            "suspicion",
            "flagged",
            "suggested_labels",
            "suggestion_confidence",
            "covered",
        ):
            column = getattr(self, name)
            if column is not None and len(column) != rows:
                raise ValueError(f"{name} has {len(column)} rows but ids have {rows}")
        inside = (self.suspicion >= 0) & (self.suspicion <= 1)
        if (outside := self.covered & ~inside).any():
            row = int(outside.argmax())
            raise ValueError(f"suspicion: row {row} is {self.suspicion[row]}, expected 0…1")
        if (self.flagged & ~self.covered).any():
            row = int((self.flagged & ~self.covered).argmax())
            raise ValueError(f"flagged: row {row} is flagged but not covered")
        if self.suggested_labels is not None:
            self._check_suggestions(self.suggested_labels)
        if self.transition is not None:
            check_stochastic(self.transition, "transition")
        return self

    def _check_suggestions(self, labels: Array) -> None:
        last = "K-1" if self.classes is None else len(self.classes) - 1
        outside = labels < -1
        if self.classes is not None:
            outside |= labels >= len(self.classes)
        if outside.any():
            row = int(outside.argmax())
            raise ValueError(f"suggested_labels: row {row} is {labels[row]}, expected -1…{last}")

    def __repr__(self) -> str:
        flagged, judged = int(self.flagged.sum()), int(self.covered.sum())
        words = f"{counted(len(self.ids), 'sample')}, {flagged:,} flagged"
        if judged:
            words += f" ({percent(flagged / judged)})"
        if judged < len(self.ids):
            words += f", {len(self.ids) - judged:,} not judged"
        rate = self.noise_range
        if rate is None and self.noise_rate is not None:
            words += f", about {percent(self.noise_rate)} wrong"
        return f"<Findings: {words}{'' if rate is None else f', wrong: {rate}'}>"

    def _repr_html_(self) -> str:
        worst = np.argsort(np.nan_to_num(-self.suspicion, nan=1), kind="stable")[:ROWS]
        labels = self.suggested_labels
        suggested = [None] * len(worst) if labels is None else self._named(labels[worst])
        rows = zip(
            self.ids[worst], self.suspicion[worst], self.flagged[worst], suggested, strict=True
        )
        head = f"{repr(self)[1:-1]}; the most suspicious:"
        return table(head, ("id", "suspicion", "flagged", "suggested_label"), rows)

    def plot(self) -> "Figure":
        """Draw how many samples are how suspicious.

        Returns:
            A figure of matplotlib; notebooks show it, `savefig` writes it.

        Raises:
            ImportError: matplotlib is not installed.
        """
        return suspicion_figure(self.suspicion, self.flagged)

    def for_ids(self, dataset: Dataset) -> "Findings":
        """Put the findings into the order of a dataset that may lack some of the samples.

        Raises:
            InputError: a sample of the dataset was never presented to the detector.
        """
        rows = rows_of(self.ids, dataset.ids)
        if (rows < 0).any():
            missing = dataset.ids[int((rows < 0).argmax())]
            raise InputError(f"there are no findings for the sample {missing}")
        columns = ("ids", "suspicion", "flagged", "suggested_labels", "suggestion_confidence")
        taken = {
            name: None if (column := getattr(self, name)) is None else column[rows]
            for name in (*columns, "covered")
        }
        return self.replace(**taken)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a data frame with one row per sample.

        Its index is the ids, as numbers where all of them are whole numbers, so that it joins the
        data frame that the samples came from. Its columns are suspicion, flagged, suggested_label
        (a class number and -1, or a name and None, where labels were names),
        suggestion_confidence (NaN without a suggestion) and covered.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise ImportError("a data frame needs pandas: pip install pandas") from None
        rows = len(self.ids)
        labels = np.full(rows, -1) if self.suggested_labels is None else self.suggested_labels
        confidence = self.suggestion_confidence
        numbers = _whole_numbers(self.ids)
        index = pd.Index(self.ids.tolist() if numbers is None else numbers)
        if numbers is not None and np.array_equal(numbers, np.arange(rows)):
            index = pd.RangeIndex(rows)
        return pd.DataFrame(
            {
                "suspicion": self.suspicion,
                "flagged": self.flagged,
                "suggested_label": labels if self.classes is None else self._named(labels),
                "suggestion_confidence": np.full(rows, np.nan)
                if confidence is None
                else confidence,
                "covered": self.covered,
            },
            index=index.rename("id"),
        )

    def _named(self, labels: Array) -> Array:
        """Return N names, or numbers where there are none; None for -1."""
        if self.classes is None:
            names = labels.astype(object)
            names[labels < 0] = None
            return names
        named: Array = np.array([*self.classes, None], dtype=object)[labels]
        return named


def _whole_numbers(texts: Array) -> Array | None:
    """Convert texts to int64 where all are whole numbers as Python writes them; else None."""
    if not len(texts) or not np.char.isdigit(texts).all() or np.char.str_len(texts).max() > 18:
        return None
    numbers: Array = texts.astype(np.int64)
    return numbers if np.array_equal(numbers.astype(np.str_), texts) else None


def check_stochastic(matrix: "np.ndarray[Any, Any]", name: str) -> None:
    """Check that a matrix is square, non-negative and that its rows sum to one.

    Raises:
        ValueError: it is not; the message names the row.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} is {matrix.shape}, expected K × K")
    if (unknown := np.isnan(matrix).any(axis=1)).any():
        raise ValueError(f"{name}: row {int(unknown.argmax())} is NaN somewhere")
    if (matrix < 0).any():
        raise ValueError(
            f"{name}: row {int((matrix < 0).any(axis=1).argmax())} is negative somewhere"
        )
    sums = matrix.sum(axis=1)
    if (off := np.abs(sums - 1) > 1e-6).any():
        row = int(off.argmax())
        raise ValueError(f"{name}: row {row} sums to {sums[row]:.6g}, expected 1")
