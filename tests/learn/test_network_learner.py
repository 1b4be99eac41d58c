import numpy as np
import pytest
from pydantic import ValidationError

from adc_core.components.interfaces import Learner
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.model import NetworkModel
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import Strategy


class Weighted(NetworkLearner):
    """Trains with rare classes weighted up."""

    power: float = 1

    def strategy(self, dataset):
        weights = self.power * len(dataset) / np.maximum(dataset.class_counts, 1)

        class Reweighted(Strategy):
            def loss(self, logits, batch, epoch):
                return (
                    cross_entropy(logits, batch.labels) * logits.new_tensor(weights)[batch.labels]
                )

        return Reweighted()


def test_a_method_is_its_loss_and_its_options(squares):
    model = Weighted(image_size=12, epochs=2, batch_size=8, power=0.5).learn(squares)
    assert isinstance(model, NetworkModel)
    assert model.dynamics.loss.shape == (31, 2)


def test_it_has_the_options_of_every_training():
    assert issubclass(NetworkLearner, Learner)
    assert set(TrainingConfig.model_fields) < set(Weighted.model_fields)
    with pytest.raises(ValidationError):
        Weighted(epochs=0)


def test_it_reads_images_and_says_what_it_returns():
    assert Weighted.requires == ("images",)
    assert Weighted.model is NetworkModel
