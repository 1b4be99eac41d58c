"""The rater pool: people who err as classifiers do, on what they have not seen."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from adc_core import Corruption, Dataset, InputError, Learner, Simulator, Votes, status
from adc_plugins_review.aggregation.realism import realism
from adc_plugins_review.simulated_raters.candidates import Candidates, Teacher, train_candidates
from adc_plugins_review.simulated_raters.choosing import choose_raters
from adc_plugins_review.simulated_raters.regressions import Regressions
from adc_plugins_review.simulated_raters.trained_raters import TrainedRaters

_FAR = 0.05
"""An error that is missed by more is remarked upon."""


class RaterPool(Simulator):
    """Lets simulated raters vote, and gives each sample the label of one of them.

    Raters are classifiers that have learned from other samples (pseudo-labelling, Gu et al. 2023):
    each has seen few samples and some features only, or is a learner that was trained for a while.
    So they err on the samples that are hard, and take classes for those that they resemble, as
    people do. Half of the samples is labelled by those who learned from the other half. An expert
    votes on some samples, always rightly.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"raters": 5, "pool_size": 12, "error": 0.15}]}
    )

    requires: ClassVar[tuple[str, ...]] = ("features",)
    provides: ClassVar[tuple[str, ...]] = ("votes",)

    raters: int = Field(default=10, ge=1, description="how many raters vote")
    pool_size: int = Field(default=60, ge=1, description="raters to choose these from")
    learners: tuple[Learner, ...] = Field(
        default=(),
        description="raters to choose from in place of logistic regressions; as different as their "
        "options are",
    )
    error: float | None = Field(
        default=0.2,
        ge=0,
        le=1,
        description="mean share of wrong votes to aim at; None: the first raters",
    )
    rater_agreement: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="mean share of samples on which two raters agree to aim at",
    )
    expert_share: float = Field(
        default=0.1, ge=0, le=1, description="share of the samples that an expert votes on, rightly"
    )
    votes_per_sample: int | None = Field(
        default=None, ge=1, description="raters that vote on each sample; by default all"
    )
    validation_fraction: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="share of what raters could learn from to measure them on",
    )
    fold: Literal["both", "paper"] = Field(
        default="both",
        description="label each half by raters who learned from the other; or, as in the paper, "
        "one half alone, and leave the other its true labels",
    )
    seed: int = Field(default=0, ge=0, description="seed of all that is drawn")

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Features; or what the learners need, and images, which their models look at."""
        if not self.learners:
            return self.requires
        wanted = [column for one in self.learners for column in one.required_columns]
        return tuple(dict.fromkeys(["images", *wanted]))

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Train raters, let them vote, and draw a label of one of them for each sample.

        Raises:
            InputError: the dataset has no features, or no images for learners, a class has fewer
                than four samples, or there are fewer candidates than raters.
            WorkError: a training failed.
        """
        true, teacher = dataset.labels, self._teacher(dataset)
        few = (dataset.class_counts > 0) & (dataset.class_counts < 4)
        if few.any():
            name = dataset.classes[int(few.argmax())]
            raise InputError(f"{name} has fewer than four samples: leave the class out")
        first, second = self._halves(true)
        halves = [(first, second)] if self.fold == "paper" else [(first, second), (second, first)]
        pool = train_candidates(teacher, true, halves, self.validation_fraction, self.seed)
        chosen = np.arange(self.raters)
        if self.error is not None:
            choice = choose_raters(
                pool.error, pool.agreement, self.raters, self.error, self.rater_agreement
            )
            chosen = np.array(choice.chosen)
        told = np.sort(np.concatenate([rows for _, rows in halves]))
        votes, counts = self._votes(dataset, pool, chosen, told)
        self._report(pool, chosen, counts, true)
        labels = true.copy()
        who = np.random.default_rng([self.seed, 6]).random(len(true))
        labels[told] = _one_of(counts[told], who[told])
        return Corruption(
            labels=labels,
            mask=labels != true,
            transition=_mean_confusion(counts, true),
            votes=votes,
        )

    def _teacher(self, dataset: Dataset) -> Teacher:
        if self.learners:
            if dataset.images is None:
                raise InputError("rater-pool's learners need images: give a dataset that has them")
            if len(self.learners) < self.raters:
                raise InputError(
                    f"{len(self.learners)} learners for {self.raters} raters: give more of them, "
                    f"or raters: {len(self.learners)}"
                )
            return TrainedRaters(dataset, self.learners)
        if dataset.features is None:
            raise InputError("rater-pool reads features: add an encoder")
        if self.pool_size < self.raters:
            raise InputError(f"pool_size is {self.pool_size}: give at least {self.raters} raters")
        standard = _standard(dataset.features)
        return Regressions(standard, dataset.labels, self.pool_size, self.seed)

    def _halves(self, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Divide the rows in two, each class alike."""
        order = np.random.default_rng([self.seed, 0]).permutation(len(labels))
        order = order[np.argsort(labels[order], kind="stable")]
        place = np.empty(len(labels), np.int64)
        number = np.bincount(labels)
        begin = np.cumsum(number) - number
        place[order] = np.arange(len(labels)) - begin[labels[order]]
        return np.flatnonzero(place % 2 == 0), np.flatnonzero(place % 2 == 1)

    def _votes(
        self,
        dataset: Dataset,
        pool: Candidates,
        chosen: NDArray[np.int64],
        told: NDArray[np.int64],
    ) -> tuple[Votes, NDArray[np.int64]]:
        """Collect the votes of raters and expert, and count those of the raters, N × K."""
        R, rng = len(chosen), np.random.default_rng([self.seed, 5])
        asked = np.ones((len(told), R), np.bool_)
        if self.votes_per_sample is not None and self.votes_per_sample < R:
            place = np.argsort(np.argsort(rng.random((len(told), R)), axis=1), axis=1)
            asked = place < self.votes_per_sample
        place, rater = np.nonzero(asked)
        item = told[place]
        label = pool.label[chosen[rater], item].astype(np.int64)
        counts = Votes(item=item, rater=rater, label=label).counts(
            len(dataset), len(dataset.classes)
        )
        seen = np.sort(rng.permutation(told)[: round(self.expert_share * len(told))])
        facts = np.concatenate([pool.facts[chosen], np.zeros((1, len(pool.fact_names)), "f4")])
        facts[-1, 0] = 1
        votes = Votes(
            item=np.concatenate([item, seen]),
            rater=np.concatenate([rater, np.full(len(seen), R)]),
            label=np.concatenate([label, dataset.labels[seen]]),
            names=(*(f"rater {number:02}" for number in range(1, R + 1)), "expert"),
            trusted=np.arange(R + 1) == R,
            features=facts,
            feature_names=pool.fact_names,
        )
        return votes, counts

    def _report(
        self,
        pool: Candidates,
        chosen: NDArray[np.int64],
        counts: NDArray[np.int64],
        true: NDArray[np.int64],
    ) -> None:
        found = realism(counts, true)
        line = (
            f"votes: {found.overall_error:.1%} wrong, Krippendorff's alpha {found.alpha:.2f}, "
            f"overdispersion {found.overdispersion:.2f}"
        )
        reached = float(pool.error[chosen].mean())
        if self.error is not None and abs(reached - self.error) > _FAR:
            line += (
                f"; {self.error:.0%} was wanted, but the candidates' errors are "
                f"{pool.error.min():.0%} to {pool.error.max():.0%}"
            )
        status(line)


def _standard(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give each feature mean 0 and standard deviation 1."""
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 0, spread, 1)
    standard: NDArray[np.float32] = ((features - mean) / scale).astype(np.float32)
    return standard


def _one_of(counts: NDArray[np.int64], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw the label of one vote of each row, all votes alike."""
    steps = counts.cumsum(axis=1)
    drawn: NDArray[np.int64] = (uniform[:, None] * steps[:, -1:] >= steps).sum(axis=1)
    return drawn


def _mean_confusion(counts: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.float64]:
    K = counts.shape[1]
    sums = np.stack([np.bincount(true, counts[:, k], minlength=K) for k in range(K)], axis=1)
    total = sums.sum(axis=1, keepdims=True)
    confusion: NDArray[np.float64] = np.where(
        total > 0, sums / np.where(total > 0, total, 1), np.eye(K)
    )
    return confusion
