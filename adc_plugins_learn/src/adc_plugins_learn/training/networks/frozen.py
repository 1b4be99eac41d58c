"""A backbone that stays as it is, and a mapping of its features that is learned."""

from typing import Any, Self

import torch
from torch import Tensor, nn


class FrozenBackbone(nn.Module):
    """A network of which one part learns; all else stays as it is and in evaluation mode.

    Args:
        network: whose weights get no gradient from now on.
        learned: a part of it.
    """

    def __init__(self, network: nn.Module, learned: nn.Module) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        learned.requires_grad_(True)
        self._learned = [learned]  # not as a second child

    def train(self, mode: bool = True) -> Self:
        """Put the part that learns into a mode."""
        super().train(False)
        self.training = mode
        self._learned[0].train(mode)
        return self

    def forward(self, images: Tensor) -> Any:
        """Run the network."""
        return self.network(images)


class MappedFeatures(nn.Module):
    """Features plus a learned mapping of them, and a linear layer on the sum.

    It takes the place of a network's last layer. While training the mapped features and the
    features as they were follow the logits: B × (K + 2D). Afterwards there are the logits alone.

    Args:
        features: D.
        classes: K.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.mapping = nn.Sequential(
            nn.Linear(features, 4 * features),
            nn.BatchNorm1d(4 * features),
            nn.ReLU(),
            nn.Linear(4 * features, features),
        )
        self.scale = nn.Parameter(torch.ones(features))
        self.linear = nn.Linear(features, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Compute logits of B × D features, and pass both kinds of features on while training."""
        mapped = features + self.scale * self.mapping(features)
        logits: Tensor = self.linear(mapped)
        return torch.cat([logits, mapped, features], dim=1) if self.training else logits
