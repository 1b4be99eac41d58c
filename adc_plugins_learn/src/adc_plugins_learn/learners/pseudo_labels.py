"""Pseudo-labels: images without labels get those that a first training predicts."""

from contextvars import copy_context
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset, Learner, progress, status, work_context, work_folder
from adc_core.records import UNLABELED
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.data.sampler import Batch
from adc_plugins_learn.training.data.validation_split import validation_split
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.model import NetworkModel
from adc_plugins_learn.training.strategy import BatchPlan, Strategy

_PSEUDO = "pseudo_labeled"
"""Column of N booleans: whose label is a prediction."""


class PseudoLabels(NetworkLearner):
    """Trains on given labels, then anew on these and on predictions for images without labels.

    For a dataset in which `set-aside` has voided labels. A first training, on the samples whose
    labels count, predicts the others; then a new network learns both by cross-entropy. Yang & Xu,
    "Rethinking the value of labels for improving class-imbalanced learning", NeurIPS 2020, where
    every image gets its prediction, however unsure. Without samples set aside it is cross-entropy.

    Traps: where the first network is right more often about one class than about another, the
    boundary between them moves: look at its accuracy per class. What detectors flag are hard images
    and images of no class, unlike the random ones of the paper. Gains are small: where 20 of 820
    digits, drawn at random, have labels, accuracy rises from .64 to .67; where 200 have, it does
    not. It takes two trainings.
    """

    takes_criterion: ClassVar[bool] = True
    takes_unlabeled: ClassVar[bool] = True

    learner: Learner | None = Field(
        default=None,
        description="the first training; none: cross-entropy with the options of the second",
    )
    min_confidence: float = Field(
        default=0, ge=0, lt=1, description="predictions that are not surer are not learned"
    )
    unlabeled_weight: float = Field(default=1, ge=0, description="weight of predicted labels")

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return cross-entropy of the labels that count, predicted ones by their weight."""
        labeled = torch.from_numpy(dataset.labeled.copy()).nonzero()[:, 0]
        weights = torch.ones(len(dataset))
        if dataset.has(_PSEUDO):
            weights[torch.from_numpy(dataset.columns[_PSEUDO].copy())] = self.unlabeled_weight
        return _Weighted(labeled, weights)

    def learn(self, dataset: Dataset, validation: Dataset | None = None) -> NetworkModel:
        """Train twice; checkpoints of the first training go to `work_folder()/first`."""
        if dataset.labeled.all():
            return super().learn(dataset, validation)
        if validation is None and self.validation_fraction:
            dataset, validation = validation_split(dataset, self.validation_fraction, self.seed)
        outer, folder = copy_context(), work_folder()

        def first(done: int, total: int | None, unit: str) -> None:
            outer.run(progress, done, None if total is None else 2 * total, unit)

        def second(done: int, total: int | None, unit: str) -> None:
            outer.run(progress, done + (total or 0), None if total is None else 2 * total, unit)

        with work_context(folder / "first", first):
            dataset = self._predicted(dataset, validation)
        with work_context(folder / "second", second):
            return super().learn(dataset, validation)

    def _predicted(self, dataset: Dataset, validation: Dataset | None) -> Dataset:
        """Give the samples without labels those that the first training predicts."""
        options = {name: getattr(self, name) for name in TrainingConfig.model_fields}
        learner = self.learner or CrossEntropy(**options)
        kept = {name: column for name, column in dataset.columns.items() if name != UNLABELED}
        known = dataset.replace(columns=kept).take(np.flatnonzero(dataset.labeled))
        model = learner.learn(dataset if learner.takes_unlabeled else known, validation)
        others = np.flatnonzero(~dataset.labeled)
        images = dataset.take(others).images
        assert images is not None
        predictions = model.predict(images)
        p = predictions.probabilities
        sure = p.max(axis=1) > self.min_confidence
        labels, pseudo, aside = (
            dataset.labels.copy(),
            np.zeros(len(dataset), np.bool_),
            ~dataset.labeled,
        )
        labels[others[sure]] = predictions.labels[sure]
        pseudo[others[sure]], aside[others[sure]] = True, False
        counts = np.bincount(labels[pseudo], minlength=len(dataset.classes))
        named = (f"{name} {count:,}" for name, count in zip(dataset.classes, counts, strict=True))
        status(f"predicted labels: {', '.join(named)}")
        columns = {**kept, _PSEUDO: pseudo} | ({UNLABELED: aside} if aside.any() else {})
        return dataset.replace(labels=labels, columns=columns)


class _Weighted(Strategy):
    def __init__(self, labeled: Tensor, weights: Tensor) -> None:
        self._labeled, self._weights = labeled, weights

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        """Plan every sample once whose label counts."""
        if len(self._labeled) == len(self.sampler):
            return super().plan_epoch(epoch)
        return [BatchPlan(rows) for rows in self.sampler.shuffled_batches(self._labeled)]

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        weights = self._weights[batch.rows.cpu()].to(logits.device)
        return weights * self.criterion(logits, batch.labels)
