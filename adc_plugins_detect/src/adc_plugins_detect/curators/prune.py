"""Pruning: as many samples of each class, chosen by how hard they are."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import softmax

from adc_core import Curation, Curator, Dataset, Findings, InputError
from adc_core.arrays import Array, chunks
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.detectors.aum import aum
from adc_plugins_detect.detectors.forgetting import forgetting
from adc_plugins_detect.dynamics.curves import dynamics_of
from adc_plugins_detect.inputs import as_array, as_labels, as_probabilities, same_length
from adc_plugins_detect.options import Count, Share, WholeNumber

STRATA = 50
"""Parts of the range of scores, as in coverage-centric selection (Zheng et al., ICLR 2023)."""

Hardness = Literal["el2n", "forgetting", "margin", "random"]


@array_function
def el2n(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """Compute the length of the error vector of each sample (Paul et al., NeurIPS 2021).

    Args:
        labels: N given labels.
        probabilities: N × K.

    Raises:
        InputError: arrays of other shapes.
    """
    table = as_probabilities(probabilities, in_sample=True)
    given = as_labels(labels, table.shape[1])
    same_length(given, table, "probabilities")
    lengths = np.empty(len(given))
    for part in chunks(len(given), 8 * table.shape[1]):
        error = table[part].astype(np.float64)
        error[np.arange(len(error)), given[part]] -= 1
        lengths[part] = np.linalg.norm(error, axis=1)
    return lengths


def share_budget(sizes: ArrayLike, budget: int) -> NDArray[np.int64]:
    """Share a budget equally among strata, the smallest first: what they lack goes to others."""
    counts = np.asarray(sizes, np.int64)
    taken, left = np.zeros(len(counts), np.int64), budget
    for done, stratum in enumerate(np.argsort(counts, kind="stable").tolist()):
        taken[stratum] = min(int(counts[stratum]), left // (len(counts) - done))
        left -= int(taken[stratum])
    return taken


@array_function
def prune(
    labels: ArrayLike,
    hardness: ArrayLike,
    per_class: Count,
    *,
    cut: Share = 0.1,
    coverage: bool = False,
    seed: WholeNumber = 0,
) -> NDArray[np.int64]:
    """Choose the rows to keep: of each class the hardest, or as many of every degree.

    Args:
        labels: N given labels.
        hardness: N numbers, higher is harder.
        per_class: samples of each class; smaller classes stay as they are after the cut.
        cut: part of each class, the hardest, that is left out first: with wrong labels these are
            the wrong ones.
        coverage: draw equally from 50 parts of the range of a class's scores, in place of the
            hardest.
        seed: of the draw.

    Returns:
        Row numbers, ascending.

    Raises:
        InputError: arrays of other shapes, or a score that is not finite.
    """
    given = as_labels(labels)
    scores = as_array(hardness, "hardness")
    if scores.shape != given.shape or not np.isfinite(scores).all():
        raise InputError(f"hardness: expected {len(given)} finite numbers, got {scores.shape}")
    rng = np.random.default_rng(seed)
    kept = []
    for k in np.unique(given).tolist():
        rows = np.flatnonzero(given == k)
        order = rows[np.argsort(-scores[rows], kind="stable")][int(cut * len(rows)) :]
        kept.append(_covering(order, scores, per_class, rng) if coverage else order[:per_class])
    return np.sort(np.concatenate(kept))


def _covering(
    rows: NDArray[np.int64], scores: Array, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    values = scores[rows].astype(np.float64)
    spread = np.ptp(values)
    place = ((values - values.min()) / (spread if spread > 0 else 1) * STRATA).astype(int)
    place = place.clip(max=STRATA - 1)
    sizes = np.bincount(place, minlength=STRATA)
    there = np.flatnonzero(sizes)
    taken = np.zeros(STRATA, np.int64)
    taken[there] = share_budget(sizes[there], min(count, len(rows)))
    drawn = rng.permutation(len(rows))
    by_stratum = drawn[np.argsort(place[drawn], kind="stable")]
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(rows)) - starts[place[by_stratum]]
    chosen: NDArray[np.int64] = rows[by_stratum[rank < taken[place[by_stratum]]]]
    return chosen


class Prune(Curator):
    """Keeps as many samples of each class, the hardest, some of every degree, or at random.

    Hardness is the length of the error (`el2n`, from the logits of the dynamics or the
    probabilities), how often a label was forgotten, a small margin over training, or chance.

    Traps: the hardest samples are the wrong ones where labels are: apply it after a curator of
    labels, or cut the hardest off first. Chosen subsets are often no better than random ones:
    always train on `hardness: random` of the same size as well, with the same labels.
    """

    optional_columns: ClassVar[tuple[str, ...]] = ("probabilities", "dynamics")

    per_class: Count = Field(default=500, description="samples to keep of each class")
    hardness: Hardness = Field(default="el2n", description="how hard a sample is")
    cut: Share = Field(
        default=0.1, description="part of each class, the hardest, to leave out first"
    )
    coverage: bool = Field(default=False, description="as many of every degree, not the hardest")
    seed: WholeNumber = Field(default=0, description="of what is drawn at random")

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Leave out what is not among those to keep, whatever detectors say.

        Raises:
            InputError: the dataset lacks what `hardness` is computed from.
        """
        scores = self._hardness(dataset)
        cut = 0.0 if self.hardness == "random" else self.cut
        kept = prune(
            dataset.labels,
            scores,
            self.per_class,
            cut=cut,
            coverage=self.coverage,
            seed=self.seed,
        )
        rows = np.setdiff1d(np.arange(len(dataset)), kept)
        reason = f"not among the {self.per_class:,} of its class that are kept by {self.hardness}"
        note = "compare with a random subset of the same size (hardness: random)"
        notes = () if self.hardness == "random" else (note,)
        return Curation.of(dataset, drop=rows, reasons=[reason] * len(rows), notes=notes)

    def _hardness(self, dataset: Dataset) -> NDArray[np.float64]:
        if self.hardness == "random":
            return np.random.default_rng(self.seed).random(len(dataset))
        if self.hardness == "forgetting":
            return forgetting(dataset.labels, dynamics_of(dataset)).suspicion
        if self.hardness == "margin":
            return aum(dataset.labels, dynamics_of(dataset)).suspicion
        if dataset.dynamics is not None and dataset.dynamics.logits is not None:
            logits = dataset.dynamics.logits
            tables = (
                softmax(logits[:, e].astype(np.float64), axis=1) for e in range(logits.shape[1])
            )
            lengths = [el2n(dataset.labels, table) for table in tables]
            return np.asarray(np.nanmean(lengths, axis=0), np.float64)
        if dataset.probabilities is None:
            raise InputError(
                "el2n takes probabilities: add an enricher such as linear-probe, or "
                "training-dynamics whose learner has keep_logits"
            )
        return el2n(dataset.labels, dataset.probabilities)
