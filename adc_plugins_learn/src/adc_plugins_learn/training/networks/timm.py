"""Networks of timm, PyTorch Image Models: an extra of the package."""

import difflib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from adc_core import InputError
from adc_plugins_learn.training.networks.weights import (
    DEFAULT,
    RANDOM,
    downloading,
    fitted_by_library,
    is_weights_file,
    read_weights,
)

_SIZES = {"s": "small", "b": "base", "l": "large", "g": "giant"}
_OF_TORCH_HUB = re.compile(r"dinov2_vit([sblg])14(_reg)?")


def of_torch_hub(name: str) -> str:
    """Turn torch.hub's name of a DINOv2 network into timm's; others stay.

    timm has the same weights, and no code has to be downloaded and run for them.
    """
    found = _OF_TORCH_HUB.fullmatch(name)
    if found is None:
        return name
    return f"vit_{_SIZES[found[1]]}_patch14_{'reg4_' if found[2] else ''}dinov2.lvd142m"


def import_timm() -> ModuleType:
    """Import the library when it is needed.

    Raises:
        InputError: it is not installed; the message names the extra.
    """
    try:
        import timm
    except ImportError:
        raise InputError(
            "networks of timm need it: pip install 'adc-plugins-learn[timm]'"
        ) from None
    module: ModuleType = timm
    return module


def require_timm_name(name: str) -> None:
    """Refuse a name that timm does not know.

    Raises:
        InputError: no such model, no weights of that tag, or timm is not installed.
    """
    timm = import_timm()
    model, _, tag = name.partition(".")
    known, what, listed = timm.list_models(), "model", "timm.list_models()"
    if timm.is_model(model):
        known = timm.list_pretrained(f"{model}*")
        if not tag or name in known:
            return
        what, listed = "weights", f'timm.list_pretrained("{model}*")'
    close = difflib.get_close_matches(name, known, n=1)
    advice = f'did you mean "{close[0]}"?' if close else f"{listed} names them all"
    raise InputError(f'timm has no {what} "{name}": {advice}')


def build_timm(name: str, classes: int, weights: str = RANDOM, **options: Any) -> nn.Module:
    """Build a network of timm; random weights come from torch's global generator.

    Args:
        name: as in timm, with or without the tag of its weights:
            `vit_small_patch14_dinov2.lvd142m`.
        classes: K outputs; with 0 it gives features.
        weights: `random`, `DEFAULT` for those that the name's tag means, or the path of a
            `.safetensors` or `.pth` file. A last layer of another size gets random weights.
        options: of the network, such as `img_size`.

    Raises:
        InputError: no such model or weights, or timm is not installed.
        WorkError: the weights cannot be downloaded.
    """
    timm = import_timm()
    require_timm_name(name)
    if is_weights_file(weights):
        return _with_file(timm, name, classes, Path(weights), options)
    if weights not in (RANDOM, DEFAULT):
        raise InputError(
            f'{name} has no weights "{weights}": in timm a tag of the name says which; use '
            f"weights: {DEFAULT}, {RANDOM} or a file"
        )
    if weights == RANDOM:
        network: nn.Module = timm.create_model(name, num_classes=classes, **options)
        return network
    if not timm.models.is_model_pretrained(name):
        raise InputError(f"timm has no weights of {name}: use weights: {RANDOM} or a file")
    with downloading(weights, name):
        official: nn.Module = timm.create_model(
            name, pretrained=True, num_classes=classes, **options
        )
    return official


def _with_file(
    timm: ModuleType, name: str, classes: int, path: Path, options: dict[str, Any]
) -> nn.Module:
    """Load a file by timm, which knows the authors' names and resizes position embeddings."""
    state = read_weights(path)
    head = timm.get_pretrained_cfg(name).classifier or ""
    last = state.get(f"{head if isinstance(head, str) else head[0]}.weight")
    # With as many classes as the file has, or timm would ignore what else is missing in it.
    own = 0 if last is None else len(last)
    given = {"state_dict": state, "num_classes": own, "label_offset": 0, "custom_load": False}
    with fitted_by_library(str(path)):
        network = timm.create_model(
            name, pretrained=True, pretrained_cfg_overlay=given, num_classes=own, **options
        )
    network.pretrained_cfg.pop("state_dict", None)  # or it would hold the weights twice
    if own != classes:
        network.reset_classifier(classes)
    built: nn.Module = network
    return built
