"""Audits: how many labels are wrong, by looking at a few hundred of them.

An estimate of the noise rate rests on a model; an audit rests on the draw alone. Labels are drawn
at random in strata of suspicion, somebody judges them without knowing the stratum, and the answer
holds for any detector, good or misleading: a bad one makes the interval wider, never wrong.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import Estimate, Findings, InputError
from adc_core.arrays import Array, Labels
from adc_core.records import Record
from adc_core.reporting import flagged_by_any, most_suspicious_first
from adc_plugins_detect.noise.exact_bounds import (
    Counts,
    lower_points,
    quantile,
    summed,
    upper_points,
)

CONFIDENCE = 0.95
FLAGGED, NEAR, FAR = 0, 1, 2
"""Groups of labels: flagged ones, the more suspicious of the others, and the rest."""

_STRATA = {FLAGGED: 4, NEAR: 3, FAR: 6}
_NEAR = 0.2
_NEAR_FROM_RATE = 0.05
"""Where fewer labels are wrong, or the evidence is not known to be fair, a third group makes the
interval wider: its own bound costs more than its purity saves (`benchmarks/audits.py`)."""

_LEAST_SHARE = 0.2


class AuditSample(Record):
    """Labels that were drawn to be looked at, in the order of looking.

    Attributes:
        rows: n row numbers of the samples, in random order.
        strata: n numbers of the strata that they were drawn from.
        sizes: S sizes of the strata, in labels.
        groups: S groups of the strata: 0 flagged, 1 the more suspicious of the others, 2 the rest.
            Within a group every label had the same chance to be drawn.
    """

    rows: Labels
    strata: Labels
    sizes: Labels
    groups: Labels


class Audit(Record):
    """What an audit says.

    Attributes:
        noise_rate: share of wrong labels in all.
        precision: share of wrong labels among the flagged ones, or None without flagged ones.
        recall: share of the flagged ones among the wrong labels, or None where the audit found
            no wrong label.
        confidence: each interval holds the truth with at least this probability.
        judged: labels with an answer, right or wrong.
        unsure: labels that the person could not judge; they count both ways.
        skipped: labels without an answer before the last answered one; they count both ways,
            since people skip what is hard.
        unreached: labels after the last answered one; they do not count, and do no harm.
        wrong: labels judged wrong.
    """

    noise_rate: Estimate
    precision: Estimate | None
    recall: Estimate | None
    confidence: float = CONFIDENCE
    judged: int
    unsure: int
    skipped: int
    unreached: int
    wrong: int


def audit_sample(
    findings: Findings | Collection[Findings], n: int = 200, seed: int = 0
) -> AuditSample:
    """Draw labels to look at, in strata of suspicion.

    The labels make two or three groups: flagged, where the evidence is fair and many labels are
    wrong the next fifth by suspicion, and the rest. Looks are allocated to groups as Neyman did
    (1934), in proportion to size × standard deviation by what the findings expect, since this makes
    the interval narrowest; but each group gets at least a fifth of the looks (or all its labels),
    so that the precision of the flags is known too and a mistaken expectation costs little. Within
    a group the strata are drawn in proportion to their size, so that its labels have one chance and
    exact bounds hold for the group as a whole.

    Args:
        findings: of one detector, or of several about the same samples.
        n: how many labels to draw; all where there are fewer.
        seed: of the draw.

    Raises:
        InputError: no findings, or n below 1.
    """
    every = (findings,) if isinstance(findings, Findings) else tuple(findings)
    if not every:
        raise InputError("an audit needs the findings of at least one detector: give some")
    if n < 1:
        raise InputError(f"n is {n}: an audit looks at 1 label or more")
    order = most_suspicious_first(every)
    flagged = int(flagged_by_any(every).sum())
    rate = _expected_rate(every)
    near = round(_NEAR * (len(order) - flagged)) if _worth_three_groups(every, rate) else 0
    members = np.split(order, [flagged, flagged + near])
    group_sizes = np.array([len(group) for group in members])
    looks = _allocate(group_sizes, _expected(every, group_sizes, rate), min(n, len(order)))
    rng = np.random.default_rng(seed)
    rows: list[Array] = []
    strata: list[Array] = []
    sizes: list[int] = []
    groups: list[int] = []
    for group, (member, look) in enumerate(zip(members, looks.tolist(), strict=True)):
        if not len(member):
            continue
        parts = max(1, min(_STRATA[group], look // 2))
        drawn = np.diff(np.linspace(0, look, parts + 1).round().astype(int))
        ends = (len(member) * np.cumsum(drawn) / max(1, look)).round().astype(int)[:-1]
        for stratum, count in zip(np.split(member, ends), drawn.tolist(), strict=True):
            rows.append(rng.choice(stratum, count, replace=False))
            strata.append(np.full(count, len(sizes)))
            sizes.append(len(stratum))
            groups.append(group)
    shuffled = rng.permutation(int(looks.sum()))
    return AuditSample(
        rows=np.concatenate(rows)[shuffled],
        strata=np.concatenate(strata)[shuffled],
        sizes=np.array(sizes),
        groups=np.array(groups),
    )


def audited(sample: AuditSample, wrong: ArrayLike, confidence: float = CONFIDENCE) -> Audit:
    """Answer how many labels are wrong, and how good the flags are, from what was looked at.

    Labels after the last answer are taken as not reached: the order is random, so what was reached
    is a random sample as well.

    Args:
        sample: what `audit_sample` drew.
        wrong: n numbers in its order: 1 the label is wrong, 0 right, 0.5 not sure, NaN no answer.
        confidence: of each interval, at least.

    Raises:
        InputError: another length, other numbers, or no answer at all.
    """
    given = np.asarray(wrong, np.float64)
    if given.shape != sample.rows.shape:
        raise InputError(
            f"there are {given.size} answers for {len(sample.rows)} labels: give one for each"
        )
    known = ~np.isnan(given)
    if not np.isin(given[known], (0.0, 0.5, 1.0)).all():
        raise InputError("an answer is 1 (wrong), 0 (right), 0.5 (not sure) or NaN (none)")
    if not (given[known] != 0.5).any():
        raise InputError("no label is judged yet: look at some and say whether each is wrong")
    reached = int(np.flatnonzero(known)[-1]) + 1
    skipped = int((~known[:reached]).sum())
    answers = np.where(known, given, 0.5)[:reached]
    strata = sample.strata[:reached]
    counts = [_counts(sample, group, strata, answers) for group in (FLAGGED, NEAR, FAR)]
    bounds = _Bounds(counts, (1 - confidence) / 2)
    means = _means(sample, strata, answers)
    shares = np.bincount(sample.groups, sample.sizes, minlength=3)
    return Audit(
        noise_rate=_estimate(*bounds.noise_rate(), float(means @ shares / shares.sum())),
        precision=_estimate(*bounds.precision(), float(means[FLAGGED])) if shares[0] else None,
        recall=_estimate(*bounds.recall(), float(means[0] * shares[0] / (means @ shares)))
        if (answers == 1).any()
        else None,
        confidence=confidence,
        judged=int((answers != 0.5).sum()),
        unsure=int((given[known] == 0.5).sum()),
        skipped=skipped,
        unreached=len(given) - reached,
        wrong=int((answers == 1).sum()),
    )


class _Bounds:
    """Bounds of sums and ratios over the groups, each wrong with probability alpha at most."""

    def __init__(self, counts: list[Counts], alpha: float) -> None:
        self._alpha = alpha
        self._sizes = [group.size for group in counts]
        there = [group for group in counts[1:] if group.size]
        nothing = Counts(0, 0, 0, 0)
        flagged, others = counts[FLAGGED], there or [nothing]
        self._flagged = lower_points(flagged), upper_points(flagged)
        self._others = (
            summed([lower_points(group) for group in others], upper=False),
            summed([upper_points(group) for group in others], upper=True),
        )

    def noise_rate(self) -> tuple[float, float]:
        low = self._flagged[0][:, None] + self._others[0]
        high = self._flagged[1][:, None] + self._others[1]
        n = sum(self._sizes)
        return self._low(low) / n, self._high(high) / n

    def precision(self) -> tuple[float, float]:
        low, high = self._flagged
        return self._low(low) / self._sizes[0], self._high(high) / self._sizes[0]

    def recall(self) -> tuple[float, float]:
        low = _share(self._flagged[0][:, None], self._others[1], 0.0)
        high = _share(self._flagged[1][:, None], self._others[0], 1.0)
        return self._low(low), self._high(high)

    def _low(self, points: NDArray[np.float64]) -> float:
        return quantile(points, self._alpha, upper=False)

    def _high(self, points: NDArray[np.float64]) -> float:
        return quantile(points, 1 - self._alpha, upper=True)


def _share(
    part: NDArray[np.float64], rest: NDArray[np.float64], empty: float
) -> NDArray[np.float64]:
    whole = part + rest
    share = np.full(whole.shape, empty)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def _counts(sample: AuditSample, group: int, strata: Array, answers: NDArray[np.float64]) -> Counts:
    mine = answers[sample.groups[strata] == group]
    size = int(sample.sizes[sample.groups == group].sum())
    return Counts(size, len(mine), int((mine == 1).sum()), int((mine > 0).sum()))


def _means(sample: AuditSample, strata: Array, answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate the share of wrong labels in each group, doubtful ones by halves.

    Weighted by strata, where each was reached; otherwise the plain mean, which is unbiased as well.
    A group that was not reached at all gets the mean of all.
    """
    means = np.full(3, answers.mean())
    seen = np.bincount(strata, minlength=len(sample.sizes))
    found = np.bincount(strata, answers, minlength=len(sample.sizes))
    for group in range(3):
        mine = sample.groups == group
        if mine.any() and seen[mine].all():
            means[group] = np.average(found[mine] / seen[mine], weights=sample.sizes[mine])
        elif seen[mine].any():
            means[group] = found[mine].sum() / seen[mine].sum()
    return means


def _estimate(low: float, high: float, point: float) -> Estimate:
    return Estimate(low=low, point=min(max(point, low), high), high=high)


def _expected_rate(findings: Collection[Findings]) -> float:
    """Guess the noise rate, to plan by; a bad guess only costs width."""
    estimates = [
        rate
        for found in findings
        if (rate := found.noise_range.point if found.noise_range else found.noise_rate) is not None
    ]
    return float(np.mean(estimates)) if estimates else 0.1


def _worth_three_groups(findings: Collection[Findings], rate: float) -> bool:
    fair = [found.evidence is not None and found.evidence.verdict != "poor" for found in findings]
    return all(fair) and rate >= _NEAR_FROM_RATE


def _expected(findings: Collection[Findings], sizes: Array, rate: float) -> NDArray[np.float64]:
    """Guess the share of wrong labels in each group, to plan by."""
    estimates = [found.precision.point for found in findings if found.precision is not None]
    precision = float(np.mean(estimates)) if estimates else 0.6
    missed = max(rate * sizes.sum() - precision * sizes[FLAGGED], 0.1 * rate * sizes.sum())
    # Half of what is missed is among the next suspicious, where they are a group.
    share = np.array([0.5, 0.5]) if sizes[NEAR] else np.array([0.0, 1.0])
    others = missed * share / np.maximum(1, sizes[NEAR:])
    expected: NDArray[np.float64] = np.clip(np.array([precision, *others]), 0.01, 0.9)
    return expected


def _allocate(sizes: Array, expected: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Split n looks among the groups: Neyman's shares, a fifth each at least, all at most."""
    there = sizes > 0
    shares = sizes * np.sqrt(expected * (1 - expected))
    shares = shares / shares.sum()
    least = _LEAST_SHARE * there
    shares = least + (1 - least.sum()) * shares
    looks = np.zeros(len(sizes), np.int64)
    # A group that is smaller than its share is looked at whole; its looks go to the others.
    for _ in sizes:
        free = there & (looks < sizes)
        left = n - looks.sum()
        if not left or not free.any():
            break
        wanted = np.where(free, shares, 0)
        ends = (left * np.cumsum(wanted) / wanted.sum()).round().astype(np.int64)
        looks = np.minimum(looks + np.diff(ends, prepend=0), sizes)
    return looks
