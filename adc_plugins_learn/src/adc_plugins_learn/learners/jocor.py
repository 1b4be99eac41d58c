"""JoCoR: two networks that must agree, trained as one on samples of small joint loss."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.small_loss_pair import (
    Choice,
    PairStrategy,
    SmallLossPair,
    small_loss_rows,
)
from adc_plugins_learn.training.parts import BoundCriterion, cross_entropy


def joint_losses(
    first: Tensor,
    second: Tensor,
    labels: Tensor,
    agreement: float,
    criterion: BoundCriterion = cross_entropy,
) -> Tensor:
    """Compute (1 − λ)·(CE₁ + CE₂) + λ·(KL(p₁‖p₂) + KL(p₂‖p₁)).

    Both divergences are taken of log-probabilities: through probabilities, their gradient is not
    a number where one underflows.

    Args:
        first: B × K logits of one network.
        second: B × K logits of the other.
        labels: B int64 class indices.
        agreement: λ.
        criterion: the loss of a sample, CE where none is given.

    Returns:
        B losses, in nats.
    """
    log_p, log_q = first.log_softmax(dim=1), second.log_softmax(dim=1)
    apart = ((log_p.exp() - log_q.exp()) * (log_p - log_q)).sum(dim=1)
    own = criterion(first, labels) + criterion(second, labels)
    return (1 - agreement) * own + agreement * apart


def jocor_loss(
    first: Tensor,
    second: Tensor,
    labels: Tensor,
    forget_rate: float,
    criterion: BoundCriterion = cross_entropy,
    choice: Choice = small_loss_rows,
    *,
    agreement: float,
) -> Tensor:
    """Average the joint loss over the rows where it is smallest: one number for both networks.

    Args:
        first: B × K logits of one network.
        second: B × K logits of the other.
        labels: B int64 class indices.
        forget_rate: the part of the batch that is left out.
        criterion: the loss of a sample, CE where none is given.
        choice: which rows of a batch are learned from.
        agreement: λ.
    """
    losses = joint_losses(first, second, labels, agreement, criterion)
    return losses[choice(losses, labels, forget_rate)].mean()


class JoCoR(SmallLossPair):
    """Trains two networks as one, on samples on which they agree with each other and the label.

    Loss: (1 − λ)·(CE₁ + CE₂) + λ·(KL(p₁‖p₂) + KL(p₂‖p₁)), averaged over the ⌊(1 − f)·B⌋ rows where
    it is smallest. Wei et al., "Combating noisy labels by agreement: a joint training method with
    co-regularization", CVPR 2020. Official: λ = 0.1 by default, 0.65 to 0.9 for its published
    figures; f and Adam as in `co-teaching`. The ADC paper: λ = 0.3.

    Traps: λ weighs agreement and 1 − λ the labels. One set of rows serves both networks.
    Predictions are the mean of both networks' probabilities. Costs two networks.
    """

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({**SmallLossPair.adc, "agreement": 0.3})

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {**SmallLossPair.cifar_n, "agreement": 0.9}
    )

    agreement: float = Field(
        default=0.1, ge=0, le=1, description="λ: weight of agreement against labels"
    )

    def strategy(self, dataset: Dataset) -> PairStrategy:
        """Return the joint loss."""
        return self.paired(partial(jocor_loss, agreement=self.agreement))
