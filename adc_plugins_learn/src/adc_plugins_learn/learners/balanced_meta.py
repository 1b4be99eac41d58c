"""Balanced meta-softmax: balanced softmax, on classes drawn as often as helps all of them alike."""

from typing import Any, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.criteria.balanced_softmax import balanced_softmax
from adc_plugins_learn.learners.learning_to_reweight import alignments
from adc_plugins_learn.samplers.class_balanced import draw_by, sampling_probabilities
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.layers import statistics_kept
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


def rate_gains(aligned: Tensor, labels: Tensor, rates: Tensor) -> Tensor:
    """Estimate what the balanced loss gains by each class's rate, from a batch that they drew.

    The derivative, by the logarithm of each rate before they are divided by their sum, of what a
    step of rate 1 lowers the balanced loss: rate of k times (mean alignment of k - that of all).

    Args:
        aligned: B inner products of a sample's gradient with that of the balanced loss.
        labels: B int64 class indices, drawn by the rates.
        rates: K, of sum 1.
    """
    drawn = torch.zeros_like(rates).index_add_(0, labels, aligned.to(rates.dtype))
    return (drawn - rates * aligned.sum()) / len(aligned)


class BalancedMetaSoftmax(NetworkLearner):
    """Trains by balanced softmax, and learns how often to draw each class meanwhile.

    Loss: cross-entropy of z + log nₖ, as the criterion `balanced-softmax`, on samples whose classes
    are drawn by rates that begin as the classes' parts. They follow, by Adam, the derivative of
    plain cross-entropy on a balanced batch after a step. Ren et al., "Balanced meta-softmax for
    long-tailed visual recognition", NeurIPS 2020.

    Unlike the paper, which draws by Gumbel-softmax, takes the step and differentiates through it,
    the derivative is taken before the step, as `learning-to-reweight` takes it; rates change
    from one epoch to the next; and they are learned from the beginning, not for a last layer
    alone on frozen features.

    Traps: the balanced batch is drawn from the training set with its labels as given, rare samples
    again and again, so that wrong labels of rare classes weigh most. A step costs about five of
    cross-entropy and needs second derivatives: not with `torch_compile`. On our tests' tails it
    brings nothing over cross-entropy with `criterion: balanced-softmax`: mean recall of three
    patterns in 300, 60 and 12 images .987 against .990, with a fifth of the labels wrong .80
    against .78, in 400, 100 and 25 with a tenth .91 against .92; seeds differ by as much.
    """

    meta_learning_rate: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="step size of Adam on the logarithms of the classes' rates",
    )

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if self.torch_compile:
            raise ValueError("torch_compile gives no second derivatives: set it to false")
        if self.sampler is not None:
            raise ValueError("sampler: balanced-meta draws classes by rates of its own: leave it")
        return self

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return balanced softmax on classes drawn by learned rates."""
        return _Balanced(self.meta_learning_rate)


class _Balanced(Strategy):
    def __init__(self, rate: float) -> None:
        self._rate = rate

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self._labels = sampler.labels.cpu()
        self._counts = torch.bincount(self._labels, minlength=sampler.n_classes).double()
        self._log_prior = (self._counts / len(sampler)).clamp_min(1e-12).log()
        self._prior = self._log_prior.float().to(sampler.device)
        self._preferences = self._log_prior.clone().requires_grad_()
        self._adam = torch.optim.Adam([self._preferences], lr=self._rate)

    @property
    def rates(self) -> Tensor:
        """K float64: how often each class is drawn."""
        return self._preferences.detach().softmax(dim=0)

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        """Draw the samples of an epoch by the present rates, and balanced ones beside them."""
        self._drawn_by, generator = self.rates, self.sampler.generator
        chances = (self._drawn_by / self._counts.clamp_min(1))[self._labels]
        drawn = draw_by(chances, len(self.sampler), generator)
        balanced = sampling_probabilities(self._labels, self.sampler.n_classes, exponent=0)
        return [
            BatchPlan(rows, draw_by(balanced, self.sampler.batch_size, generator))
            for rows in self.sampler.shuffled_batches(drawn, by_labels=False)
        ]

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        network, batch = networks[0], self.sampler.batch(plan.rows)
        assert plan.extra_rows is not None
        judges = self.sampler.batch(plan.extra_rows)
        logits = network(batch.images)
        with statistics_kept(network):  # predictions are normalized as what is learned from
            judged = network(judges.images)
        losses = balanced_softmax(logits, batch.labels, self._prior)
        parameters = [p for p in network.parameters() if p.requires_grad]
        aligned = alignments(losses, cross_entropy(judged, judges.labels).mean(), parameters)
        self._preferences.grad = -rate_gains(aligned.cpu(), batch.labels.cpu(), self._drawn_by)
        return Step(losses, batch.rows, logits)

    def after_update(self, networks: Networks) -> None:
        self._adam.step()

    def state_dict(self) -> dict[str, Any]:
        return {"preferences": self._preferences.detach(), "adam": self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        with torch.no_grad():
            self._preferences.copy_(state["preferences"])
        self._adam.load_state_dict(state["adam"])
