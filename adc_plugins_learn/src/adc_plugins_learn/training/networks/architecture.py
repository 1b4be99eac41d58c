"""Networks as they are trained and predict: a backbone and its head, or several that combine."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from adc_plugins_learn.training.data.normalize import Channels
from adc_plugins_learn.training.networks.backbones import build_backbone
from adc_plugins_learn.training.networks.heads import OUTPUTS, PLAIN, Output
from adc_plugins_learn.training.networks.weights import RANDOM

Vote = Literal["probabilities", "logits"]
"""Several networks predict by the mean of their probabilities, or by the sum of their logits."""


@dataclass(frozen=True)
class Architecture:
    """What is needed to build a network and feed it.

    Attributes:
        backbone: its name.
        image_size: side of its pictures, in pixels.
        mean: of each channel, in 0 … 1.
        std: of each channel, in 0 … 1.
        members: how many networks predict together.
        vote: in which way.
        output: what makes logits of the last layer's numbers.
    """

    backbone: str
    image_size: int
    mean: Channels
    std: Channels
    members: int = 1
    vote: Vote = "probabilities"
    output: Output = PLAIN


class Committee(nn.Module):
    """Several networks of one shape that predict together."""

    def __init__(self, members: list[nn.Module], vote: Vote) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.vote = vote

    def forward(self, images: Tensor) -> Tensor:
        """B × 3 × H × W images to B × K logits, whose softmax is the common vote."""
        logits = torch.stack([member(images).float() for member in self.members])
        if self.vote == "logits":
            return logits.sum(dim=0)
        return logits.log_softmax(dim=2).logsumexp(dim=0) - math.log(len(logits))


def build_network(architecture: Architecture, classes: int, weights: str = RANDOM) -> nn.Module:
    """A network, or a committee of networks, its random weights from torch's global generator.

    Raises:
        InputError: no such backbone or weights.
        WorkError: official weights cannot be downloaded.
    """
    members = [_member(architecture, classes, weights) for _ in range(architecture.members)]
    return members[0] if len(members) == 1 else Committee(members, architecture.vote)


def members_of(network: nn.Module) -> list[nn.Module]:
    """The networks of a committee, or the network itself."""
    return list(network.members) if isinstance(network, Committee) else [network]


def _member(architecture: Architecture, classes: int, weights: str) -> nn.Module:
    about = architecture.output
    if about.name == PLAIN.name:
        return build_backbone(architecture.backbone, classes, weights)
    output = OUTPUTS[about.name](classes, **about.options)
    return nn.Sequential(build_backbone(architecture.backbone, output.width, weights), output)
