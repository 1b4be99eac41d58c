"""The one training loop. It knows no method's name: a strategy supplies what differs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adc_core.dataset import Dataset
from adc_core.errors import InputError, WorkError
from adc_core.evidence import Dynamics
from adc_core.fingerprint import fingerprint
from adc_core.images import ImageArray
from adc_core.model import Epoch
from adc_core.work import progress, work_folder
from adc_plugins_learn.training.backbones import build_backbone, require_image_size
from adc_plugins_learn.training.checkpoint import read_checkpoint, write_checkpoint
from adc_plugins_learn.training.devices import find_device, memory_faults, seeded
from adc_plugins_learn.training.history import History
from adc_plugins_learn.training.network_model import Architecture, NetworkModel
from adc_plugins_learn.training.pixels import channel_statistics, mirror, shift, to_input
from adc_plugins_learn.training.recipe import Recipe

_LEARNED_FROM = ("images", "labels", "classes")


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

    All training pictures are decoded once and held as uint8 where the network is, in
    N × image_size² × 3 bytes: 1.2 GB for 100,000 pictures of 64 pixels. Pictures of any shape
    are scaled and cut to the square.

    After every epoch a checkpoint is written into the work folder. The same training, started
    there again, goes on from it and ends, on the CPU, with the same bytes.

    Raises:
        InputError: the dataset has no images, fewer than two samples, or the network does not
            take pictures of this size.
        WorkError: out of memory, or the loss is not a number.
    """
    if len(dataset) < 2:
        raise InputError("a learner needs at least two samples: the dataset has one")
    if validation is not None and validation.classes != dataset.classes:
        raise InputError(
            f"the validation set has the classes {', '.join(validation.classes)}, "
            f"the dataset {', '.join(dataset.classes)}: give both the same"
        )
    device = find_device(recipe.device)
    with memory_faults(recipe.batch_size), seeded(recipe.seed, device):
        return _Training(dataset, validation, recipe, strategy, device).run()


class _Training:
    """One training: its network, its optimiser and where it stands."""

    def __init__(
        self,
        dataset: Dataset,
        validation: Dataset | None,
        recipe: Recipe,
        strategy: Strategy,
        device: torch.device,
    ) -> None:
        self.recipe, self.strategy, self.device = recipe, strategy, device
        self.classes = dataset.classes
        network = build_backbone(recipe.backbone, len(self.classes), str(recipe.weights))
        require_image_size(network, recipe.backbone, recipe.image_size)
        self.network = network.to(device)
        self.optimiser = torch.optim.SGD(
            self.network.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=recipe.momentum > 0,
        )
        self.pixels = torch.from_numpy(_pixels(dataset, recipe.image_size)).to(device)
        self.labels = torch.from_numpy(dataset.labels.copy()).to(device)
        self.validation = None
        if validation is not None:
            pixels = ImageArray(_pixels(validation, recipe.image_size))
            self.validation = (pixels, validation.labels)
        mean, std = channel_statistics(self.pixels)
        self.architecture = Architecture(recipe.backbone, recipe.image_size, mean, std)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.history = History(len(dataset), recipe.epochs)
        key = fingerprint(
            [
                recipe.model_dump(mode="json"),
                type(strategy).__qualname__,
                *(d and d.fingerprint_of(*_LEARNED_FROM) for d in (dataset, validation)),
            ]
        )
        self.checkpoint = work_folder() / f"checkpoint-{key[:16]}.pt"

    def run(self) -> NetworkModel:
        """Train from the last checkpoint, or from the beginning, to the end."""
        for epoch in range(self._resume(), self.recipe.epochs):
            self._train_epoch(epoch)
            self.history.close(epoch, self._validate())
            self._write(epoch + 1)
        return self._model(self.history.epochs, self.history.dynamics())

    def _model(self, epochs: tuple[Epoch, ...], dynamics: Dynamics | None) -> NetworkModel:
        return NetworkModel(self.network, self.architecture, self.classes, epochs, dynamics)

    def _train_epoch(self, epoch: int) -> None:
        self.network.train()
        steps = list(self._batches())
        for step, rows in enumerate(steps):
            for group in self.optimiser.param_groups:
                group["lr"] = self._learning_rate(epoch + step / len(steps))
            batch = self._batch(rows)
            logits = self.network(batch.images)
            loss = self.strategy.loss(logits, batch, epoch).mean()
            # Some losses are bounded: then only the logits show that the training diverged.
            if not torch.isfinite(loss + (logits.amax(dim=1) - logits.amin(dim=1)).amax()):
                raise self._diverged(epoch)
            self.optimiser.zero_grad()
            torch.autograd.backward(loss)
            self.optimiser.step()
            self.history.note(epoch, batch.rows, logits.detach(), batch.labels)
            progress(epoch * len(steps) + step + 1, self.recipe.epochs * len(steps), "step")
        if not all(torch.isfinite(value).all() for value in self.network.state_dict().values()):
            raise self._diverged(epoch)

    def _diverged(self, epoch: int) -> WorkError:
        return WorkError(
            f"the loss is not a number in epoch {epoch + 1}: lower learning_rate "
            f"(now {self.recipe.learning_rate})"
        )

    def _validate(self) -> float | None:
        if self.validation is None:
            return None
        images, labels = self.validation
        return float(np.mean(self._model((), None).predict(images).labels == labels))

    def _batches(self) -> Iterator[Tensor]:
        """Rows in random order; a last batch of one joins the one before, for BatchNorm."""
        order = torch.randperm(len(self.labels), generator=self.generator)
        starts = list(range(0, len(order), self.recipe.batch_size))
        if len(order) - starts[-1] == 1:
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

    def _write(self, epochs: int) -> None:
        state = {
            "epochs": epochs,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(),
            "history": self.history.state(),
        }
        write_checkpoint(state, self.checkpoint)

    def _resume(self) -> int:
        """Take up a checkpoint; return how many epochs are done."""
        state = read_checkpoint(self.checkpoint, self.device)
        if state is None:
            return 0
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        self.history.restore(state["history"])
        return int(state["epochs"])


def _pixels(dataset: Dataset, size: int) -> NDArray[np.uint8]:
    if dataset.images is None:
        raise InputError("a learner needs images: give a dataset that has them")
    return dataset.images.resized(size)
