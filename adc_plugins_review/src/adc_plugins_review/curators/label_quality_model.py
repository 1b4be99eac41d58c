"""The label quality model as a curator: votes are corrected by what an expert's votes teach."""

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from adc_core import Curation, Curator, Dataset, Findings, InputError, Votes
from adc_core.arrays import Array, chunks
from adc_plugins_review.label_quality.clean_pairs import (
    CleanPairs,
    consensus_pairs,
    ordinary_votes,
    trusted_pairs,
)
from adc_plugins_review.label_quality.confusion import confusion_rows
from adc_plugins_review.label_quality.mixing import (
    clearly_best,
    draw_labels,
    gamma_by_accuracy,
    gamma_by_loss,
)
from adc_plugins_review.label_quality.network import Network, network_inputs, train_network


class _Learned(NamedTuple):
    network: Network
    rows: NDArray[np.float64]
    standard: NDArray[np.float64]
    held: NDArray[np.bool_]


class LabelQualityModel(Curator):
    """Corrects votes by a small network that has learned from an expert's votes (Gu et al. 2023).

    Where an expert voted too, each other vote is a lesson: what a classifier says of the sample,
    what the rater said, who the rater is, and what was true. Then each vote becomes `gamma` times
    what the network says and the rest of what the rater said, and samples get the class that leads.
    With few lessons or few wrong votes this can do harm: compare accuracies with and without.
    Without an expert the consensus of many votes on some samples can stand for the truth.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"min_pairs": 20}]})

    requires: ClassVar[tuple[str, ...]] = ("votes", "probabilities")

    hidden: tuple[int, ...] = Field(
        default=(8, 16, 32), min_length=1, description="sizes of the hidden layer to choose from"
    )
    gamma: Literal["auto"] | float = Field(
        default="auto",
        description="weight of the network, 0 to 1; auto: what is best on held-out pairs",
    )
    label_choice: Literal["most-likely", "drawn"] = Field(
        default="most-likely", description="the class that leads, or one drawn, as in the paper"
    )
    clean: Literal["trusted", "consensus"] = Field(
        default="trusted",
        description="what is true: what a trusted rater said; or what five other votes make 95 % "
        "probable, by the model of Dawid and Skene",
    )
    min_pairs: int = Field(
        default=100, ge=10, description="votes on samples whose true class is known, at least"
    )
    validation_fraction: float = Field(
        default=0.2, gt=0, lt=1, description="share of these samples held out to choose by"
    )
    epochs: int = Field(default=200, ge=1, description="passes over the pairs, at most")
    seed: int = Field(
        default=0, ge=0, description="seed of the network, the held-out part, drawn labels"
    )

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Relabel where the corrected votes name another class.

        Raises:
            InputError: votes or probabilities are missing, these are in sample, gamma is out of
                range, or there are fewer pairs than `min_pairs`.
        """
        if self.gamma != "auto" and not 0 <= self.gamma <= 1:
            raise InputError(f"gamma is {self.gamma}: give auto or a number from 0 to 1")
        if dataset.votes is None:
            raise InputError("the dataset has no votes: add the enricher votes")
        if dataset.probabilities is None or dataset.probabilities.origin != "out of sample":
            raise InputError(
                "label-quality-model needs probabilities of a model that has not seen the labels: "
                "add an enricher such as ridge-probe"
            )
        if self.gamma == 0:
            return Curation.of(dataset, notes=("gamma is 0: every label stays",))
        votes = dataset.votes.given()
        ordinary = ordinary_votes(votes)
        if self.clean == "trusted":
            clean = trusted_pairs(votes, len(dataset))
            on, more = "that a trusted rater voted on", "let an expert vote on more of them"
        else:
            clean = consensus_pairs(votes, len(dataset), len(dataset.classes))
            on, more = "of which five others are sure", "let more people vote on the same ones"
        pairs, known = clean.votes, clean.known
        if len(pairs) < self.min_pairs:
            raise InputError(
                f"{len(pairs)} votes are on samples {on}, and {self.min_pairs} are needed: {more}"
            )
        learned = self._learn(dataset, clean)
        gamma = self._gamma(dataset, clean, learned)
        if gamma == 0:
            return Curation.of(
                dataset, notes=("the network knows no better than the votes: every label stays",)
            )
        targets = _targets(dataset, ordinary, learned, gamma)
        voted = targets.any(axis=1)
        given = dataset.labels
        if self.label_choice == "most-likely":
            new = clearly_best(targets, given)
        else:
            uniforms = np.random.default_rng([self.seed, 2]).random(len(dataset))
            new = np.where(voted, draw_labels(targets, uniforms), given)
        new = np.where(known >= 0, known, new)
        changed = np.flatnonzero(new != given)
        return Curation.of(
            dataset,
            relabel=changed,
            labels=new[changed],
            reasons=_reasons(
                dataset, ordinary, targets, new, changed, known, learned.rows, self.clean
            ),
            notes=(f"{len(pairs):,} pairs, gamma {gamma:.2f}",),
        )

    def _learn(self, dataset: Dataset, clean: CleanPairs) -> _Learned:
        """Train a network of each size and keep the one of the least held-out log loss."""
        pairs, true, K = clean.votes, clean.true, len(dataset.classes)
        items = np.unique(pairs.item)
        drawn = np.random.default_rng([self.seed, 0]).permutation(items)
        out = drawn[: min(len(items) - 1, max(1, round(self.validation_fraction * len(items))))]
        held = np.isin(pairs.item, out)
        seen = pairs.take(~held)
        _, rows = confusion_rows(seen.label, true[~held], seen.rater, pairs.raters, K)
        standard = _standard(pairs, seen.rater)
        inputs = _inputs(dataset, pairs, rows, standard)
        trained = [
            train_network(
                inputs,
                true,
                held,
                K,
                size,
                self.epochs,
                np.random.default_rng([self.seed, 1, size]),
            )
            for size in self.hidden
        ]
        best = min(trained, key=lambda one: one[1])[0]
        return _Learned(best, rows, standard, held)

    def _gamma(self, dataset: Dataset, clean: CleanPairs, learned: _Learned) -> float:
        if self.gamma != "auto":
            return float(self.gamma)
        out, true = clean.votes.take(learned.held), clean.true[learned.held]
        predicted = learned.network.predict(_inputs(dataset, out, learned.rows, learned.standard))
        if self.label_choice == "drawn":
            return gamma_by_loss(predicted, out.label, true)
        return gamma_by_accuracy(predicted, out.label, true)[0]


def _standard(votes: Votes, seen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return R × f features of the raters, standardised over the votes that are learned from."""
    if votes.features is None:
        return np.zeros((votes.raters, 0))
    features = votes.features.astype(np.float64)
    spread = features[seen].std(axis=0)
    standard: NDArray[np.float64] = (features - features[seen].mean(axis=0)) / np.where(
        spread > 0, spread, 1
    )
    return standard


def _inputs(
    dataset: Dataset, votes: Votes, rows: NDArray[np.float64], standard: NDArray[np.float64]
) -> NDArray[np.float64]:
    assert dataset.probabilities is not None
    likely = np.log(np.maximum(dataset.probabilities.values[votes.item], 1e-30))
    return network_inputs(
        likely, votes.label, standard[votes.rater], rows[votes.rater, votes.label]
    )


def _targets(
    dataset: Dataset, votes: Votes, learned: _Learned, gamma: float
) -> NDArray[np.float64]:
    """Average the corrected votes of each sample, N × K; zeros without votes."""
    N, K = len(dataset), len(dataset.classes)
    targets = (1 - gamma) * votes.counts(N, K).astype(np.float64)
    for part in chunks(len(votes), 8 * (4 * K + learned.standard.shape[1])):
        some = votes.take(np.arange(part.start, part.stop))
        predicted = learned.network.predict(_inputs(dataset, some, learned.rows, learned.standard))
        for k in range(K):
            targets[:, k] += gamma * np.bincount(some.item, predicted[:, k], minlength=N)
    number = np.bincount(votes.item, minlength=N)
    return targets / np.maximum(number, 1)[:, None]


def _reasons(
    dataset: Dataset,
    votes: Votes,
    targets: NDArray[np.float64],
    new: NDArray[np.int64],
    changed: NDArray[np.int64],
    known: NDArray[np.int64],
    rows: NDArray[np.float64],
    clean: str,
) -> pa.Array:
    """Say of each change what the model gives the class, and who had said what."""
    classes: Array = np.array(dataset.classes, dtype=object)
    names = votes.names or tuple(f"rater {number}" for number in range(votes.raters))
    who: Array = np.array(names, dtype=object)
    number = np.bincount(votes.item, minlength=len(dataset))
    vote = np.zeros(len(dataset), np.int64)
    vote[votes.item[::-1]] = np.arange(len(votes))[::-1]
    rater, label = votes.rater[vote[changed]], votes.label[vote[changed]]
    share = np.char.mod("%.0f %%", 100 * (1 - rows[rater, label, label])).astype(object)
    likely = np.char.mod("%.2f", targets[changed, new[changed]]).astype(object)
    one = who[rater] + " said " + classes[label]
    one = one + "; wrong for " + share + " of " + who[rater] + "'s " + classes[label]
    several = np.char.mod("%d votes", number[changed]).astype(object)
    text = "LQM: " + classes[new[changed]] + " " + likely + " ("
    text = text + np.where(number[changed] == 1, one, several) + ")"
    who_says = "a trusted rater says " if clean == "trusted" else "the votes together say "
    told = who_says + classes[new[changed]]
    return pa.array(np.where(known[changed] >= 0, told, text).tolist(), pa.string())
