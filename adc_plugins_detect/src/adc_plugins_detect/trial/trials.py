"""Trials: every detector looks for wrong labels that are known, at an equal budget."""

import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, Detector, Findings, InputError, progress
from adc_core.arrays import Array
from adc_core.components import shown_to
from adc_core.reporting import mean_rank
from adc_plugins_detect.metrics.detection import flag_figures, rank_figures
from adc_plugins_detect.scoring import highest
from adc_plugins_detect.trial.noise import Noise

TOGETHER = " + "
"""Joins the names of detectors that judge together."""


class Quality(NamedTuple):
    """How well one order of suspicion finds wrong labels.

    Attributes:
        average_precision: precision averaged over recall.
        f1: of flagging the most suspicious, as many as are wrong.
    """

    average_precision: float
    f1: float


class Trials(NamedTuple):
    """What C candidates reached under M kinds of noise, from S seeds each.

    Attributes:
        names: C names; of detectors that judge together joined by " + ".
        kinds: M kinds of noise.
        average_precision: C × M × S.
        f1: C × M × S, of flagging as many as are wrong.
        seconds: C, the median of a trial; evidence that all share does not count.
        megabytes: C, the peak of what one trial allocates beyond that.
        left_out: names of detectors that failed, and why.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    average_precision: NDArray[np.float64]
    f1: NDArray[np.float64]
    seconds: NDArray[np.float64]
    megabytes: NDArray[np.float64]
    left_out: dict[str, str]


def quality(wrong: Array, suspicion: Array) -> Quality:
    """Score an order of suspicion at the budget of flagging as many as are wrong.

    Args:
        wrong: N booleans, at least one true.
        suspicion: N numbers; NaN, where a detector does not judge, comes last.
    """
    scores = np.where(np.isnan(suspicion), -np.inf, suspicion)
    order = rank_figures(wrong, scores).average_precision
    flags = flag_figures(wrong, highest(scores, int(np.sum(wrong)))).f1
    assert order is not None and flags is not None
    return Quality(order, flags)


def run_trials(
    base: Dataset,
    detectors: Mapping[str, Detector],
    kinds: Mapping[str, Noise],
    prepare: Callable[[Dataset], Dataset],
    seeds: int,
    groups: Sequence[Sequence[str]] | None = None,
) -> Trials:
    """Simulate each kind of noise from each seed, and let every detector look for it.

    With `groups`, detectors that judge together are scored too: the best two and the best three of
    all by their mean average precision, and the best of each group.

    Args:
        base: N samples whose labels count as right.
        detectors: candidates by name.
        kinds: of noise.
        prepare: adds evidence to a dataset with the noisy labels.
        seeds: of each kind.
        groups: names of detectors that read the same evidence.

    Raises:
        InputError: every detector failed, or no label became wrong.
    """
    cells = list(product(kinds, range(seeds)))
    found: dict[str, list[Findings]] = {name: [] for name in detectors}
    seconds: dict[str, list[float]] = {name: [] for name in detectors}
    megabytes: dict[str, float] = {}
    left_out: dict[str, str] = {}
    wrong: list[Array] = []
    for number, (kind, seed) in enumerate(cells):
        noisy = kinds[kind](seed)
        wrong.append(noisy != base.labels)
        if not wrong[-1].any():
            raise InputError(f"{kind} noise made none of {len(base)} labels wrong: give more")
        dataset = prepare(base.relabeled(noisy))
        for name, detector in detectors.items():
            if name in left_out:
                continue
            try:
                findings, took, peak = _watched(detector, dataset, memory=number == 0)
            except Exception as error:  # of one detector, maybe somebody else's: the others go on
                left_out[name] = " ".join(str(error).split()) or type(error).__name__
                continue
            found[name].append(findings)
            seconds[name].append(took)
            megabytes.setdefault(name, peak)
        progress(number + 1, len(cells), "trial")
    alone = [name for name in detectors if name not in left_out]
    if not alone:
        raise InputError("every detector failed: " + "; ".join(map(": ".join, left_out.items())))
    scores = {name: _scores(wrong, [one.suspicion for one in found[name]]) for name in alone}
    for members in () if groups is None else _together(scores, groups):
        ranks = [mean_rank([found[name][cell] for name in members]) for cell in range(len(cells))]
        scores[TOGETHER.join(members)] = _scores(wrong, ranks)
    shape = len(kinds), seeds
    parts = [name.split(TOGETHER) for name in scores]
    return Trials(
        names=tuple(scores),
        kinds=tuple(kinds),
        average_precision=np.stack([one[:, 0].reshape(shape) for one in scores.values()]),
        f1=np.stack([one[:, 1].reshape(shape) for one in scores.values()]),
        seconds=np.array([sum(float(np.median(seconds[one])) for one in part) for part in parts]),
        megabytes=np.array([max(megabytes[one] for one in part) for part in parts]),
        left_out=left_out,
    )


def _watched(
    detector: Detector, dataset: Dataset, *, memory: bool
) -> tuple[Findings, float, float]:
    """Return findings, seconds and megabytes; watching memory takes time, so once is enough."""
    if memory:
        tracemalloc.start()
    start = time.perf_counter()
    try:
        findings = detector.detect(shown_to(detector, dataset))
        seconds = time.perf_counter() - start
        peak = tracemalloc.get_traced_memory()[1] / 1e6 if memory else 0.0
    finally:
        if memory:
            tracemalloc.stop()
    return findings.for_ids(dataset), seconds, peak


def _scores(wrong: Sequence[Array], suspicion: Sequence[Array]) -> NDArray[np.float64]:
    return np.array([quality(*pair) for pair in zip(wrong, suspicion, strict=True)])


def _together(
    scores: Mapping[str, NDArray[np.float64]], groups: Sequence[Sequence[str]]
) -> list[tuple[str, ...]]:
    """Choose detectors that judge together; within each, the best first."""
    means: dict[str, float] = {}
    for name, one in sorted(scores.items(), key=lambda pair: -float(pair[1][:, 0].mean())):
        # Several detectors may rank alike; their mean would be nothing new.
        if not any(np.allclose(one, scores[better], atol=1e-9) for better in means):
            means[name] = float(one[:, 0].mean())
    best = list(means)
    of_groups = [next((name for name in best if name in group), "") for group in groups]
    of_groups = [name for name in of_groups if name]
    of_groups.sort(key=lambda name: -means[name])
    chosen = [tuple(best[:2]), tuple(best[:3]), tuple(of_groups)]
    return list(dict.fromkeys(one for one in chosen if len(one) > 1))
