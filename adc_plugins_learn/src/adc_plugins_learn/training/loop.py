"""The one training loop. It knows no method's name: a strategy supplies what differs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from adc_core.dataset import Dataset
from adc_core.errors import InputError, WorkError
from adc_core.evidence import Dynamics
from adc_core.model import Epoch
from adc_core.work import progress, work_folder
from adc_plugins_learn.training.backbones import build_backbone
from adc_plugins_learn.training.devices import find_device
from adc_plugins_learn.training.history import History
from adc_plugins_learn.training.network_model import Architecture, NetworkModel
from adc_plugins_learn.training.pixels import channel_statistics, mirror, shift, to_input
from adc_plugins_learn.training.recipe import Recipe

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Batch:
    """Some training samples.

    Attributes:
        rows: B int64 rows of the dataset.
        images: B × 3 × H × W float32, augmented and normalised.
        labels: B int64 given labels.
    """

    rows: Tensor
    images: Tensor
    labels: Tensor


class Strategy(Protocol):
    """What a method does otherwise than plain training."""

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        """The loss of each sample of a batch (B), given its logits (B × K)."""


def train(
    dataset: Dataset, validation: Dataset | None, recipe: Recipe, strategy: Strategy
) -> NetworkModel:
    """Train a network by stochastic gradient descent.

    After every epoch a checkpoint is written into the work folder; a training that finds one
    there goes on from it and ends, on the CPU, with the same bytes.

    Raises:
        InputError: the dataset has no images or fewer than two samples.
        WorkError: out of memory, or the loss is not a number.
    """
    if dataset.images is None:
        raise InputError("a learner needs images: give a dataset that has them")
    if len(dataset) < 2:
        raise InputError("a learner needs at least two samples")
    # Weights and dropout draw from torch's global generator, so it is lent and given back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        try:
            return _Training(dataset, validation, recipe, strategy).run()
        except torch.OutOfMemoryError as error:
            raise WorkError(
                f"out of memory with batch_size {recipe.batch_size}: lower batch_size or image_size"
            ) from error


class _Training:
    """One training: its network, its optimiser and where it stands."""

    def __init__(
        self, dataset: Dataset, validation: Dataset | None, recipe: Recipe, strategy: Strategy
    ) -> None:
        self.recipe, self.strategy, self.dataset = recipe, strategy, dataset
        self.device = find_device(recipe.device)
        self.pixels = _pixels(dataset, recipe.image_size).to(self.device)
        self.labels = torch.from_numpy(dataset.labels.copy()).to(self.device)
        self.validation = validation
        mean, std = channel_statistics(self.pixels)
        self.architecture = Architecture(recipe.backbone, recipe.image_size, mean, std)
        network = build_backbone(recipe.backbone, len(dataset.classes), recipe.weights)
        self.network = network.to(self.device)
        self.optimiser = torch.optim.SGD(
            self.network.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=recipe.momentum > 0,
        )
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.history = History(len(dataset), recipe.epochs)

    def run(self) -> NetworkModel:
        """Train from the last checkpoint, or from the beginning, to the end."""
        checkpoint = work_folder() / CHECKPOINT
        first = self._resume(checkpoint)
        for epoch in range(first, self.recipe.epochs):
            self._train_epoch(epoch)
            self._write(checkpoint, epoch + 1)
            progress(epoch + 1, self.recipe.epochs, "epoch")
        return self._model(self.history.epochs, self.history.dynamics())

    def _model(self, epochs: tuple[Epoch, ...], dynamics: Dynamics | None) -> NetworkModel:
        return NetworkModel(self.network, self.architecture, self.dataset.classes, epochs, dynamics)

    def _train_epoch(self, epoch: int) -> None:
        self.network.train()
        steps = list(self._batches())
        for step, rows in enumerate(steps):
            for group in self.optimiser.param_groups:
                group["lr"] = self._learning_rate(epoch + step / len(steps))
            batch = self._batch(rows)
            logits = self.network(batch.images)
            losses = self.strategy.loss(logits, batch, epoch)
            loss = losses.mean()
            if not torch.isfinite(loss):
                raise WorkError(
                    f"the loss is not a number in epoch {epoch + 1}: lower learning_rate "
                    f"(now {self.recipe.learning_rate})"
                )
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            self.history.note(epoch, batch.rows, logits.detach(), batch.labels)
        accuracy = None
        if self.validation is not None and self.validation.images is not None:
            predictions = self._model((), None).predict(self.validation.images)
            accuracy = float(np.mean(predictions.labels == self.validation.labels))
        self.history.close(epoch, accuracy)

    def _batches(self) -> Iterator[Tensor]:
        """Rows in random order; a last batch of one joins the one before, for BatchNorm."""
        order = torch.randperm(len(self.labels), generator=self.generator)
        size = max(2, self.recipe.batch_size)
        starts = list(range(0, len(order), size))
        if len(starts) > 1 and len(order) - starts[-1] == 1:
            starts.pop()
        yield from (order[a:b] for a, b in zip(starts, [*starts[1:], len(order)], strict=True))

    def _batch(self, rows: Tensor) -> Batch:
        rows = rows.to(self.device)
        pixels = self.pixels[rows]
        if self.recipe.shift:
            pixels = shift(pixels, self.recipe.shift, self.generator)
        if self.recipe.mirror:
            pixels = mirror(pixels, self.generator)
        images = to_input(pixels, self.architecture.mean, self.architecture.std)
        return Batch(rows, images, self.labels[rows])

    def _learning_rate(self, epochs_done: float) -> float:
        if self.recipe.schedule == "constant":
            return self.recipe.learning_rate
        part = epochs_done / self.recipe.epochs
        return self.recipe.learning_rate * (1 + math.cos(math.pi * part)) / 2

    def _write(self, path: Path, epochs: int) -> None:
        state = {
            "epochs": epochs,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(),
            "history": self.history.state(),
        }
        new = path.with_suffix(".new")
        torch.save(state, new)
        new.replace(path)

    def _resume(self, path: Path) -> int:
        """Take up a checkpoint; return how many epochs are done."""
        if not path.exists():
            return 0
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        self.history.restore(state["history"])
        return int(state["epochs"])


def _pixels(dataset: Dataset, size: int) -> Tensor:
    assert dataset.images is not None
    return torch.from_numpy(dataset.images.resized(size))
