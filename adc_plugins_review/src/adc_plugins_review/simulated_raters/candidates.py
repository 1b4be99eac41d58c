"""Raters to choose from: classifiers that learned from some samples and label others."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from adc_core.components import progress

HELD_OUT = ("held_out_accuracy", "held_out_loss")
"""What is known of every candidate."""

Judge = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Gives rows of the dataset scores, rows × K: logs of probabilities, up to a constant of a row."""


class Teacher(Protocol):
    """Trains candidates of one sort."""

    @property
    def count(self) -> int:
        """How many candidates there are."""

    @property
    def facts(self) -> tuple[str, ...]:
        """Names of what is known of a candidate beside its held-out figures."""

    def known(self, number: int, samples: int) -> tuple[float, ...]:
        """Return these facts of a candidate that could learn from so many samples."""

    def teach(self, half: int, number: int, rows: NDArray[np.int64]) -> Judge:
        """Train a candidate on no other rows than these."""


class Candidates(NamedTuple):
    """What the candidates say, and what is known of them.

    Attributes:
        label: C × N class indices; -1 where a candidate was not asked.
        error: C shares of wrong labels on held-out samples.
        agreement: C × C shares of held-out samples on which two of them agree.
        facts: C × f: held-out accuracy and log loss, and what the teacher knows.
        fact_names: f names.
    """

    label: NDArray[np.int32]
    error: NDArray[np.float64]
    agreement: NDArray[np.float64]
    facts: NDArray[np.float32]
    fact_names: tuple[str, ...]


def train_candidates(
    teacher: Teacher,
    labels: NDArray[np.int64],
    halves: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    held_out: float,
    seed: int,
) -> Candidates:
    """Train candidates on some samples, and let them label others.

    Args:
        teacher: trains them.
        labels: N true class indices.
        halves: rows to learn from and rows to label, once for each half.
        held_out: share of the rows to learn from that no candidate is trained on.
        seed: of what is held out.
    """
    count, samples = teacher.count, 0
    label = np.full((count, len(labels)), -1, np.int32)
    errors, losses = np.zeros((len(halves), count)), np.zeros((len(halves), count))
    agreement = np.zeros((count, count))
    for half, (learn, told) in enumerate(halves):
        rng = np.random.default_rng([seed, 2, half])
        held = _stratified(labels[learn], held_out, rng)
        train, test = learn[~held], learn[held]
        samples = max(samples, len(train))
        said = np.empty((count, len(test)), np.int64)
        for number in range(count):
            judge = teacher.teach(half, number, train)
            scores = judge(test)
            said[number] = scores.argmax(axis=1)
            errors[half, number] = (said[number] != labels[test]).mean()
            likely = logsumexp(scores, axis=1) - scores[np.arange(len(test)), labels[test]]
            losses[half, number] = likely.mean()
            label[number, told] = judge(told).argmax(axis=1)
            progress(half * count + number + 1, len(halves) * count, "raters")
        agreement += _agreement(said)
    error = errors.mean(axis=0)
    facts = [
        (1 - error[number], losses[:, number].mean(), *teacher.known(number, samples))
        for number in range(count)
    ]
    return Candidates(
        label,
        error,
        agreement / len(halves),
        np.array(facts, np.float32),
        (*HELD_OUT, *teacher.facts),
    )


def _stratified(
    labels: NDArray[np.int64], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Mark a share of each class, at least one sample, and leave at least one."""
    marked = np.zeros(len(labels), np.bool_)
    for k in np.unique(labels).tolist():
        rows = rng.permutation(np.flatnonzero(labels == k))
        marked[rows[: min(len(rows) - 1, max(1, round(share * len(rows))))]] = True
    return marked


def _agreement(said: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute shares of columns in which two rows are alike."""
    count, M = said.shape
    same = np.zeros((count, count))
    for k in np.unique(said).tolist():
        chosen = (said == k).astype(np.float64)
        same += chosen @ chosen.T
    shares: NDArray[np.float64] = same / M
    return shares
