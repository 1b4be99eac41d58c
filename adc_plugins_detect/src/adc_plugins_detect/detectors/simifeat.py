"""SimiFeat: a label that its neighbors in a frozen feature space do not share is suspicious."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Lt
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import Column, Dataset, Detector, Findings, InputError, Neighbors
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_ids, as_labels, needed, of_type, same_length
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.knn.votes import count_votes
from adc_plugins_detect.noise.hoc import DUPLICATE_SIMILARITY, TransitionEstimate, hoc
from adc_plugins_detect.options import ClassCount, Positive

MAX_RATE = 0.95
"""No more than this share of a class is flagged by rank."""

Voters = Annotated[int, Ge(3)]
"""The sample and two neighbors at least."""

LeastRate = Annotated[float, Ge(0), Lt(MAX_RATE)]
Rule = Literal["rank", "vote"]


@array_function
def simifeat(
    labels: ArrayLike,
    evidence: ArrayLike | Neighbors,
    *,
    k: Voters = 10,
    rule: Rule = "rank",
    min_rate: LeastRate = 0.0,
    transition: TransitionEstimate | None = None,
    duplicate_similarity: Positive = DUPLICATE_SIMILARITY,
    n_classes: ClassCount | None = None,
    classes: Sequence[str] = (),
    ids: ArrayLike | None = None,
) -> Findings:
    """Find wrong labels by the votes of neighbors (Zhu, Dong and Liu, ICML 2022).

    Each sample and its nearest neighbors vote for their labels, by similarity. Suspicion is one
    minus the cosine between these votes and the given label alone; the paper's score, minus its
    logarithm, orders samples alike.

    Args:
        labels: N given labels.
        evidence: N × D features, or their k-NN graph (k - 1 neighbors at least).
        k: voters, the sample itself among them: 10 are the sample and 9 neighbors.
        rule: `vote` flags a sample whose label loses the vote. `rank` flags the most suspicious
            samples of every class, as many as the transition matrix says are wrong.
        min_rate: by rank, flag at least this share of every class. The paper's code takes 0.05,
            which flags samples of clean data too.
        transition: by rank, a known noise model; by default `hoc` estimates it.
        duplicate_similarity: `hoc` takes neighbors above this cosine for copies. They do vote:
            remove copies from a dataset before judging its labels.
        n_classes: K; by default the largest label says.
        classes: K names in the order of their numbers, for warnings, and for labels that are names;
            by default these sorted.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the winner of the vote as suggestion and its share of the votes as
        confidence; by rank also with the transition matrix and its noise rate.

    Raises:
        InputError: arrays of other shapes, fewer neighbors than k - 1, fewer than 3 voters.

    Warns:
        UserWarning: the estimated transition matrix cannot be trusted.
    """
    given = as_labels(labels, n_classes)
    K = n_classes or number_of_classes(given)
    graph = evidence if isinstance(evidence, Neighbors) else nearest_neighbors(evidence, k - 1)
    same_length(given, graph.indices, "neighbors")
    if graph.k < k - 1:
        raise InputError(
            f"{k} voters are the sample and {k - 1} neighbors, but the graph has {graph.k}: "
            "search more neighbors or lower k"
        )
    indices, similarities = graph.first(k - 1)
    votes = count_votes(given, given[indices], similarities)
    differs = votes.winner != given
    if rule == "vote":
        flagged, noise_rate = differs, float(differs.mean())
    else:
        if transition is not None:
            of_type(transition, TransitionEstimate, "transition", "hoc")
        else:
            near = Neighbors(indices=indices, similarities=similarities)
            transition = hoc(
                given,
                near,
                n_classes=K,
                duplicate_similarity=duplicate_similarity,
                classes=classes,
            )
        rates = wrong_rates(given, transition, min_rate)
        flagged, noise_rate = flag_by_rank(given, votes.agreement, rates), transition.noise_rate
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=1 - votes.agreement,
        flagged=flagged,
        suggested_labels=np.where(differs, votes.winner, -1),
        suggestion_confidence=np.where(differs, votes.share, np.nan),
        transition=None if transition is None else transition.transition,
        noise_rate=noise_rate,
    )


class SimiFeat(Detector):
    """Flags labels that disagree with their nearest neighbors in feature space."""

    requires: ClassVar[tuple[str, ...]] = ("neighbors",)

    k: Voters = Field(default=10, description="voters, the sample itself among them")
    rule: Rule = Field(
        default="rank", description="flag by rank, as many as are estimated wrong, or by lost votes"
    )
    min_rate: LeastRate = Field(
        default=0.0, description="by rank, flag at least this share of every class"
    )
    duplicate_similarity: Positive = Field(
        default=DUPLICATE_SIMILARITY,
        description="above this cosine neighbors are copies, which say nothing about the noise",
    )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The voters but the sample itself."""
        return (Column("neighbors", k=self.k - 1),)

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's neighbors."""
        return simifeat(
            dataset.labels,
            needed(dataset.neighbors, "neighbors", "the enricher neighbors"),
            k=self.k,
            rule=self.rule,
            min_rate=self.min_rate,
            duplicate_similarity=self.duplicate_similarity,
            n_classes=len(dataset.classes),
            classes=dataset.classes,
            ids=dataset.ids,
        )


def wrong_rates(
    labels: NDArray[np.int64], estimate: TransitionEstimate, min_rate: float = 0.0
) -> NDArray[np.float64]:
    """Return K shares of wrong labels among each given label's samples, by Bayes' rule.

    Args:
        labels: N given labels.
        estimate: the noise model.
        min_rate: the least share to answer.

    Raises:
        InputError: the noise model is of another number of classes.
    """
    K = len(estimate.prior)
    if estimate.transition.shape != (K, K) or labels.max() >= K:
        raise InputError(
            f"a transition matrix {estimate.transition.shape} and a prior of {K} classes do not "
            f"suit labels up to {labels.max()}"
        )
    shares = np.bincount(labels, minlength=K) / len(labels)
    right = estimate.transition.diagonal() * estimate.prior / np.maximum(shares, 1e-300)
    return np.clip(1 - right, min_rate, MAX_RATE)


def flag_by_rank(
    labels: NDArray[np.int64], agreement: NDArray[np.float64], rates: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Flag the samples of each given label beyond a percentile of suspicion.

    None is flagged at rate zero, nor where all votes are for the given label: in clean data most
    samples share that score, and the percentile would flag them all.

    Args:
        labels: N given labels.
        agreement: N shares in 0…1; the lowest are the most suspicious.
        rates: K shares of each label to flag.
    """
    score = -np.log(agreement + 1e-8)
    flagged = np.zeros(len(labels), np.bool_)
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=len(rates)))
    for rows, rate in zip(np.split(order, ends[:-1]), rates, strict=True):
        if rate > 0 and len(rows):
            flagged[rows] = score[rows] >= np.percentile(score[rows], 100 * (1 - rate))
    return flagged & (agreement < 1 - 1e-12)
