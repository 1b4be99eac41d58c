"""What may follow a backbone: the layers that make logits of the last layer's numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from adc_plugins_learn.training.networks.frozen import MappedFeatures


@dataclass(frozen=True)
class Output:
    """What makes logits of the last layer's numbers.

    Attributes:
        name: one of `OUTPUTS`.
        options: its numbers.
    """

    name: str = "plain"
    options: Mapping[str, Any] = field(default_factory=dict)


PLAIN = Output()
"""The last layer's numbers are the logits."""


class CosineLinear(nn.Linear):
    """Cosines between features and class vectors, times a scale.

    Args:
        features: D.
        classes: K.
        scale: s.
    """

    def __init__(self, features: int, classes: int, scale: float) -> None:
        super().__init__(features, classes, bias=False)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        """Compute B × K logits of B × D features."""
        unit = nn.functional.normalize
        return self.scale * nn.functional.linear(unit(features), unit(self.weight))


class TaylorSoftmax(nn.Module):
    """Logits whose softmax is the Taylor softmax: the log of exp's Taylor polynomial.

    Args:
        classes: K.
        order: of the polynomial; even, so that it is positive.
    """

    def __init__(self, classes: int, order: int) -> None:
        super().__init__()
        self.width, self.order = classes, order

    def forward(self, numbers: Tensor) -> Tensor:
        """Turn B × K numbers into B × K logits."""
        return taylor_log_exp(numbers.float(), self.order)


def taylor_log_exp(numbers: Tensor, order: int) -> Tensor:
    """Compute log(1 + z + z²/2! + … + zⁿ/n!) of each number, for an even n."""
    total = torch.ones_like(numbers)
    for power in range(order, 0, -1):
        total = 1 + numbers / power * total
    return total.log()


class MonteCarloSoftmax(nn.Module):
    """Logits with a learned Gaussian noise, averaged over draws.

    While training each sample has its own draws, of torch's global generator; afterwards all
    share fixed ones, so that a prediction depends on its image alone.

    Args:
        classes: K.
        rank: R, of the noise's low-rank part; 0: each logit's noise is its own.
        draws: S.
        temperature: of the softmax.
    """

    fixed_low: Tensor
    fixed_own: Tensor

    def __init__(self, classes: int, rank: int, draws: int, temperature: float) -> None:
        super().__init__()
        self.width = classes * (2 + rank)
        self.classes, self.rank, self.draws, self.temperature = classes, rank, draws, temperature
        fixed = torch.Generator().manual_seed(0)
        for name, size in (("fixed_low", rank), ("fixed_own", classes)):
            draw = torch.randn(draws, 1, size, generator=fixed)
            self.register_buffer(name, draw, persistent=False)

    def forward(self, numbers: Tensor) -> Tensor:
        """Turn B × K(2 + R) numbers into B × K log-probabilities, in float32."""
        with torch.autocast(numbers.device.type, enabled=False):
            return self._averaged(numbers.float())

    def _averaged(self, numbers: Tensor) -> Tensor:
        K, R, device = self.classes, self.rank, numbers.device
        location, factor, spread = torch.split(numbers, [K, K * R, K], dim=1)
        if self.training:
            shape = (self.draws, len(numbers))
            low, own = (torch.randn(*shape, size, device=device) for size in (R, K))
        else:
            low, own = self.fixed_low, self.fixed_own
        spread = nn.functional.softplus(spread) + 1e-3
        shared = factor.view(-1, K, R) if R else None
        return mean_softmax(location, shared, spread, low, own, temperature=self.temperature)


def mean_softmax(
    location: Tensor,
    factor: Tensor | None,
    spread: Tensor,
    low: Tensor,
    own: Tensor,
    temperature: float,
) -> Tensor:
    """Compute log of the mean over draws of softmax((location + factor·low + spread·own) / τ).

    Args:
        location: B × K.
        factor: B × K × R; without it there is no such part.
        spread: B × K, positive.
        low: S × B × R standard normal draws; S × 1 × R are shared by all samples.
        own: S × B × K, or S × 1 × K.
        temperature: positive.
    """
    latent = location + spread * own
    if factor is not None:
        low = low.expand(-1, factor.shape[0], -1)
        latent = latent + torch.einsum("bkr,sbr->sbk", factor, low)
    latent = latent / temperature
    return latent.log_softmax(dim=2).logsumexp(dim=0) - math.log(len(latent))


class FeatureSpace(nn.Module):
    """A linear layer on features that a method looks at, too.

    Features are the numbers divided by √D, so that their length is about 1. While training they
    follow the logits: B × (K + D). Afterwards there are the logits alone.

    Args:
        classes: K.
        dimensions: D.
    """

    def __init__(self, classes: int, dimensions: int) -> None:
        super().__init__()
        self.width = dimensions
        self.linear = nn.Linear(dimensions, classes)

    def logits(self, features: Tensor) -> Tensor:
        """Compute B × K logits of B × D features."""
        logits: Tensor = self.linear(features * math.sqrt(self.width))
        return logits

    def forward(self, numbers: Tensor) -> Tensor:
        """Compute logits of B × D numbers, and let the features follow while training."""
        features = numbers / math.sqrt(self.width)
        logits = self.logits(features)
        return torch.cat([logits, features], dim=1) if self.training else logits


class FirstFeatures(nn.Module):
    """A linear layer without bias on the first features, a number of them drawn for each batch.

    It takes the place of a network's last layer. Afterwards the features that `kept` marks count.

    Args:
        features: D.
        classes: K.
        spread: of the drawn widths; at most a fifth of D is taken.
        rate: if it is not None, each feature is dropped by this chance instead, and the others
            are scaled up.
    """

    kept: Tensor

    def __init__(
        self, features: int, classes: int, spread: float = 100, rate: float | None = None
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(features, classes, bias=False)
        self.rate, self._chances = rate, width_chances(features, min(spread, features / 5))
        self.register_buffer("kept", torch.ones(features))

    def keep(self, width: int) -> None:
        """Let the first features count from now on, in evaluation mode."""
        self.kept.copy_(torch.arange(len(self.kept)) < width)

    def forward(self, features: Tensor) -> Tensor:
        """Compute B × K logits of B × D features."""
        if self.rate is not None:
            features = nn.functional.dropout(features, self.rate, self.training)
        elif self.training:
            width = 1 + int(torch.multinomial(self._chances, 1))
            features = torch.cat([features[:, :width], torch.zeros_like(features[:, width:])], 1)
        else:
            features = features * self.kept
        logits: Tensor = self.linear(features)
        return logits


def width_chances(features: int, spread: float) -> Tensor:
    """Compute D chances of keeping the first 1, 2, … D features: as exp(−(k/spread)²)."""
    widths = torch.arange(1, features + 1, dtype=torch.float64)
    return (-((widths / spread) ** 2)).softmax(dim=0)


OUTPUTS: Mapping[str, type[TaylorSoftmax | MonteCarloSoftmax | FeatureSpace]] = {
    "feature-space": FeatureSpace,
    "taylor-softmax": TaylorSoftmax,
    "mc-softmax": MonteCarloSoftmax,
}
"""What may follow a backbone, by the name that a saved model has for it."""

LAST_LAYERS: Mapping[str, type[FirstFeatures | MappedFeatures]] = {
    "nested-dropout": FirstFeatures,
    "nmtune": MappedFeatures,
}
"""What may take the place of a backbone's last layer, likewise."""

FROZEN_BELOW = ("nmtune",)
"""Of these, those below which nothing learns."""
