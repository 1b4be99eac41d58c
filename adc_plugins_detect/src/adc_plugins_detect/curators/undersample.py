"""Undersampling by the rules of imbalanced-learn, on features."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Curation, Curator, Dataset, Findings, InputError
from adc_plugins_detect.inputs import needed

Rule = Literal["tomek-links", "one-sided-selection", "neighborhood-cleaning"]

_REASONS: dict[Rule, str] = {
    "tomek-links": "its nearest neighbor, and it that one's, is of another label",
    "one-sided-selection": "on the border of another label, or far inside its own",
    "neighborhood-cleaning": "its label is not its neighbors', or makes theirs look wrong",
}


class Undersample(Curator):
    """Leaves out samples of larger classes that stand at their borders, or add little.

    The rules are those of imbalanced-learn, called as they are, on features of unit length, so
    that the nearest are those of the largest cosine: Tomek links (Tomek 1976), one-sided selection
    (Kubat and Matwin 1997) and the neighborhood cleaning rule (Laurikkala 2001). All classes but
    the smallest lose samples.

    Traps: classes come out cleaner, not equal. A rule cannot tell a wrong label from a hard one,
    and a wrong label of the smallest class stays: it takes right ones of other classes along.
    Memory and time grow with the square of the samples.
    """

    requires: ClassVar[tuple[str, ...]] = ("features",)

    rule: Rule = Field(default="tomek-links", description="which samples to leave out")
    seed: int = Field(default=0, ge=0, description="of one-sided-selection")

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Leave out what the rule leaves out, whatever detectors say.

        Raises:
            InputError: imbalanced-learn is not installed, there are no features, or all samples
                have the same label.
        """
        features = needed(dataset.features, "features", "an encoder")
        if len(np.unique(dataset.labels)) < 2:
            raise InputError("undersample compares labels, but all samples have the same one")
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        unit = features / np.where(lengths > 0, lengths, 1)
        kept = kept_rows(_sampler(self.rule, self.seed), unit, dataset.labels)
        rows = np.setdiff1d(np.arange(len(dataset)), kept)
        reason = f"{self.rule}: {_REASONS[self.rule]}"
        return Curation.of(dataset, drop=rows, reasons=[reason] * len(rows))


def kept_rows(
    sampler: Any, features: NDArray[np.floating], labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rows that a sampler of imbalanced-learn keeps, in their order."""
    sampler.fit_resample(features, labels)
    return np.sort(np.asarray(sampler.sample_indices_, np.int64))


def _sampler(rule: Rule, seed: int) -> Any:
    try:
        from imblearn import under_sampling
    except ImportError as error:
        raise InputError(
            "undersample needs imbalanced-learn: pip install 'adc-plugins-detect[resampling]'"
        ) from error
    if rule == "tomek-links":
        return under_sampling.TomekLinks()
    if rule == "one-sided-selection":
        return under_sampling.OneSidedSelection(random_state=seed)
    return under_sampling.NeighbourhoodCleaningRule()
