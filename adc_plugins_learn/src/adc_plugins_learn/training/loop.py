"""The one training loop, which knows no method's name: a strategy supplies what differs."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from adc_core import (
    Dataset,
    Dynamics,
    Epoch,
    ImageArray,
    Images,
    InputError,
    WorkError,
    progress,
)
from adc_plugins_learn.training.building import (
    architecture_of,
    criterion_of,
    network_on,
    optimizer_of,
    training_sampler,
    wrapped,
)
from adc_plugins_learn.training.checkpoint import (
    CheckpointWriter,
    checkpoint_path,
    read_checkpoint,
)
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.data.image_source import (
    ImageSource,
    InMemoryImages,
    open_image_source,
)
from adc_plugins_learn.training.data.normalize import (
    channel_statistics,
)
from adc_plugins_learn.training.hardware.devices import find_device, seeded
from adc_plugins_learn.training.hardware.distributed import (
    all_reduce_gradients,
    broadcast_buffers,
    is_main_process,
)
from adc_plugins_learn.training.hardware.errors import translate_compile_errors, translate_oom
from adc_plugins_learn.training.history import History
from adc_plugins_learn.training.networks.architecture import members_of
from adc_plugins_learn.training.networks.backbones import last_layer
from adc_plugins_learn.training.networks.layers import frozen_but_for
from adc_plugins_learn.training.networks.model import NetworkModel
from adc_plugins_learn.training.parts import TrainingContext
from adc_plugins_learn.training.schedule import learning_rate
from adc_plugins_learn.training.strategy import BatchPlan, Strategy
from adc_plugins_learn.training.weight_average import WeightAverage


def train(
    dataset: Dataset,
    validation: Dataset | None,
    config: TrainingConfig,
    strategy: Strategy,
    device: torch.device | None = None,
) -> NetworkModel:
    """Train a network by stochastic gradient descent.

    Args:
        dataset: the training set.
        validation: the samples by which epochs are judged.
        config: how to train.
        strategy: what the method does otherwise than plain training.
        device: where to train, if not on the device of the config.

    Training images are decoded once and kept as uint8 where the network is, in
    N × image_size² × 3 bytes: 1.2 GB for 100,000 images of 64 pixels; or, where that is too
    much, decoded again in every epoch by processes that work ahead. Images of any shape are
    scaled and cut to the square.

    After every epoch a checkpoint is written into the work folder. The same training, started
    there again, resumes from it and ends, on the CPU, with the same bytes.

    Raises:
        InputError: the dataset has no images, fewer than two samples, or the network does not
            take images of this size.
        WorkError: out of memory, or the loss is not a number.
    """
    if len(dataset) < 2:
        raise InputError("a learner needs at least two samples: the dataset has one")
    if validation is not None and validation.classes != dataset.classes:
        raise InputError(
            f"the validation set has the classes {', '.join(validation.classes)}, "
            f"the dataset {', '.join(dataset.classes)}: give both the same"
        )
    posthoc = config.posthoc
    if posthoc is not None and posthoc.needs_validation and validation is None:
        raise InputError(
            f"posthoc: {posthoc.name} is fitted on held-out samples: set validation_fraction"
        )
    if validation is None and config.select_epoch == "best":
        raise InputError("select_epoch: best needs a validation set: set validation_fraction")
    device = device or find_device(config.device)
    size, loading, workers = config.image_size, config.image_loading, config.num_workers
    with (
        translate_oom(config.batch_size),
        translate_compile_errors(),
        seeded(config.seed, device),
        closing(open_image_source(_images(dataset), size, loading, workers, device)) as images,
    ):
        return _Training(dataset, validation, config, strategy, images).run()


class _Training:
    """One training: its networks, their optimizer, and what it has recorded so far."""

    def __init__(
        self,
        dataset: Dataset,
        validation: Dataset | None,
        config: TrainingConfig,
        strategy: Strategy,
        images: ImageSource,
    ) -> None:
        self.config, self.strategy, self.device = config, strategy, images.device
        self.classes = dataset.classes
        architecture = architecture_of(config, strategy)
        self.network = network_on(self.device, architecture, len(self.classes), config)
        decay = config.weight_average
        self.average = WeightAverage(self.network, decay) if decay else None
        self.labels = torch.from_numpy(dataset.labels.copy()).to(self.device)
        labeled = torch.from_numpy(dataset.labeled).to(self.device)
        counts = torch.bincount(self.labels[labeled], minlength=len(self.classes)).float()
        self.context = TrainingContext(counts, config.epochs)
        self.networks = wrapped(members_of(self.network), config, self.context)
        self.optimizer = optimizer_of(self.network, config)
        self.validation = None
        if validation is not None:
            shown = _images(validation)
            if isinstance(images, InMemoryImages):
                shown = ImageArray(shown.resized(config.image_size))
            self.validation = (shown, validation.labels)
        channels = channel_statistics(images)
        self.architecture = replace(architecture, mean=channels[0], std=channels[1])
        self.sampler = training_sampler(images, self.labels, channels, config, self.context)
        strategy.criterion = criterion_of(config, self.context)
        strategy.begin(self.sampler, config.epochs)
        self.history = History(
            len(dataset),
            config.epochs,
            len(self.classes),
            keep_logits=config.keep_logits,
            device=self.device,
        )
        self.best: tuple[float, dict[str, Tensor]] | None = None
        self.checkpoint = checkpoint_path(config, type(strategy), dataset, validation)
        self.writer = CheckpointWriter(self.checkpoint, config.checkpoint_minutes)

    @property
    def judged(self) -> nn.Module:
        """The network that predicts: the average of the weights, if there is one."""
        return self.network if self.average is None else self.average.network

    def run(self) -> NetworkModel:
        """Train from the last checkpoint, or from the beginning, to the end."""
        with closing(self.writer):
            self._train_epochs()
        if self.best is not None:
            self.judged.load_state_dict(self.best[1])
        return self._corrected(self._model(self.history.epochs, self.history.dynamics()))

    def _corrected(self, model: NetworkModel) -> NetworkModel:
        """Apply the post-hoc correction, if there is one."""
        posthoc, counts = self.config.posthoc, self.context.class_counts.cpu().numpy()
        if posthoc is None:
            return model
        logits = np.empty((0, len(self.classes)), np.float32)
        labels = np.empty(0, np.int64)
        if self.validation is not None:
            images, labels = self.validation
            logits = model.logits(images)
        return model.shifted(posthoc.shift(logits, labels, counts))

    def _train_epochs(self) -> None:
        for epoch in range(self._resume(), self.config.epochs):
            with self._frozen(epoch):
                self._train_epoch(epoch)
            broadcast_buffers(self.network)
            if self.judged is not self.network:
                broadcast_buffers(self.judged)
            accuracy, each = self._validate()
            self.history.end_epoch(epoch, accuracy, each)
            self._keep_best()
            self.strategy.end_epoch(epoch, self.networks, accuracy)
            if is_main_process() and (self.writer.is_due or epoch + 1 == self.config.epochs):
                self.writer.write(self._state(epoch + 1))

    @contextmanager
    def _frozen(self, epoch: int) -> Iterator[None]:
        """Hold all but the last layers, in the epochs in which these alone learn."""
        with ExitStack() as frozen:
            if epoch < round(self.config.freeze_backbone * self.config.epochs):
                for member in members_of(self.network):
                    frozen.enter_context(frozen_but_for(member, last_layer(member)))
            yield

    def _model(self, epochs: tuple[Epoch, ...], dynamics: Dynamics | None) -> NetworkModel:
        return NetworkModel(self.judged, self.architecture, self.classes, epochs, dynamics)

    def _train_epoch(self, epoch: int) -> None:
        self.network.train()
        self.context.epoch = epoch
        self.history.begin_epoch(epoch)
        strategy = self.strategy.at_epoch(epoch)
        seen = strategy.begin_epoch(epoch, self.networks)
        if seen is not None:
            everything = torch.arange(len(seen), device=self.device)
            self.history.record(everything, seen, self.labels)
        plans = strategy.plan_epoch(epoch)
        self.finite = torch.tensor(True, device=self.device)
        self.sampler.prefetch([plan.all_rows for plan in plans])
        for done, plan in enumerate(plans):
            rate = learning_rate(self.config, epoch + done / len(plans))
            strategy.tune(self.optimizer, rate, epoch)
            self._train_step(strategy, epoch, plan)
            self._report_progress(epoch, (done + 1) / len(plans))
        weights = [torch.isfinite(value).all() for value in self.network.state_dict().values()]
        if not torch.stack([self.finite, *weights]).all():
            raise self._diverged(epoch)

    def _train_step(self, strategy: Strategy, epoch: int, plan: BatchPlan) -> None:
        step = strategy.step(plan, self.networks, epoch)
        objective = check = step.objective
        if step.logits is not None:
            logits = step.logits.detach()
            # Some losses are bounded: then only the logits show that the training diverged.
            check = check.detach() + (logits.amax(dim=1) - logits.amin(dim=1)).amax()
            self.history.record(step.rows, logits, self.labels[step.rows])
        if self.device.type == "cpu" and not torch.isfinite(check):
            raise self._diverged(epoch)
        self.finite &= torch.isfinite(check)  # asked for each step, it would make a GPU wait
        self.optimizer.zero_grad()
        torch.autograd.backward(objective)
        all_reduce_gradients(self.network.parameters())
        if self.config.clip_gradient_norm is not None:
            for network in members_of(self.network):
                clip_grad_norm_(network.parameters(), self.config.clip_gradient_norm)
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        strategy.after_update(self.networks)

    def _report_progress(self, epoch: int, fraction: float) -> None:
        """Report steps of the config's batch size, however many a method makes of an epoch."""
        samples, size = len(self.labels), self.config.batch_size
        steps = max(1, samples // size + (samples % size > 1))
        progress(epoch * steps + round(fraction * steps), self.config.epochs * steps, "step")

    def _diverged(self, epoch: int) -> WorkError:
        return WorkError(
            f"the loss is not a number in epoch {epoch + 1}: lower learning_rate "
            f"(now {self.config.learning_rate})"
        )

    def _validate(self) -> tuple[float | None, tuple[float, ...]]:
        if self.validation is None:
            return None, ()
        return self._model((), None).accuracies(*self.validation)

    def _keep_best(self) -> None:
        """Keep the weights of the best epoch so far; ties: the first wins."""
        accuracy = self.history.epochs[-1].validation_accuracy
        if self.config.select_epoch == "last" or accuracy is None:
            return
        if self.best is None or accuracy > self.best[0]:
            weights = {k: value.clone() for k, value in self.judged.state_dict().items()}
            self.best = accuracy, weights

    def _state(self, epochs: int) -> dict[str, Any]:
        return {
            "epochs": epochs,
            "network": self.network.state_dict(),
            "average": self.average and self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.sampler.generator.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
            "history": self.history.state_dict(),
            "strategy": self.strategy.state_dict(),
            "best": self.best,
        }

    def _resume(self) -> int:
        """Restore a checkpoint; return how many epochs are done."""
        state = read_checkpoint(self.checkpoint, self.device)
        if state is None:
            return 0
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sampler.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        if state["cuda"] is not None:
            torch.cuda.set_rng_state(state["cuda"].cpu(), self.device)
        self.history.load_state_dict(state["history"])
        self.strategy.load_state_dict(state["strategy"])
        self.best = state["best"]
        return int(state["epochs"])


def _images(dataset: Dataset) -> Images:
    if dataset.images is None:
        raise InputError("a learner needs images: give a dataset that has them")
    return dataset.images
