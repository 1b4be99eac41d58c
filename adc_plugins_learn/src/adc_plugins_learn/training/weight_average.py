"""The running average of a network's weights, which predicts better than the last of them."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


class WeightAverage:
    """A network whose weights follow those of another, slowly.

    Each step keeps min(decay, (1 + t) / (10 + t)) of the average, t steps counted from 0, as
    TensorFlow's ExponentialMovingAverage does with `num_updates`: so that it is not the random
    weights of the beginning for long. Statistics of BatchNorm are averaged likewise.

    Args:
        network: the network that is trained; its weights are the first average.
        decay: what is kept in the end.

    Attributes:
        network: the averaged one.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = deepcopy(network).requires_grad_(False)
        self._decay, self._steps = decay, 0
        self._pairs = list(zip(_state(self.network), _state(network), strict=True))

    def update(self) -> None:
        """Follow the optimizer's step."""
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        self._steps += 1
        real = [pair for pair in self._pairs if pair[0].is_floating_point()]
        averages, present = [own for own, _ in real], [new.detach() for _, new in real]
        torch._foreach_lerp_(averages, present, 1 - decay)
        for own, new in self._pairs:
            if not own.is_floating_point():
                own.copy_(new)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must keep."""
        return {"steps": self._steps, "network": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._steps = state["steps"]
        self.network.load_state_dict(state["network"])


def _state(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
