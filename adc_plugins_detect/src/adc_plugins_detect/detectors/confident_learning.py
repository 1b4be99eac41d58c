"""Confident learning: out-of-sample probabilities say how many labels are wrong, and which."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import Dataset, Detector, Findings, InputError
from adc_core.arrays import Array
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.confident.joint import (
    ConfidentJoint,
    Counts,
    checked,
    confident_joint,
    in_range,
)
from adc_plugins_detect.confident.predictions import Predicted, labels_and_probabilities
from adc_plugins_detect.confident.pruning import prune
from adc_plugins_detect.inputs import (
    as_counts,
    as_ids,
    as_numbers,
    out_of_sample,
)
from adc_plugins_detect.options import Share, WholeNumber
from adc_plugins_detect.scoring import highest

Rule = Literal[
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_self_confidence",
    "low_normalized_margin",
]
Score = Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"]

PRUNING_RULES: tuple[Rule, ...] = ("prune_by_noise_rate", "prune_by_class", "both")

LARGEST_TRANSITION = 2000
"""With more classes the transition matrix, nearly all zeros, is left out of the findings."""

_CHUNK_ENTRIES = 1 << 18


@array_function
def confident_learning(
    labels: ArrayLike,
    probabilities: Predicted | Sequence[Predicted],
    *,
    rule: Rule = "prune_by_noise_rate",
    score: Score = "self_confidence",
    adjust_probabilities: bool = False,
    frac_noise: Share = 1.0,
    min_examples_per_class: WholeNumber = 1,
    num_to_remove_per_class: ArrayLike | None = None,
    thresholds: ArrayLike | None = None,
    joint: ArrayLike | None = None,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find wrong labels by confident learning (Northcutt, Jiang and Chuang, JAIR 2021).

    Rules and scores have cleanlab's names and give cleanlab's answer on the same probabilities
    in double precision; equals are taken in their order. Memory beside the arrays that are
    passed in is O(N + K²), and the probabilities may be memory-mapped.

    Args:
        labels: N given labels in 0…K-1.
        probabilities: N × K probabilities of any float type, from models that had not seen the
            sample's label: in-sample probabilities agree with wrong labels. Of several models, a
            list of them: the better ones count for more, as in `average_models`.
        rule: which samples to flag. `prune_by_noise_rate` takes as many of each pair of classes
            as the confident joint counts, by margin; `prune_by_class` as many of each class, by
            probability of the given label; `both` what both take; `confident_learning` what is
            counted off the diagonal; `predicted_neq_given` what is predicted otherwise;
            `low_self_confidence` and `low_normalized_margin` as many as are counted off the
            diagonal, by score.
        score: suspicion is one minus this quality score.
        adjust_probabilities: subtract each class's threshold before scoring, for rare classes.
        frac_noise: share of the wrong labels that the pruning rules take, the worst first.
        min_examples_per_class: the pruning rules leave as many samples to every class.
        num_to_remove_per_class: K whole numbers: how many the pruning rules take of each class;
            the joint then decides how they are spread over the other classes.
        thresholds: K; from which probability on a class is taken to be meant. By default its mean
            probability among the samples labelled so.
        joint: K × K counts (row = given label) for the pruning rules, in place of the confident
            joint.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the predicted class as suggestion, its probability as confidence, the
        transition matrix (up to 2,000 classes) and the noise rate of the calibrated joint.

    Raises:
        InputError: arrays of other shapes, labels out of range, rows that are not probabilities.
    """
    given, matrix = labels_and_probabilities(labels, probabilities)
    if score == "confidence_weighted_entropy" and adjust_probabilities:
        raise InputError("adjust_probabilities does not suit the score confidence_weighted_entropy")
    counted = _counted(given, matrix, thresholds, joint, rule)
    removed = _removed(num_to_remove_per_class, counted, rule)
    flagged = _flagged(given, matrix, counted, rule, frac_noise, min_examples_per_class, removed)
    columns = _columns(given, matrix, counted, flagged, score, adjust_probabilities)
    # The ids come last, when what was needed to judge is forgotten: they are the largest column.
    return Findings(ids=as_ids(ids, len(given)), **columns)


class ConfidentLearning(Detector):
    """Flags labels that out-of-sample predictions contradict with confidence."""

    requires: ClassVar[tuple[str, ...]] = ("probabilities",)

    rule: Rule = Field(default="prune_by_noise_rate", description="which samples to flag")
    score: Score = Field(
        default="self_confidence", description="suspicion is one minus this quality"
    )
    adjust_probabilities: bool = Field(
        default=False,
        description="subtract each class's threshold before scoring, for rare classes",
    )
    frac_noise: Share = Field(
        default=1.0, description="share of the wrong labels that the pruning rules take"
    )
    min_examples_per_class: WholeNumber = Field(
        default=1, description="the pruning rules leave as many samples to every class"
    )
    allow_in_sample: bool = Field(
        default=False, description="accept probabilities of a model that has seen the labels"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's probabilities.

        Raises:
            InputError: they are missing, or in sample without `allow_in_sample`.
        """
        return confident_learning(
            dataset.labels,
            out_of_sample(dataset, self.allow_in_sample),
            rule=self.rule,
            score=self.score,
            adjust_probabilities=self.adjust_probabilities,
            frac_noise=self.frac_noise,
            min_examples_per_class=self.min_examples_per_class,
            ids=dataset.ids,
        )


def quality_scores(
    labels: NDArray[np.int64],
    probabilities: Array,
    score: Score,
    thresholds: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Score how well each label fits its probabilities: 0 (badly) … 1.

    Args:
        labels: N given labels.
        probabilities: N × K probabilities.
        score: which score.
        thresholds: K class thresholds to subtract first, or None.
    """
    n, K = probabilities.shape
    quality = np.empty(n)
    step = max(1, _CHUNK_ENTRIES // K)
    for start in range(0, n, step):
        part = slice(start, min(n, start + step))
        block = checked(probabilities[part], start).astype(np.float64)
        if thresholds is not None:
            block = block - thresholds + thresholds.max()
            block /= block.sum(axis=1, keepdims=True)
        own = block[np.arange(len(block)), labels[part]]
        if score == "self_confidence":
            quality[part] = own
        elif score == "normalized_margin":
            block[np.arange(len(block)), labels[part]] = -np.inf
            quality[part] = (own - block.max(axis=1) + 1) / 2
        else:
            quality[part] = _entropy_quality(block, own)
    return quality


def _entropy_quality(block: NDArray[np.float64], own: NDArray[np.float64]) -> Array:
    logs = np.log(block, out=np.zeros_like(block), where=block > 0)
    entropy = -(block * logs).sum(axis=1) / np.log(block.shape[1])
    ratio = entropy / np.maximum(own, 1e-6)
    quality: NDArray[np.float64] = np.log(ratio + 1) / np.maximum(ratio, 1e-6)
    return quality


def _counted(
    labels: NDArray[np.int64],
    probabilities: Array,
    thresholds: ArrayLike | None,
    joint: ArrayLike | None,
    rule: Rule,
) -> ConfidentJoint:
    """Count the confident joint, or take the counts or thresholds that the caller gives."""
    K = probabilities.shape[1]
    own = None if thresholds is None else as_numbers(thresholds, "thresholds", (K,))
    counted = confident_joint(labels, probabilities, own)
    if joint is None:
        return counted
    _of_pruning("joint", rule)
    counts = as_counts(joint, "joint", (K, K))
    return replace(counted, calibrated=Counts.of(counts))


def _removed(
    wanted: ArrayLike | None, joint: ConfidentJoint, rule: Rule
) -> NDArray[np.int64] | None:
    """Return how many to remove of each class, where that is given."""
    if wanted is None:
        return None
    _of_pruning("num_to_remove_per_class", rule)
    removed = as_counts(wanted, "num_to_remove_per_class", joint.class_counts.shape)
    if (more := removed > joint.class_counts).any():
        k = int(more.argmax())
        raise InputError(
            f"num_to_remove_per_class: {removed[k]} of class {k}, which has "
            f"{joint.class_counts[k]} samples"
        )
    return removed


def _of_pruning(option: str, rule: Rule) -> None:
    if rule not in PRUNING_RULES:
        raise InputError(f"{option} serves the rules {', '.join(PRUNING_RULES)}, not {rule}")


def _columns(
    labels: NDArray[np.int64],
    probabilities: Array,
    joint: ConfidentJoint,
    flagged: NDArray[np.bool_],
    score: Score,
    adjust_probabilities: bool,
) -> dict[str, Any]:
    """Return all fields of the findings but the detector and the ids."""
    quality = joint.given_probability
    if adjust_probabilities:
        quality = quality_scores(labels, probabilities, score, joint.thresholds)
    elif score != "self_confidence":
        quality = quality_scores(labels, probabilities, score)
    # In place of the scores, for nothing looks at them again: each column is as large as these.
    suspicion = np.subtract(1, quality, out=quality)
    differs = joint.predicted != labels
    confidence = np.full(len(labels), np.nan)
    confidence[differs] = in_range(probabilities[differs.nonzero()[0], joint.predicted[differs]])
    K = probabilities.shape[1]
    return {
        "suspicion": suspicion.clip(0, 1, out=suspicion),
        "flagged": flagged,
        "suggested_labels": np.where(differs, joint.predicted, np.int64(-1)),
        "suggestion_confidence": confidence,
        "transition": joint.transition() if K <= LARGEST_TRANSITION else None,
        "noise_rate": joint.noise_rate,
    }


def _flagged(
    labels: NDArray[np.int64],
    probabilities: Array,
    joint: ConfidentJoint,
    rule: Rule,
    frac_noise: float,
    min_examples_per_class: int,
    removed: NDArray[np.int64] | None,
) -> NDArray[np.bool_]:
    if rule == "low_self_confidence" or rule == "low_normalized_margin":
        count = int((joint.off_diagonal & ~joint.agrees).sum())
        quality = joint.given_probability
        if rule == "low_normalized_margin":
            quality = quality_scores(labels, probabilities, "normalized_margin")
        return highest(-quality, count)
    if rule == "confident_learning":
        flagged = joint.off_diagonal
    elif rule == "predicted_neq_given":
        flagged = joint.predicted != labels
    else:
        flagged = prune(
            labels,
            probabilities,
            joint,
            by_class=rule in ("prune_by_class", "both"),
            by_noise_rate=rule in ("prune_by_noise_rate", "both"),
            frac_noise=frac_noise,
            min_examples_per_class=min_examples_per_class,
            num_to_remove_per_class=removed,
        )
    return flagged & ~joint.agrees
