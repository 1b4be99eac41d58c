"""Cross-entropy: plain training, against which every robust method is judged."""

from typing import ClassVar

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import Strategy


class CrossEntropy(NetworkLearner):
    """Trains by plain cross-entropy on the labels as given: the baseline.

    It fits clean labels first and, in long trainings, memorises the wrong ones too: read its
    accuracy at the last epoch, and compare methods at the same schedule and weight decay.
    """

    takes_criterion: ClassVar[bool] = True

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return what the loop does by itself."""
        return Strategy()
