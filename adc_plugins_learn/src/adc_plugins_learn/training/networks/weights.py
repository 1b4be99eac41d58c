"""Weights from files and from the libraries' servers: nothing in them is executed."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import torch
from pydantic import AfterValidator, TypeAdapter, ValidationInfo
from safetensors.torch import load_file
from torch import Tensor, nn

from adc_core import InputError, LocalPath, WorkError
from adc_plugins_learn.training.hardware.errors import is_out_of_memory

RANDOM = "random"
DEFAULT = "DEFAULT"

_LOCAL: TypeAdapter[Path] = TypeAdapter(LocalPath)


def is_weights_file(weights: str) -> bool:
    """Tell whether weights are a file rather than an official name."""
    return Path(weights).suffix in (".safetensors", ".pth", ".pt")


def _from_the_file(weights: str | Path, info: ValidationInfo) -> str | Path:
    if is_weights_file(str(weights)):
        return _LOCAL.validate_python(weights, context=info.context)
    return weights


Weights = Annotated[str | Path, AfterValidator(_from_the_file)]
"""`random`, an official name, or a file; a path is relative to the pipeline file, as everywhere."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a file of weights, safetensors or of torch.

    Raises:
        InputError: the file does not exist, is damaged, or holds more than tensors by name.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist: give the path of a weights file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # both libraries raise errors of many types on broken files
        state = None
    if isinstance(state, Mapping) and all(isinstance(value, Tensor) for value in state.values()):
        return dict(state)
    raise InputError(
        f"{path} is damaged, or holds more than tensors by name (nothing in it is executed): "
        "save the network's state_dict() again"
    )


def fit_weights(
    network: nn.Module, state: Mapping[str, Tensor], layer: nn.Module, weights: str
) -> None:
    """Load weights into a network; a last layer of another size keeps its random weights.

    Args:
        network: is changed.
        state: name to tensor; names that the network does not have are ignored.
        layer: the network's last layer.
        weights: what to call the weights in an error.

    Raises:
        InputError: a tensor is missing or has another shape.
    """
    own = network.state_dict()
    head = next(name for name, module in network.named_modules() if module is layer) + "."
    fitting = {}
    for name, value in state.items():
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


@contextmanager
def fitted_by_library(weights: str) -> Iterator[None]:
    """Turn torch's many lines about weights of another network into one.

    Raises:
        InputError: the weights do not fit.
    """
    try:
        yield
    except RuntimeError as error:
        found = re.search(r'"([^"]+)"|size mismatch for ([^:]+)', str(error))
        if found is None or is_out_of_memory(error):
            raise
        raise InputError(
            f"{weights} does not fit the network: they differ in {found[1] or found[2]}"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what libraries log from the screen; errors still come."""
    root, silent = logging.getLogger(), logging.NullHandler()
    disabled = root.manager.disable
    root.addHandler(silent)  # without any, the first warning would set up printing for good
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)
        root.removeHandler(silent)


@contextmanager
def downloading(weights: str, name: str) -> Iterator[None]:
    """Turn what goes wrong in a download into one line.

    Raises:
        WorkError: the block raised an error.
    """
    try:
        with quiet():
            yield
    except Exception as error:  # each library and each of its servers has types of its own
        if is_out_of_memory(error):
            raise
        raise WorkError(
            f"the weights {weights} of {name} cannot be downloaded ({cause_of(error)}): "
            "give the path of a .safetensors or .pth file"
        ) from error


def cause_of(error: BaseException) -> str:
    """Return the first line of the error from which the others followed."""
    while (before := error.__cause__ or error.__context__) is not None and str(before):
        error = before
    return str(error).split("\n")[0].rstrip(".")
