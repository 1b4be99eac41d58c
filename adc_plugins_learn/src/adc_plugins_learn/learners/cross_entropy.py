"""Cross-entropy: plain training, against which every robust method is judged."""

import torch
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import PerSample


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the negative log-probability of the given label.

    Args:
        logits: B × K.
        labels: B int64 class indices.

    Returns:
        B losses, in nats.
    """
    return torch.nn.functional.cross_entropy(logits, labels, reduction="none")


class CrossEntropy(NetworkLearner):
    """Trains by plain cross-entropy on the labels as given: the baseline.

    It fits clean labels first and, in long trainings, memorises the wrong ones too: read its
    accuracy at the last epoch, and compare methods at the same schedule and weight decay.
    """

    def strategy(self, dataset: Dataset) -> PerSample:
        """Return the loss and nothing else."""
        return PerSample(cross_entropy)
