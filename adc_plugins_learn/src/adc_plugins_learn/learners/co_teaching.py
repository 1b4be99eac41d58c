"""Co-teaching: each of two networks picks the samples from which the other learns."""

from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.small_loss_pair import (
    Choice,
    PairStrategy,
    SmallLossPair,
    small_loss_rows,
)
from adc_plugins_learn.training.parts import BoundCriterion, cross_entropy


def co_teaching_losses(
    first: Tensor,
    second: Tensor,
    labels: Tensor,
    forget_rate: float,
    criterion: BoundCriterion = cross_entropy,
    choice: Choice = small_loss_rows,
) -> tuple[Tensor, Tensor]:
    """Compute each network's mean loss on the rows of the other's smallest losses.

    Args:
        first: B × K logits of one network.
        second: B × K logits of the other.
        labels: B int64 class indices.
        forget_rate: the part of the batch that is left out.
        criterion: the loss of a sample, CE where none is given.
        choice: which rows of a batch are learned from.

    Returns:
        One number for each network, in nats.
    """
    losses, others = criterion(first, labels), criterion(second, labels)
    picked, others_picked = (
        choice(losses, labels, forget_rate),
        choice(others, labels, forget_rate),
    )
    return losses[others_picked].mean(), others[picked].mean()


def _both(
    first: Tensor,
    second: Tensor,
    labels: Tensor,
    forget_rate: float,
    criterion: BoundCriterion,
    choice: Choice,
) -> Tensor:
    # Each term depends on one network alone, so one optimizer steps as two would.
    own, other = co_teaching_losses(first, second, labels, forget_rate, criterion, choice)
    return own + other


class CoTeaching(SmallLossPair):
    """Trains two networks, each on the samples that the other finds easy.

    Loss: mean CE over the ⌊(1 − f)·B⌋ rows of smallest loss of the *other* network; f rises from
    0 to `forget_rate` over `gradual_epochs`. Han et al., "Co-teaching: robust training of deep
    neural networks with extremely noisy labels", NeurIPS 2018. Official: Adam at 10⁻³, falling
    linearly from 40 % of the epochs on, with first beta 0.9, then 0.1; f is the noise rate. The
    ADC paper: rate 10⁻⁴, falling from epoch 5 of 20; its f is not stated, 0.3 here.

    Traps: published code divides the mean by the number of rows again, which only Adam
    forgives; this one does not. Predictions are the mean of both networks' probabilities.
    Incomplete batches are kept. Under a long tail the losses of rare classes are large, so that
    they are forgotten first: set `within_classes`. Costs two networks.
    """

    def strategy(self, dataset: Dataset) -> PairStrategy:
        """Return the sum of both networks' losses."""
        return self.paired(_both)
