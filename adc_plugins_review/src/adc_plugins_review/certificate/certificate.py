"""The certificate: an upper bound of the wrong labels that are left after a review."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import InputError
from adc_core.records import Record
from adc_plugins_review.certificate.alpha import FOR_GOLD, Alpha
from adc_plugins_review.certificate.any_time import BettingTest
from adc_plugins_review.certificate.bounds import exact_upper, miss_rate_upper, undo_misses


class Gold(NamedTuple):
    """Control questions whose label is wrong.

    Attributes:
        shown: so many were decided.
        missed: so many of them were accepted.
    """

    shown: int
    missed: int


class ClassBound(Record):
    """An upper bound for the samples of one class, at 95 % for itself alone.

    Attributes:
        name: of the class.
        population: its samples that were not in the repair part.
        drawn: those of them that were audited.
        found: those of these that were judged wrong.
        upper: of the wrong ones among the population that are left.
    """

    name: str
    population: int
    drawn: int
    found: int
    upper: int


class Bound(Record):
    """How many wrong labels are left at most, and what follows from what.

    Attributes:
        look: whether it holds at a planned end, or at any time.
        population: samples under review.
        repaired: those looked at because they were suspect.
        repaired_wrong: judged wrong and removed.
        repaired_open: not decided: counted as wrong and left.
        drawn: the others that were drawn at random and count; at any time, those up to the first
            that is not decided.
        drawn_wrong: judged wrong of these.
        drawn_open: not decided: counted as wrong and left.
        removed: judged wrong among all that were not in the repair part.
        dropped: samples that leave the dataset.
        gold_shown: control questions with a wrong label; 0 none.
        gold_missed: those that were accepted.
        miss_upper: bound of the share of wrong labels that people let pass.
        judged_upper: bound of the labels outside the repair part that are, or would be, judged
            wrong.
        wrong_upper: bound of the wrong labels before the review.
        left_upper: bound of the wrong labels that are left.
        rate_upper: their share of the samples that are left.
        rate_without_repairs: bound of the share if nothing that was judged wrong had left.
        best_guess: the share that is left if the audit is as the rest.
    """

    look: Literal["once", "any"]
    population: int = Field(ge=1)
    repaired: int
    repaired_wrong: int
    repaired_open: int = 0
    drawn: int
    drawn_wrong: int
    drawn_open: int = 0
    removed: int
    dropped: int
    gold_shown: int = 0
    gold_missed: int = 0
    miss_upper: float
    judged_upper: int
    wrong_upper: int
    left_upper: int
    rate_upper: float
    rate_without_repairs: float
    best_guess: float


def certify(
    repair: ArrayLike,
    audit: ArrayLike,
    *,
    population: int,
    dropped: int | None = None,
    removed: int | None = None,
    gold: Gold | None = None,
    alpha: Alpha | None = None,
    audit_upper: int | None = None,
) -> Bound:
    """Bound the share of wrong labels that a review leaves behind.

    The audited samples must be a simple random sample of those outside the repair part, of a size
    that was fixed before; or `audit_upper` is a bound that is valid otherwise. Verdicts must not
    depend on whether a sample is in the audit. No more is assumed: nothing about the detector that
    chose the repair part. With control questions wrong means truly wrong, if people let each wrong
    label pass with the same chance, independently of the sample; without them it means what these
    people would not accept.

    Args:
        repair: verdicts of the samples looked at because they are suspect: 1 right, -1 wrong,
            0 open.
        audit: verdicts of the random sample of the others.
        population: samples under review.
        dropped: samples that leave the dataset; by default those judged wrong.
        removed: samples outside the repair part that are judged wrong and leave; by default those
            of the audit.
        gold: control questions, or None.
        alpha: chances of error; by default 0.05, of which 0.01 are for the control questions.
        audit_upper: bound of those judged wrong outside the repair part, valid with `alpha.audit`.

    Raises:
        InputError: there are more verdicts than samples, or no sample was audited.
    """
    first, drawn = np.asarray(repair, np.int64), np.asarray(audit, np.int64)
    rest = population - len(first)
    if len(drawn) > rest:
        raise InputError(f"{len(drawn)} audited samples of {rest} outside the repair part")
    if not len(drawn) and rest:
        raise InputError("no sample was audited: nothing is known of those not looked at")
    alpha = alpha or (Alpha() if gold is None else Alpha(audit=0.05 - 2 * FOR_GOLD))
    wrong, open_ = int((drawn < 0).sum()), int((drawn == 0).sum())
    found, unknown = int((first < 0).sum()), int((first == 0).sum())
    removed = wrong if removed is None else removed
    dropped = found + removed if dropped is None else dropped
    if audit_upper is None:
        audit_upper = exact_upper(rest, len(drawn), wrong + open_, alpha.audit) if rest else 0
    audit_upper = max(audit_upper, removed)
    miss = 0.0 if gold is None else miss_rate_upper(*gold, alpha.gold)
    judged = found + unknown + audit_upper
    most = undo_misses(judged, population, miss, alpha.thinning)
    left = most - found - removed
    remaining = max(1, population - dropped)
    guess = (wrong + open_) / len(drawn) * rest if len(drawn) else 0.0
    return Bound(
        look="once",
        population=population,
        repaired=len(first),
        repaired_wrong=found,
        repaired_open=unknown,
        drawn=len(drawn),
        drawn_wrong=wrong,
        drawn_open=open_,
        removed=removed,
        dropped=dropped,
        gold_shown=0 if gold is None else gold.shown,
        gold_missed=0 if gold is None else gold.missed,
        miss_upper=miss,
        judged_upper=audit_upper,
        wrong_upper=most,
        left_upper=left,
        rate_upper=min(1.0, left / remaining),
        rate_without_repairs=min(1.0, most / (remaining + found + removed)),
        best_guess=min(1.0, max(0.0, guess + unknown - removed) / remaining),
    )


def certify_any_time(
    repair: ArrayLike,
    audit: ArrayLike,
    *,
    weights: ArrayLike,
    expected: ArrayLike,
    places: ArrayLike,
    population: int,
    dropped: int | None = None,
    removed: int | None = None,
    gold: Gold | None = None,
    alpha: Alpha | None = None,
) -> Bound:
    """Bound the share of wrong labels at any time, of an audit by weights.

    The longest part of the audit's order counts all of whose samples are decided, whatever decides
    how long that is.

    Args:
        repair: verdicts of the repair part: 1 right, -1 wrong, 0 open.
        audit: verdicts in the order of the audit.
        weights: M sampling weights of the samples outside the repair part.
        expected: their M chances of being judged wrong, as believed before.
        places: which of the M each sample of the audit is, in the order in which they were drawn.
        population: samples under review.
        dropped: samples that leave the dataset; by default those judged wrong.
        removed: samples outside the repair part that are judged wrong and leave; by default those
            of the audit.
        gold: control questions, or None.
        alpha: chances of error; by default 0.05, of which 0.01 are for the control questions.

    Raises:
        InputError: the first sample of the audit is not decided.
    """
    drawn: NDArray[np.int64] = np.asarray(audit, np.int64)
    alpha = alpha or (Alpha() if gold is None else Alpha(audit=0.05 - 2 * FOR_GOLD))
    undecided = drawn == 0
    looks = int(undecided.argmax()) if undecided.any() else len(drawn)
    if not looks:
        raise InputError("the first sample of the audit is not decided: nothing is known yet")
    test = BettingTest(drawn[:looks] < 0, places, weights, expected)
    bound = certify(
        repair,
        drawn[:looks],
        population=population,
        dropped=dropped,
        removed=int((drawn < 0).sum()) if removed is None else removed,
        gold=gold,
        alpha=alpha,
        audit_upper=test.upper(looks, alpha.audit),
    )
    return bound.replace(look="any")


def class_bounds(
    labels: NDArray[np.int64],
    verdict: NDArray[np.int64],
    repair: NDArray[np.int64],
    audit: NDArray[np.int64],
    classes: tuple[str, ...],
    alpha: float,
) -> tuple[ClassBound, ...]:
    """Bound the wrong labels of each class, each at its own confidence.

    Within a class the audited samples are a simple random sample of those outside the repair part.

    Args:
        labels: N given labels.
        verdict: N verdicts: 1 right, -1 wrong, 0 open.
        repair: rows of the repair part.
        audit: rows of the audit.
        classes: K names.
        alpha: chance of error of each.
    """
    K = len(classes)
    outside = np.ones(len(labels), np.bool_)
    outside[repair] = False
    population = np.bincount(labels[outside], minlength=K)
    drawn = np.bincount(labels[audit], minlength=K)
    doubtful = np.bincount(labels[audit][verdict[audit] <= 0], minlength=K)
    found = np.bincount(labels[audit][verdict[audit] < 0], minlength=K)
    return tuple(
        ClassBound(
            name=name,
            population=int(population[k]),
            drawn=int(drawn[k]),
            found=int(found[k]),
            upper=exact_upper(int(population[k]), int(drawn[k]), int(doubtful[k]), alpha)
            - int(found[k])
            if drawn[k]
            else int(population[k]),
        )
        for k, name in enumerate(classes)
    )
