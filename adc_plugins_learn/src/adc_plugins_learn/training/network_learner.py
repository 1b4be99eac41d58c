"""The base of every learner that trains a network in the one loop."""

from abc import abstractmethod
from typing import ClassVar

from adc_core.dataset import Dataset
from adc_core.interfaces import Learner
from adc_plugins_learn.training.loop import Strategy, train
from adc_plugins_learn.training.network_model import NetworkModel
from adc_plugins_learn.training.recipe import Recipe


class NetworkLearner(Learner, Recipe):
    """Trains one network in the one loop; a method supplies its strategy."""

    reads: ClassVar[tuple[str, ...]] = ("images",)
    model: ClassVar[type[NetworkModel]] = NetworkModel

    @abstractmethod
    def strategy(self, dataset: Dataset) -> Strategy:
        """What the method does otherwise than plain training."""

    def learn(self, dataset: Dataset, validation: Dataset | None = None) -> NetworkModel:
        """Train on a dataset; checkpoints lie in `work_folder()`."""
        return train(dataset, validation, self, self.strategy(dataset))
