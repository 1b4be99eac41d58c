"""How far people agree, and whether their answers depend on the label at all."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_plugins_review.aggregation.agreement import Agreement, krippendorff_interval
from adc_plugins_review.campaign.store import Store

FEWEST = 200
"""Votes on samples that others voted on too, below which a rater's discernment is not shown. With a
twentieth of the labels wrong, one of ten people who look is below .3 by chance then, and one of a
hundred from 300 votes on; who always says yes is at 0 always."""

MOST_CLASSES = 50
"""Classes of which agreement is shown: those with most samples."""


class Answers(NamedTuple):
    """Answers to "is this the label?" that count, in the order in which they came.

    Attributes:
        item: V numbers of samples, 0…N-1.
        rater: V ids of raters.
        label: V class indices that the answers are about.
        answer: V answers: 1 yes, 0 unsure, -1 no.
    """

    item: NDArray[np.int64]
    rater: NDArray[np.int64]
    label: NDArray[np.int64]
    answer: NDArray[np.int64]


def counted_answers(store: Store) -> Answers:
    """Return the answers of people whose votes count, without control questions."""
    rows = store.db.execute(
        "SELECT vote.item, vote.rater, vote.label, answer FROM vote JOIN item ON item.id = "
        "vote.item JOIN rater ON rater.id = vote.rater WHERE task = 'vote' AND part <> 'gold' "
        "AND state NOT IN ('stopped', 'blocked') ORDER BY event"
    ).fetchall()
    columns = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 4).T
    _, item = np.unique(columns[0], return_inverse=True)
    return Answers(item, *columns[1:])


class AgreementFigures(NamedTuple):
    """What answers say of people.

    Attributes:
        overall: agreement on all samples.
        classes: class index to agreement on its samples, those with most samples first.
        discernment: rater to the share of the answers that depends on whether the label is right:
            0 none … 1 all, the total variation between the answers to right and to wrong labels
            as Dawid and Skene's method estimates them (after Raykar and Yu 2012).
    """

    overall: Agreement
    classes: dict[int, Agreement]
    discernment: dict[int, float]


def agreement_figures(answers: Answers) -> AgreementFigures:
    """Sum up answers."""
    N = int(answers.item.max()) + 1 if len(answers.item) else 0
    places = answers.item * 3 + answers.answer + 1
    counts = np.bincount(places, minlength=3 * N).reshape(N, 3)
    label = np.zeros(N, np.int64)
    label[answers.item] = answers.label
    compared = counts.sum(axis=1) >= 2
    samples = np.bincount(label[compared])
    most = np.argsort(-samples, kind="stable")[:MOST_CLASSES]
    return AgreementFigures(
        krippendorff_interval(counts),
        {int(k): krippendorff_interval(counts[label == k]) for k in most if samples[k]},
        _discernment(answers, compared),
    )


def _discernment(answers: Answers, compared: NDArray[np.bool_]) -> dict[int, float]:
    shared = compared[answers.item]
    raters, rater = np.unique(answers.rater[shared], return_inverse=True)
    number = np.bincount(rater)
    if not (number >= FEWEST).any():
        return {}
    # It needs SciPy, which takes longer to import than the server to start without it.
    from adc_plugins_review.aggregation.verdicts import verification

    found = verification(
        answers.item[shared], rater, answers.answer[shared], items=len(compared), raters=len(raters)
    )
    apart = np.abs(found.confusion[:, 0] - found.confusion[:, 1]).sum(axis=1) / 2
    enough = number >= FEWEST
    return dict(zip(raters[enough].tolist(), apart[enough].tolist(), strict=True))


class KeptFigures:
    """The figures, computed again only after somebody has answered."""

    def __init__(self) -> None:
        self._kept: tuple[Answers, AgreementFigures] | None = None

    def of(self, answers: Answers) -> AgreementFigures:
        """Return the figures of these answers."""
        kept = self._kept
        if kept is None or not all(map(np.array_equal, kept[0], answers)):
            self._kept = kept = (answers, agreement_figures(answers))
        return kept[1]
