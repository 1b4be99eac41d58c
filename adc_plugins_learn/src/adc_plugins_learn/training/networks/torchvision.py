"""Networks of torchvision and their official weights."""

import re
from collections.abc import Mapping

import torch
import torchvision
from torch import Tensor, nn

from adc_core import InputError, WorkError
from adc_core.errors import unknown_name
from adc_plugins_learn.training.networks.weights import RANDOM

_INCEPTIONS = {"init_weights": True, "aux_logits": False, "transform_input": True}
"""Without the side outputs that only their authors' recipe uses; their weights expect images in
-1 … 1, which they compute themselves from the normalization of all others."""

_OLD_NAMES = (
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\b"), r"\1\2"),
    (re.compile(r"\bmlp\.linear_1\b"), "mlp.0"),
    (re.compile(r"\bmlp\.linear_2\b"), "mlp.3"),
)
"""Some layers have other names in torchvision's own files than in its present networks."""


def torchvision_models() -> list[str]:
    """List the names of torchvision's classification models."""
    return [str(name) for name in torchvision.models.list_models(module=torchvision.models)]


def build_torchvision(name: str, classes: int) -> nn.Module:
    """Build one of `torchvision_models()` with K outputs and weights from torch's generator."""
    options = _INCEPTIONS if name in ("googlenet", "inception_v3") else {}
    network: nn.Module = torchvision.models.get_model(
        name, weights=None, num_classes=classes, **options
    )
    return network


def official_state(name: str, weights: str) -> Mapping[str, Tensor]:
    """Return official weights of a network, downloaded into torch's cache where they are not.

    Raises:
        InputError: the network has no official weights, or none of that name.
        WorkError: they cannot be downloaded, or are damaged.
    """
    if name not in torchvision_models():
        raise InputError(f"{name} has no official weights: use weights: {RANDOM} or a file")
    official = torchvision.models.get_model_weights(name)
    if weights not in official.__members__:
        raise InputError(
            unknown_name(f"weights of {name}", weights, [*official.__members__, RANDOM])
        )
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
            f"the weights {weights} of {name} are damaged, as downloaded or in "
            f"{torch.hub.get_dir()}/checkpoints: remove them there and run again"
        ) from error
    return state


def with_present_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under the names that the layers have in torchvision's present networks."""
    present = {}
    for name, value in state.items():
        for pattern, replacement in _OLD_NAMES:
            name = pattern.sub(replacement, name)
        present[name] = value
    return present
