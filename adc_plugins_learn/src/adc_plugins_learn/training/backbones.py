"""Networks by name: a small CNN of our own, or any classification model of torchvision."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn

from adc_core.errors import InputError, WorkError
from adc_core.unknown import unknown
from adc_plugins_learn.training.devices import is_out_of_memory

SMALL_CNN = "small-cnn"
RANDOM = "random"

_INCEPTIONS = {"init_weights": True, "aux_logits": False, "transform_input": True}
"""Without the side outputs that only their authors' recipe uses; their weights expect pictures in
-1 … 1, which they make themselves of the normalisation of all others."""

_OLD_NAMES = (
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\b"), r"\1\2"),
    (re.compile(r"\bmlp\.linear_1\b"), "mlp.0"),
    (re.compile(r"\bmlp\.linear_2\b"), "mlp.3"),
)
"""Some layers have other names in torchvision's own files than in its present networks."""


class SmallCNN(nn.Module):
    """Three convolution blocks and a linear layer, for pictures of 8 to 64 pixels.

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
    """A network with K outputs, its random weights drawn from torch's global generator.

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
        options = _INCEPTIONS if name in ("googlenet", "inception_v3") else {}
        network = torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
    else:
        raise InputError(unknown("backbone", name, [SMALL_CNN, *torchvision_models()]))
    if weights != RANDOM:
        _load(network, _state(name, weights), weights)
    return network


def require_image_size(network: nn.Module, name: str, image_size: int) -> None:
    """Refuse pictures that a network cannot take, before any is decoded.

    Raises:
        InputError: the network is made for another size, or a larger one.
    """
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 3, image_size, image_size))
    except (RuntimeError, AssertionError) as error:
        if is_out_of_memory(error):
            raise
        reason = re.split(r"\n|\. |[.!]$", str(error))[0]
        raise InputError(
            f"{name} does not take pictures of {image_size} × {image_size} pixels ({reason}): "
            "change image_size"
        ) from error


def last_layer(network: nn.Module) -> nn.Linear | nn.Conv2d:
    """The layer that makes the logits: the last linear or convolution layer."""
    return [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]


def _state(name: str, weights: str) -> Mapping[str, Tensor]:
    if is_weights_file(weights):
        return _read(Path(weights))
    if name == SMALL_CNN:
        raise InputError(f"{SMALL_CNN} has no official weights: use weights: {RANDOM} or a file")
    official = torchvision.models.get_model_weights(name)
    if weights not in official.__members__:
        raise InputError(unknown(f"weights of {name}", weights, [*official.__members__, RANDOM]))
    try:
        state: Mapping[str, Tensor] = official[weights].get_state_dict(
            progress=False, check_hash=True, map_location="cpu", weights_only=True
        )
    except OSError as error:
        raise WorkError(
            f"the weights {weights} of {name} cannot be downloaded ({error}): "
            "give the path of a .safetensors or .pth file"
        ) from error
    except Exception as error:  # of many types, where the sum or the content of the file is wrong
        raise WorkError(
            f"the weights {weights} of {name} came damaged, or lie damaged in "
            f"{torch.hub.get_dir()}/checkpoints: remove them there and run again"
        ) from error
    return state


def is_weights_file(weights: str) -> bool:
    """Whether weights are named by a file rather than by an official name."""
    return Path(weights).suffix in (".safetensors", ".pth", ".pt")


def _read(path: Path) -> Mapping[str, Tensor]:
    """Read a file of weights; nothing in it is executed."""
    if not path.is_file():
        raise InputError(f"{path} does not exist: give the path of a weights file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # both libraries raise errors of many types on broken files
        state = None
    if isinstance(state, Mapping) and all(isinstance(value, Tensor) for value in state.values()):
        return state
    raise InputError(
        f"{path} is damaged, or holds more than tensors by name (nothing in it is executed): "
        "save the network's state_dict() again"
    )


def _load(network: nn.Module, state: Mapping[str, Tensor], weights: str) -> None:
    own = network.state_dict()
    layer = last_layer(network)
    head = next(name for name, module in network.named_modules() if module is layer) + "."
    fitting = {}
    for old_name, value in state.items():
        name = _present_name(old_name)
        if name not in own:
            continue
        if own[name].shape == value.shape:
            fitting[name] = value
        elif not name.startswith(head):
            raise InputError(
                f"{weights} does not fit the network: {name} is {tuple(value.shape)}, "
                f"expected {tuple(own[name].shape)}"
            )
    for name in own:
        if not (name in fitting or name.startswith(head) or name.endswith("num_batches_tracked")):
            raise InputError(f"{weights} does not fit the network: it has no {name}")
    # The network's own dict knows the versions of its layers, without which MNASNet loads nothing.
    own.update(fitting)
    network.load_state_dict(own)


def _present_name(name: str) -> str:
    for pattern, replacement in _OLD_NAMES:
        name = pattern.sub(replacement, name)
    return name
