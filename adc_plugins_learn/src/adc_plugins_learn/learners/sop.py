"""SOP: the noise of each label is learned beside the network, and taken out of its target."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.consistency import TwoViewLearner, consistency_losses
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy

_LEAST = 1e-4
"""ε: what a corrected probability is at least."""

_SPREAD = 1e-8
"""Standard deviation of u and v at the start; at 0 they would stay there."""


def corrected_probabilities(logits: Tensor, labels: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Add the label noise that is modeled to the predictions: max(p + s, ε), normalized.

    s = u² at the given label, and −v² at all others.

    Args:
        logits: B × K.
        labels: B int64 given labels.
        u: B, in −1 … 1.
        v: B × K, in −1 … 1; it gets no gradient, and its numbers at the given labels do not count.

    Returns:
        B × K probabilities of the given labels.
    """
    given = torch.nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
    noise = u[:, None] ** 2 * given - v.detach() ** 2 * (1 - given)
    corrected = (logits.softmax(dim=1) + noise).clamp_min(_LEAST)
    return corrected / corrected.sum(dim=1, keepdim=True)


def squared_residuals(logits: Tensor, labels: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Compute ‖predicted class + s − given label‖², by which v is learned: only it gets a gradient.

    Args:
        logits: B × K, of which the largest counts.
        labels: B int64 given labels.
        u: B, in −1 … 1.
        v: B × K, in −1 … 1.

    Returns:
        B losses.
    """
    K = logits.shape[1]
    given = torch.nn.functional.one_hot(labels, K).to(logits.dtype)
    predicted = torch.nn.functional.one_hot(logits.argmax(dim=1), K).to(logits.dtype)
    noise = u.detach()[:, None] ** 2 * given - v**2 * (1 - given)
    return ((predicted + noise - given) ** 2).sum(dim=1)


def balance_penalty(probabilities: Tensor) -> Tensor:
    """Compute cross-entropy of the uniform distribution to the mean of B × K probabilities."""
    return -probabilities.mean(dim=0).clamp_min(_LEAST).log().mean()


class SparseOverParameterization(TwoViewLearner):
    """Trains a network together with a model of the noise of each label, which fits it instead.

    Loss: −log of the given label's entry in max(p + s, ε), normalized, where s is u² at the given
    label and −v² at the others; u and v are numbers of each sample that begin near 0, where their
    gradients are small. Thus what the network learns easily is learned by the network, and labels
    that contradict it by u. v follows the squared error of predicted class + s. Liu et al., "Robust
    training under label noise by over-parameterization", ICML 2022. With `consistency` 0.9 and
    `balance` 0.1 it is SOP+: the predictions of a strong view follow those of the weak one, and
    all classes are kept in use. Rates, constant and of SGD without momentum, for batches of 128: 1
    and 10 for a hundred classes, 1 and 100 there under asymmetric noise (official code,
    shengliu66/SOP); 10 and 10 for ten classes, as reproductions of CIFAR-10N have it. The preset
    `cifar-n` is SOP+, whose strong view has AutoAugment in the official code.

    Traps: u and v change by the gradient of a batch's mean, so halve their rates with the batch;
    they grow from 10⁻⁸ by a factor a visit, so trainings of few epochs need rates of hundreds. A
    probability below ε has no gradient: at a large learning rate logits soon are so far apart.
    u is learned by cross-entropy alone; a later form of the official code also sends it the
    squared error, and lowers its rate. Predictions are the network's own, without s.
    """

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"u_learning_rate": 5, "v_learning_rate": 5}
    )
    """As for CIFAR-10, for batches of 64."""

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "backbone": "preact-resnet18",
            "learning_rate": 0.02,
            "epochs": 300,
            "schedule": "cosine",
            "final_learning_rate": 0.0002,
            "u_learning_rate": 10,
            "v_learning_rate": 10,
            "consistency": 0.9,
            "balance": 0.1,
        }
    )
    """The official code's SOP+, with the rates of ten classes."""

    u_learning_rate: float = Field(
        default=5, ge=0, le=1000, description="learning rate of u, at the given label"
    )
    v_learning_rate: float = Field(
        default=5, ge=0, le=1000, description="learning rate of v, at the other labels"
    )
    consistency: float = Field(
        default=0, ge=0, description="weight of the strong view's agreement with the weak one"
    )
    balance: float = Field(
        default=0, ge=0, description="weight of the penalty for classes out of use"
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the corrected loss, with u and v of each sample."""
        return _OverParameterized(self)


class _OverParameterized(Strategy):
    def __init__(self, options: SparseOverParameterization) -> None:
        self._options = options

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        draws = _SPREAD * torch.randn(len(sampler), 1 + sampler.n_classes)
        self._u, self._v = draws[:, 0].to(sampler.device), draws[:, 1:].to(sampler.device)

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        batch, options = self.sampler.batch(plan.rows), self._options
        images = batch.images
        if options.consistency:
            strong = self.sampler.batch(plan.rows, options.further)
            images = torch.cat([images, strong.images])
        logits, *second = networks[0](images).split(len(batch.rows))
        # Leaves of this step: gradients for all N samples would be mostly zeros.
        u, v = (memory[batch.rows].requires_grad_() for memory in (self._u, self._v))
        self._present = (batch.rows, u, v)
        p = corrected_probabilities(logits, batch.labels, u, v)
        losses = -p.gather(1, batch.labels[:, None])[:, 0].log()
        losses = losses + squared_residuals(logits, batch.labels, u, v)
        if second:
            losses = losses + options.consistency * consistency_losses(logits, second[0])
        loss = losses.mean()
        if options.balance:
            loss = loss + options.balance * balance_penalty(p)
        return Step(loss, batch.rows, logits)

    @torch.no_grad()
    def after_update(self, networks: Networks) -> None:
        rows, u, v = self._present
        rates = (self._options.u_learning_rate, self._options.v_learning_rate)
        for memory, leaf, rate in zip((self._u, self._v), (u, v), rates, strict=True):
            assert leaf.grad is not None
            memory[rows] = (leaf - rate * leaf.grad).clamp(-1, 1)

    def state_dict(self) -> dict[str, Any]:
        return {"u": self._u, "v": self._v}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._u, self._v = state["u"], state["v"]
