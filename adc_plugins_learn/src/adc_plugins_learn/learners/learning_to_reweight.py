"""Learning to reweight: samples count as far as they help with trusted ones."""

from collections.abc import Sequence
from typing import ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from adc_core import Dataset, LocalPath
from adc_plugins_learn.methods.hold_out import hold_out
from adc_plugins_learn.methods.trusted_samples import read_trusted
from adc_plugins_learn.training.data.image_source import InMemoryImages
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.hardware.distributed import sum_over_processes
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


def alignments(losses: Tensor, trusted_loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """Compute the inner product of each sample's gradient with that of the trusted loss.

    They are what the trusted loss falls by, at first, per weight of a sample in a step down the
    weighted losses, divided by the learning rate.

    Args:
        losses: B, of which a graph is kept.
        trusted_loss: one number.
        parameters: of which both are functions.

    Returns:
        B numbers of either sign, without gradient.
    """
    shares = torch.ones_like(losses, requires_grad=True)
    own = torch.autograd.grad((shares * losses).sum(), parameters, create_graph=True)
    towards = torch.autograd.grad(trusted_loss, parameters)
    sum_over_processes(towards)
    product = torch.stack([(g * t).sum() for g, t in zip(own, towards, strict=True)]).sum()
    (found,) = torch.autograd.grad(product, shares, retain_graph=True)
    sum_over_processes([found])
    return found


def sample_weights(aligned: Tensor) -> Tensor:
    """Cut B alignments off at 0 and divide them by their sum; zeros where none is above 0."""
    weights = aligned.clamp_min(0)
    total = weights.sum()
    return weights / torch.where(total > 0, total, 1)


class LearningToReweight(NetworkLearner):
    """Trains on samples weighted by how far a step on them helps with trusted ones.

    Weight: max(⟨gradient of the sample's loss, gradient of the trusted loss⟩, 0), divided by the
    batch's sum: what the paper's virtual step and its derivative at zero weights come to. Ren et
    al., "Learning to reweight examples for robust deep learning", ICML 2018. Without trusted
    samples the others are judged by a part that is held out as it is labeled: what is wrong in it
    points everywhere, as Ghosh & Lan found, "Do we really need gold samples for sample weighting
    under label noise?", WACV 2021.

    Traps: trusted labels must be of all classes; a few hundred suffice. Samples that are held out
    or of another dataset are not learned themselves. Labels that go wrong the same way everywhere
    need trusted samples that are right. A step costs about four of cross-entropy and twice the
    memory, and needs second derivatives: not with `torch_compile`.
    """

    takes_criterion: ClassVar[bool] = True

    trusted_samples: LocalPath | None = Field(
        default=None,
        description="samples whose labels are right: a dataset of the same classes, or a .txt file "
        "of ids of this one; none: hold some out",
    )
    held_out: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="without trusted_samples: part of each class's samples that judges the others",
    )
    trusted_batch_size: int | None = Field(
        default=None, ge=2, description="trusted images per step; none: batch_size"
    )

    @property
    def awaited_files(self) -> tuple[str, ...]:
        """A list of ids, which `trusted-split` writes in the course of the run."""
        path = self.trusted_samples
        return ("trusted_samples",) if path is not None and path.suffix == ".txt" else ()

    @model_validator(mode="after")
    def _check_compiler(self) -> Self:
        if self.torch_compile:
            raise ValueError("torch_compile gives no second derivatives: set it to false")
        return self

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return cross-entropy, weighted anew in each step.

        Raises:
            InputError: the trusted samples cannot be used.
        """
        trusted = (
            None if self.trusted_samples is None else read_trusted(self.trusted_samples, dataset)
        )
        return _Reweighted(self, trusted)


class _Reweighted(Strategy):
    def __init__(self, options: LearningToReweight, trusted: Tensor | Dataset | None) -> None:
        self._options, self._trusted = options, trusted

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self._size = self._options.trusted_batch_size or sampler.batch_size
        everything = torch.arange(len(sampler))
        self._learned, self._judging, self._judges = everything, everything, sampler
        if isinstance(self._trusted, Dataset):
            self._judges = _sampler_of(self._trusted, sampler, self._options.image_size)
            self._judging = torch.arange(len(self._trusted))
        elif self._trusted is not None:
            self._judging = self._trusted
        else:
            self._learned, self._judging = hold_out(
                sampler.labels, sampler.n_classes, self._options.held_out, sampler.generator
            )

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        batches = self.sampler.shuffled_batches(self._learned)
        self._waiting: list[Tensor] = []
        if self._judges is not self.sampler:
            return [BatchPlan(rows) for rows in batches]
        return [BatchPlan(rows, extra_rows=self._next()) for rows in batches]

    def _next(self) -> Tensor:
        """Return the next rows of the trusted samples, in an order that begins anew."""
        if not self._waiting:
            self._waiting = self._judges.shuffled_batches(
                self._judging, self._size, by_labels=False
            )
        return self._waiting.pop()

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        network, batch = networks[0], self.sampler.batch(plan.rows)
        rows = self._next() if plan.extra_rows is None else plan.extra_rows
        trusted = self._judges.batch(rows)
        logits, judged = network(batch.images), network(trusted.images)
        losses = self.criterion(logits, batch.labels)
        trusted_loss = self.criterion(judged, trusted.labels).mean()
        parameters = [p for p in network.parameters() if p.requires_grad]
        weights = sample_weights(alignments(losses, trusted_loss, parameters))
        seen, found = batch.rows, logits
        if self._trusted is None and len(self._learned) < len(self.sampler):
            # Those held out are seen here alone.
            seen, found = torch.cat([seen, trusted.rows]), torch.cat([found, judged])
        return Step(losses, seen, found, weights)


def _sampler_of(dataset: Dataset, sampler: TrainingSampler, image_size: int) -> TrainingSampler:
    assert dataset.images is not None
    pixels = torch.from_numpy(dataset.images.resized(image_size)).to(sampler.device)
    labels = torch.from_numpy(dataset.labels.copy()).to(sampler.device)
    return sampler.of_others(InMemoryImages(pixels), labels)
