"""Importance reweighting: samples count by how likely their given label is the true one."""

from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.transition import TransitionLearner
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import Switch


def importance_weights(logits: Tensor, labels: Tensor, transition: Tensor) -> Tensor:
    """Compute B weights p_y / (pT)_y, without gradient.

    Args:
        logits: B × K, of true classes.
        labels: B int64 given labels.
        transition: K × K, row: true class, column: given class.
    """
    p = logits.detach().softmax(dim=1)
    noisy = (p * transition.to(p.dtype).T[labels]).sum(dim=1)
    return p.gather(1, labels[:, None])[:, 0] / noisy.clamp_min(1e-12)


def reweighted_cross_entropy(logits: Tensor, labels: Tensor, transition: Tensor) -> Tensor:
    """Multiply cross-entropy by the importance weight: B losses, in nats."""
    return importance_weights(logits, labels, transition) * cross_entropy(logits, labels)


class LossReweighting(TransitionLearner):
    """Trains by cross-entropy in which labels count the less the likelier they are wrong.

    Loss: p_y/(pT)_y · CE, the weight taken as a constant. Liu & Tao, "Classification with noisy
    labels by importance reweighting", TPAMI 2016, with the matrix estimated as in
    `forward-correction`.

    Traps: the mean goes over the batch, not over the weights' sum. A network that has memorised
    gives every label the weight 1/T[y, y]: nothing is doubted any more.
    """

    def strategy(self, dataset: Dataset) -> Switch:
        """Return cross-entropy, then reweighted cross-entropy."""
        return self.corrected(dataset, reweighted_cross_entropy)
