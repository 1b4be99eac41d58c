"""The one training loop. It knows no method's name: a strategy supplies what differs."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from adc_core.arrays.hashing import fingerprint
from adc_core.components.context import progress, work_folder
from adc_core.errors import InputError, WorkError
from adc_core.images.sequence import ImageArray, Images
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Dynamics
from adc_core.records.model import Epoch
from adc_plugins_learn.training.backbones import require_image_size
from adc_plugins_learn.training.checkpoint import read_checkpoint, write_checkpoint
from adc_plugins_learn.training.compiling import compiler_faults
from adc_plugins_learn.training.devices import find_device, memory_faults, seeded
from adc_plugins_learn.training.history import History
from adc_plugins_learn.training.network_model import NetworkModel
from adc_plugins_learn.training.networks import Architecture, build_network, members_of
from adc_plugins_learn.training.pictures import HeldPictures, Pictures, open_pictures
from adc_plugins_learn.training.pixels import IMAGENET_MEAN, IMAGENET_STD, channel_statistics
from adc_plugins_learn.training.precision import Bfloat16
from adc_plugins_learn.training.recipe import PACE, Recipe
from adc_plugins_learn.training.samples import Samples
from adc_plugins_learn.training.schedule import build_optimizer, learning_rate
from adc_plugins_learn.training.strategy import Portion, Strategy
from adc_plugins_learn.training.together import (
    add_gradients,
    align_buffers,
    is_first,
    normalized_together,
    shared,
)

LEARNED_FROM = ("images", "labels", "classes")
"""What of a dataset decides what is learned."""


def train(
    dataset: Dataset,
    validation: Dataset | None,
    recipe: Recipe,
    strategy: Strategy,
    device: torch.device | None = None,
) -> NetworkModel:
    """Train a network by stochastic gradient descent.

    Args:
        dataset: what it learns from.
        validation: what its epochs are judged by.
        recipe: how to train.
        strategy: what the method does otherwise than plain training.
        device: where, if not on that of the recipe.

    Training pictures are decoded once and held as uint8 where the network is, in
    N × image_size² × 3 bytes: 1.2 GB for 100,000 pictures of 64 pixels; or, where that is too
    much, decoded again in every epoch by processes that work ahead. Pictures of any shape are
    scaled and cut to the square.

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
    if validation is None and recipe.keep == "best":
        raise InputError("keep: best needs a validation set: set validation_share")
    device = device or find_device(recipe.device)
    with (
        memory_faults(recipe.batch_size),
        compiler_faults(),
        seeded(recipe.seed, device),
        closing(_pictures(dataset, recipe, device)) as pictures,
    ):
        return _Training(dataset, validation, recipe, strategy, pictures).run()


class _Training:
    """One training: its networks, their optimizer and where it stands."""

    def __init__(
        self,
        dataset: Dataset,
        validation: Dataset | None,
        recipe: Recipe,
        strategy: Strategy,
        pictures: Pictures,
    ) -> None:
        device = pictures.device
        self.recipe, self.strategy, self.device = recipe, strategy, device
        self.classes = dataset.classes
        plan = Architecture(
            backbone=recipe.backbone,
            image_size=recipe.image_size,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            members=strategy.networks,
            vote=strategy.vote,
            output=strategy.output,
        )
        network = build_network(plan, len(self.classes), str(recipe.weights))
        require_image_size(network, recipe.backbone, recipe.image_size)
        self.network = normalized_together(network.to(device), device)
        if recipe.channels_last:
            self.network.to(memory_format=torch.channels_last)
        self.networks = members_of(self.network)
        if recipe.precision == "bfloat16":
            self.networks = [Bfloat16(member) for member in self.networks]
        if recipe.compiled:
            for member in self.networks:
                member.compile()
        self.networks = shared(self.networks)
        self.optimizer = build_optimizer(self.network.parameters(), recipe)
        self.labels = torch.from_numpy(dataset.labels.copy()).to(device)
        self.validation = None
        if validation is not None:
            shown = _images(validation)
            if isinstance(pictures, HeldPictures):
                shown = ImageArray(shown.resized(recipe.image_size))
            self.validation = (shown, validation.labels)
        mean, std = channel_statistics(pictures)
        self.architecture = replace(plan, mean=mean, std=std)
        self.samples = Samples(pictures, self.labels, len(self.classes), recipe, mean, std)
        strategy.begin(self.samples, recipe.epochs)
        kept = len(self.classes) if recipe.keep_logits else None
        self.history = History(len(dataset), recipe.epochs, kept)
        self.best: tuple[float, dict[str, Tensor]] | None = None
        key = fingerprint(
            [
                recipe.model_dump(mode="json", exclude=set(PACE)),
                type(strategy).__qualname__,
                *(d and d.fingerprint_of(*LEARNED_FROM) for d in (dataset, validation)),
            ]
        )
        self.checkpoint = work_folder() / f"checkpoint-{key[:16]}.pt"

    def run(self) -> NetworkModel:
        """Train from the last checkpoint, or from the beginning, to the end."""
        for epoch in range(self._resume(), self.recipe.epochs):
            self._train_epoch(epoch)
            align_buffers(self.network)
            self.history.close(epoch, self._validate())
            self._remember_best()
            if is_first():
                self._write(epoch + 1)
        if self.best is not None:
            self.network.load_state_dict(self.best[1])
        return self._model(self.history.epochs, self.history.dynamics())

    def _model(self, epochs: tuple[Epoch, ...], dynamics: Dynamics | None) -> NetworkModel:
        return NetworkModel(self.network, self.architecture, self.classes, epochs, dynamics)

    def _train_epoch(self, epoch: int) -> None:
        self.network.train()
        seen = self.strategy.begin_epoch(epoch, self.networks)
        if seen is not None:
            self.history.note(epoch, torch.arange(len(seen)), seen, self.labels)
        portions = self.strategy.portions(epoch)
        self.samples.expect([portion.every_row for portion in portions])
        for done, portion in enumerate(portions):
            rate = learning_rate(self.recipe, epoch + done / len(portions))
            self.strategy.tune(self.optimizer, rate, epoch)
            self._train_step(epoch, portion)
            self._tell(epoch, (done + 1) / len(portions))
        if not all(torch.isfinite(value).all() for value in self.network.state_dict().values()):
            raise self._diverged(epoch)

    def _train_step(self, epoch: int, portion: Portion) -> None:
        step = self.strategy.step(portion, self.networks, epoch)
        check = step.loss
        if step.logits is not None:
            logits = step.logits.detach()
            # Some losses are bounded: then only the logits show that the training diverged.
            check = check.detach() + (logits.amax(dim=1) - logits.amin(dim=1)).amax()
            self.history.note(epoch, step.rows, logits, self.labels[step.rows])
        if not torch.isfinite(check):
            raise self._diverged(epoch)
        self.optimizer.zero_grad()
        torch.autograd.backward(step.loss)
        add_gradients(self.network.parameters())
        self.optimizer.step()
        self.strategy.after_update(self.networks)

    def _tell(self, epoch: int, done: float) -> None:
        """Progress in steps of the recipe's batches, however many a method makes of an epoch."""
        samples, size = len(self.labels), self.recipe.batch_size
        steps = max(1, samples // size + (samples % size > 1))
        progress(epoch * steps + round(done * steps), self.recipe.epochs * steps, "step")

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

    def _remember_best(self) -> None:
        """Keep the weights of the best epoch so far; of equals the first."""
        accuracy = self.history.epochs[-1].validation_accuracy
        if self.recipe.keep == "last" or accuracy is None:
            return
        if self.best is None or accuracy > self.best[0]:
            weights = {k: value.clone() for k, value in self.network.state_dict().items()}
            self.best = accuracy, weights

    def _write(self, epochs: int) -> None:
        state = {
            "epochs": epochs,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.samples.generator.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
            "history": self.history.state(),
            "strategy": self.strategy.state(),
            "best": self.best,
        }
        write_checkpoint(state, self.checkpoint)

    def _resume(self) -> int:
        """Take up a checkpoint; return how many epochs are done."""
        state = read_checkpoint(self.checkpoint, self.device)
        if state is None:
            return 0
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.samples.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        if state["cuda"] is not None:
            torch.cuda.set_rng_state(state["cuda"].cpu(), self.device)
        self.history.restore(state["history"])
        self.strategy.restore(state["strategy"])
        self.best = state["best"]
        return int(state["epochs"])


def _pictures(dataset: Dataset, recipe: Recipe, device: torch.device) -> Pictures:
    images, size = _images(dataset), recipe.image_size
    return open_pictures(images, size, recipe.pictures, recipe.decoders, device)


def _images(dataset: Dataset) -> Images:
    if dataset.images is None:
        raise InputError("a learner needs images: give a dataset that has them")
    return dataset.images
