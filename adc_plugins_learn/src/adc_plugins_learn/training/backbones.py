"""Networks by name: a small CNN of our own, or any classification model of torchvision."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

from adc_core.errors import InputError, WorkError
from adc_core.unknown import unknown

SMALL_CNN = "small-cnn"
RANDOM = "random"
_SIDE_OUTPUTS = ("googlenet", "inception_v3")


class SmallCNN(nn.Module):
    """Three convolution blocks and a linear layer, for pictures of 16 to 64 pixels.

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
        """B × 3 × H × W images to B × K logits."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


def torchvision_models() -> list[str]:
    """The names of torchvision's classification models."""
    return [str(name) for name in torchvision.models.list_models(module=torchvision.models)]


def build_backbone(name: str, classes: int, weights: str = RANDOM) -> nn.Module:
    """A network with K outputs.

    Args:
        name: `small-cnn` or a torchvision classification model, such as `resnet50`.
        classes: K.
        weights: `random`, an official name such as `DEFAULT` or `IMAGENET1K_V2`, or the path of a
            `.safetensors` or `.pth` file. A last layer of another size is drawn anew.

    Raises:
        InputError: no such model or weights.
        WorkError: official weights cannot be downloaded.
    """
    if name == SMALL_CNN:
        network: nn.Module = SmallCNN(classes)
    elif name in torchvision_models():
        # These two have side outputs that only their authors' own recipe uses.
        plain = {"init_weights": True, "aux_logits": False} if name in _SIDE_OUTPUTS else {}
        network = torchvision.models.get_model(name, weights=None, num_classes=classes, **plain)
    else:
        raise InputError(unknown("backbone", name, [SMALL_CNN, *torchvision_models()]))
    if weights != RANDOM:
        _load(network, _state(name, weights), weights)
    return network


def _state(name: str, weights: str) -> Mapping[str, Tensor]:
    path = Path(weights)
    if path.suffix in (".safetensors", ".pth", ".pt"):
        return _read(path)
    if name == SMALL_CNN:
        raise InputError(f"{SMALL_CNN} has no official weights: use weights: {RANDOM} or a file")
    official = torchvision.models.get_model_weights(name)
    if weights not in official.__members__:
        raise InputError(unknown(f"weights of {name}", weights, [*official.__members__, RANDOM]))
    try:
        state: Mapping[str, Tensor] = official[weights].get_state_dict(progress=False)
    except OSError as error:
        raise WorkError(
            f"the weights {weights} of {name} cannot be downloaded ({error}): "
            "give the path of a .safetensors or .pth file"
        ) from error
    return state


def _read(path: Path) -> Mapping[str, Tensor]:
    """Read a file of weights; nothing in it is executed."""
    if not path.is_file():
        raise InputError(f"{path} does not exist: give the path of a weights file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        return state
    except Exception as error:  # both libraries raise errors of many types on broken files
        reason = re.split(r"[\n.]", str(error))[0]
        raise InputError(f"{path} cannot be read as weights: {reason}") from error


def _load(network: nn.Module, state: Mapping[str, Tensor], weights: str) -> None:
    own = network.state_dict()
    layer = last_layer(network)
    last = next(name for name, module in network.named_modules() if module is layer)
    fitting = {
        name: value
        for name, value in state.items()
        if not (name.startswith(f"{last}.") and name in own and own[name].shape != value.shape)
    }
    if wrong := [k for k in fitting if k in own and fitting[k].shape != own[k].shape]:
        raise InputError(
            f"{weights} does not fit the network: {wrong[0]} is {tuple(fitting[wrong[0]].shape)}, "
            f"expected {tuple(own[wrong[0]].shape)}"
        )
    missing = [name for name in own if name not in fitting and not name.startswith(f"{last}.")]
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing:
        raise InputError(f"{weights} does not fit the network: it has no {missing[0]}")
    network.load_state_dict({k: v for k, v in fitting.items() if k in own}, strict=False)


def last_layer(network: nn.Module) -> nn.Module:
    """The layer that makes the logits: the last linear or convolution layer."""
    layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    return layers[-1]
