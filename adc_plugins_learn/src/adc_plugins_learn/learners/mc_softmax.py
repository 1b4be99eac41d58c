"""MCSoftMax: logits with a learned noise of their own, averaged over draws."""

import math

from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.heads import Output
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import PerSample


def bounded_cross_entropy(log_probabilities: Tensor, labels: Tensor) -> Tensor:
    """Compute −log p_y, at most −log 10⁻⁷: B losses, from B × K log-probabilities."""
    return cross_entropy(log_probabilities, labels).clamp_max(-math.log(1e-7))


class MCSoftMax(NetworkLearner):
    """Trains a network that says how noisy its logits are, image by image.

    The last layer gives a mean and a spread d of each image's logits, and with `rank` a K × R
    factor; p is the mean over draws of softmax((mean + factor·ε + d·ε')/τ), the loss −log p_y.
    With `rank: 0` the noise of each logit is its own: Collier et al., "A simple probabilistic
    method for deep classification under input-dependent label noise", arXiv 2003.06778, 2020. With
    a factor noises go together, as where classes are confused: Collier et al., "Correlated
    input-dependent label noise in large-scale image classification", arXiv 2105.10305, CVPR 2021.
    Official: 1000 draws; 100 suffice for few classes. τ is in 0.3 … 3, R at 4 to 15.

    Traps: it absorbs noise that depends on the image, not noise that is alike for all, which it
    memorises as cross-entropy does: our tests' noise is such, and nothing is gained there. τ and
    the learning rate must be tuned together.
    """

    rank: int = Field(
        default=4, ge=0, description="R: of the noise's low-rank part; 0: without it, as of 2020"
    )
    draws: int = Field(default=100, ge=1, description="to average over")
    temperature: float = Field(default=1, gt=0, description="τ: of the softmax")

    def strategy(self, dataset: Dataset) -> PerSample:
        """Return cross-entropy of the averaged softmax."""
        strategy = PerSample(bounded_cross_entropy)
        options = {"rank": self.rank, "draws": self.draws, "temperature": self.temperature}
        strategy.output = Output("mc-softmax", options)
        return strategy
