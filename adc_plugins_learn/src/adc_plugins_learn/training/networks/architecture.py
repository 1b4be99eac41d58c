"""Networks as they are trained and predict: a backbone and its head, or several that combine."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from adc_core import InputError
from adc_plugins_learn.training.data.normalize import Channels
from adc_plugins_learn.training.networks.backbones import build_backbone, last_layer
from adc_plugins_learn.training.networks.frozen import FrozenBackbone
from adc_plugins_learn.training.networks.heads import (
    FROZEN_BELOW,
    LAST_LAYERS,
    OUTPUTS,
    PLAIN,
    CosineLinear,
    Output,
)
from adc_plugins_learn.training.networks.own import OBJECT
from adc_plugins_learn.training.networks.weights import RANDOM

Combine = Literal["probabilities", "logits"]
"""How several networks predict: by the mean of their probabilities, or the sum of their logits."""


@dataclass(frozen=True)
class Architecture:
    """What is needed to build a network and feed it.

    Attributes:
        backbone: its name.
        image_size: side of its images, in pixels.
        mean: of each channel, in 0 … 1.
        std: of each channel, in 0 … 1.
        members: how many networks predict together.
        combine: how they do.
        output: the head that turns the last layer's numbers into logits.
        backbone_options: arguments of a `module:function` of the user.
        cosine_scale: what cosines are multiplied by that are the last layer's numbers, if they are.
    """

    backbone: str
    image_size: int
    mean: Channels
    std: Channels
    members: int = 1
    combine: Combine = "probabilities"
    output: Output = PLAIN
    backbone_options: Mapping[str, Any] = field(default_factory=dict)
    cosine_scale: float | None = None


class Ensemble(nn.Module):
    """Several networks of one shape that predict together."""

    def __init__(self, members: list[nn.Module], combine: Combine) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.combine = combine

    def forward(self, images: Tensor) -> Tensor:
        """Compute B × K logits whose softmax is the common prediction for B × 3 × H × W images."""
        return combined([member(images) for member in self.members], self.combine)


def combined(logits: Sequence[Tensor], combine: Combine) -> Tensor:
    """Combine B × K logits of several networks to those of their common prediction, in float32."""
    each = torch.stack([one.float() for one in logits])
    if combine == "logits":
        return each.sum(dim=0)
    return each.log_softmax(dim=2).logsumexp(dim=0) - math.log(len(each))


def build_network(architecture: Architecture, classes: int, weights: str = RANDOM) -> nn.Module:
    """Build a network, or an ensemble; random weights come from torch's global generator.

    Raises:
        InputError: no such backbone or weights, or one object for several networks.
        WorkError: official weights cannot be downloaded.
    """
    if architecture.members > 1 and architecture.backbone.startswith(OBJECT):
        raise InputError(
            f"backbone: {architecture.members} copies of one network would stay alike: give its "
            "class, or module:function, which builds each from weights of its own"
        )
    members = [_member(architecture, classes, weights) for _ in range(architecture.members)]
    return members[0] if len(members) == 1 else Ensemble(members, architecture.combine)


def members_of(network: nn.Module) -> list[nn.Module]:
    """Return the networks of an ensemble, or the network itself."""
    return list(network.members) if isinstance(network, Ensemble) else [network]


def _member(architecture: Architecture, classes: int, weights: str) -> nn.Module:
    head, about = architecture.output, architecture
    if (last_kind := LAST_LAYERS.get(head.name)) is not None:
        network = build_backbone(about.backbone, classes, weights, about.backbone_options)
        if about.cosine_scale is not None:
            raise InputError(
                f"{head.name} has a last layer of its own, where the criterion needs cosines: "
                "take another criterion"
            )
        old = _linear_last(network, about.backbone, f"those of {head.name}")
        new = last_kind(old.in_features, classes, **head.options)
        _replace(network, old, new)
        return FrozenBackbone(network, new) if head.name in FROZEN_BELOW else network
    output = None if head.name == PLAIN.name else OUTPUTS[head.name](classes, **head.options)
    width = classes if output is None else output.width
    network = build_backbone(about.backbone, width, weights, about.backbone_options)
    if about.cosine_scale is not None:
        old = _linear_last(network, about.backbone, "cosines")
        _replace(network, old, CosineLinear(old.in_features, old.out_features, about.cosine_scale))
    return network if output is None else nn.Sequential(network, output)


def _linear_last(network: nn.Module, name: str, wanted: str) -> nn.Linear:
    last = last_layer(network)
    if not isinstance(last, nn.Linear):
        raise InputError(f"the logits of {name} cannot be {wanted}: its last layer is not linear")
    return last


def _replace(network: nn.Module, old: nn.Module, new: nn.Module) -> None:
    path = next(path for path, module in network.named_modules() if module is old)
    owner, _, child = path.rpartition(".")
    setattr(network.get_submodule(owner), child, new)
