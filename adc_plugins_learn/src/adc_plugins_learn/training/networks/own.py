"""Networks of the user: a function or class by its name, a class, or a network that is there."""

import io
import re
from collections.abc import Mapping
from copy import deepcopy
from hashlib import sha256
from typing import Annotated, Any

import torch
from pydantic import BeforeValidator
from torch import nn

from adc_core import InputError
from adc_core.components import load_own
from adc_plugins_learn.training.hardware.errors import is_out_of_memory

OBJECT = "object:"
"""Prefix of the names of networks that are objects of this process."""

_OBJECTS: dict[str, nn.Module] = {}


def _named(value: Any) -> Any:
    """Give a network of this process a name; what is a name already stays it."""
    if isinstance(value, nn.Module):
        return _kept(value)
    if not callable(value):
        return value
    name = getattr(value, "__qualname__", repr(value))
    if not hasattr(value, "__qualname__") or "<locals>" in name or "<lambda>" in name:
        raise ValueError(
            f"{name} has no name by which it is found again: define it at the top of a module, and "
            "give its arguments as backbone_options"
        )
    return f"{value.__module__}:{name}"


def _kept(network: nn.Module) -> str:
    """Keep a copy under a name that tells its structure, its numbers and its weights."""
    weights = io.BytesIO()
    torch.save(network.state_dict(), weights)
    # What a module is printed as leaves out its plain attributes, such as a scale.
    plain = [
        (path, name, value)
        for path, module in network.named_modules()
        for name, value in vars(module).items()
        if not name.startswith("_") and name != "training"
    ]
    # Addresses in memory, as of functions, are others in the next process.
    described = re.sub(r" at 0x[0-9a-fA-F]+", "", f"{network!r}{plain!r}")
    digest = sha256(described.encode() + weights.getvalue()).hexdigest()
    name = f"{OBJECT}{type(network).__name__}-{digest[:16]}"
    # The last one counts: in a notebook its class may have been written anew.
    _OBJECTS[name] = deepcopy(network)
    return name


BackboneName = Annotated[str, BeforeValidator(_named)]
"""A name; a class, a function or a network of this process is given one."""


def require_own(name: str, options: Mapping[str, Any]) -> None:
    """Refuse arguments for a network that is not built by a function of the user.

    Raises:
        InputError: it takes none.
    """
    if options and (":" not in name or name.startswith(OBJECT)):
        raise InputError(f"backbone_options: {name} takes none: only your own module:function does")


def copy_of_object(name: str) -> nn.Module:
    """Copy the network that was given as an object.

    Raises:
        InputError: it is no object of this process.
    """
    if name not in _OBJECTS:
        raise InputError(
            f"{name} was an object of another process: give its class, or module:function, by "
            "which it can be built again"
        )
    return deepcopy(_OBJECTS[name])


def built_by_the_user(name: str, classes: int, arguments: Mapping[str, Any]) -> nn.Module:
    """Call `module:function` with K and the user's arguments.

    Raises:
        InputError: it cannot be imported, is not declared to return a network, or fails.
    """
    function = load_own(name, nn.Module, "build a network", "torch.nn.Module")
    try:
        network: nn.Module = function(classes, **arguments)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = str(error).split("\n")[0]
        more = f" and {', '.join(arguments)}" if arguments else " alone"
        raise InputError(
            f"{name} cannot build a network for {classes} classes "
            f"({type(error).__name__}: {reason}): it is called with that number{more}"
        ) from error
    return network
