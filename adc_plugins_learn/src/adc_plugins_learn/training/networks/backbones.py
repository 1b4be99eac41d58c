"""Networks by name: our own, those of torchvision and timm, or built by a function of the user."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from adc_core import InputError
from adc_core.errors import unknown_name
from adc_plugins_learn.training.hardware.errors import is_out_of_memory
from adc_plugins_learn.training.networks.cifar import CIFAR_NETWORKS
from adc_plugins_learn.training.networks.own import (
    OBJECT,
    built_by_the_user,
    copy_of_object,
    require_own,
)
from adc_plugins_learn.training.networks.timm import build_timm
from adc_plugins_learn.training.networks.weights import (
    RANDOM,
    fit_weights,
    is_weights_file,
    read_weights,
)

TIMM = "timm/"
"""Prefix of timm's names."""


class SmallCNN(nn.Module):
    """Three convolution blocks and a linear layer, for images of 8 to 64 pixels.

    Args:
        classes: how many outputs.
        width: channels of the first block; each further block doubles them.
    """

    def __init__(self, classes: int, width: int = 32) -> None:
        super().__init__()
        channels = (3, width, 2 * width, 4 * width)
        blocks = [
            nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            )
            for before, after in pairwise(channels)
        ]
        self.features = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(channels[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Compute B × K logits of B × 3 × H × W images."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


OWN_NETWORKS: Mapping[str, Callable[[int], nn.Module]] = MappingProxyType(
    {"small-cnn": SmallCNN, "tiny-cnn": partial(SmallCNN, width=24), **CIFAR_NETWORKS}
)
"""Our own networks: name to what builds one for a number of classes."""


def build_backbone(
    name: str,
    classes: int,
    weights: str = RANDOM,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> nn.Module:
    """Build a network with K outputs; random weights come from torch's global generator.

    Args:
        name: one of `OWN_NETWORKS`, a torchvision classification model such as `resnet50`,
            `timm/` and a name of timm, an object of this process, or `module:function`: a function
            of the user that is called with K and declared to return an `nn.Module` (or such a class
            itself). The last linear or convolution layer of its network makes the logits.
        classes: K.
        weights: `random`, an official name such as `DEFAULT` or `IMAGENET1K_V2`, or the path of a
            `.safetensors` or `.pth` file. A last layer of another size gets random weights.
        arguments: further ones of `module:function`.

    Raises:
        InputError: no such model or weights, or a function that cannot be used.
        WorkError: official weights cannot be downloaded.
    """
    require_own(name, arguments)
    if name.startswith(TIMM):
        return _of_timm(name.removeprefix(TIMM), classes, weights)
    if name in OWN_NETWORKS:
        network = OWN_NETWORKS[name](classes)
    elif name.startswith(OBJECT):
        network = _fit(copy_of_object(name), name, classes)
    elif ":" in name:
        network = _fit(built_by_the_user(name, classes, arguments), name, classes)
    else:
        network = _of_torchvision(name, classes)
    if weights != RANDOM:
        fit_weights(network, _state(name, weights), last_layer(network), weights)
    return network


def require_image_size(
    network: nn.Module, name: str, image_size: int, classes: int | None = None
) -> None:
    """Refuse images that a network cannot take, before any is decoded.

    Args:
        network: put into evaluation mode.
        name: of the network, for the error.
        image_size: side of the images, in pixels.
        classes: K; without it the network need not make logits.

    Raises:
        InputError: the network is made for another size, or a larger one, or makes no logits.
    """
    try:
        with torch.inference_mode():
            made = network.eval()(torch.zeros(1, 3, image_size, image_size))
    except InputError:
        raise
    except (RuntimeError, AssertionError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        reason = re.split(r"\n|\. |[.!]$", str(error))[0]
        raise InputError(
            f"{name} does not take images of {image_size} × {image_size} pixels ({reason}): "
            "change image_size"
        ) from error
    if classes is None or (isinstance(made, Tensor) and made.shape == (1, classes)):
        return
    got = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
    raise InputError(f"{name} makes {got} of an image: it must make a tensor of (1, {classes})")


def last_layer(network: nn.Module) -> nn.Linear | nn.Conv2d:
    """Return the layer that makes the logits: the last linear or convolution layer."""
    return _layers(network)[-1]


def _of_timm(name: str, classes: int, weights: str) -> nn.Module:
    network = build_timm(name, classes, weights)
    if not _makes_logits(network, classes):
        raise InputError(f"{name} of timm has no layer for classes: it can encode but not learn")
    return network


def _of_torchvision(name: str, classes: int) -> nn.Module:
    # Half as long to import as torch itself, and many trainings do without.
    from adc_plugins_learn.training.networks.torchvision import (
        build_torchvision,
        torchvision_models,
    )

    if name not in torchvision_models():
        raise InputError(unknown_name("backbone", name, [*OWN_NETWORKS, *torchvision_models()]))
    return build_torchvision(name, classes)


def _state(name: str, weights: str) -> Mapping[str, Tensor]:
    from adc_plugins_learn.training.networks.torchvision import official_state, with_present_names

    state = (
        read_weights(Path(weights)) if is_weights_file(weights) else official_state(name, weights)
    )
    return with_present_names(state)


def _fit(network: object, name: str, classes: int) -> nn.Module:
    if not (isinstance(network, nn.Module) and _makes_logits(network, classes)):
        raise InputError(
            f"{name} does not build a network for {classes} classes: its last linear or "
            "convolution layer must make as many logits"
        )
    return network


def _layers(network: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    return [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]


def _makes_logits(network: nn.Module, classes: int) -> bool:
    layers = _layers(network)
    if not layers:
        return False
    last = layers[-1]
    return classes == (last.out_features if isinstance(last, nn.Linear) else last.out_channels)
