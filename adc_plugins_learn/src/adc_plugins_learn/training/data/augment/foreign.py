"""Changes that others wrote: transforms of torchvision, and functions of the user."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from adc_core import InputError
from adc_core.components import load_own
from adc_core.errors import unknown_name
from adc_plugins_learn.training.hardware.devices import seeded

Change = Callable[[Tensor, torch.Generator], Tensor]
"""B × H × W × 3 uint8 images and a generator on the CPU to as many changed ones."""

TORCHVISION = "torchvision/"
"""Prefix of torchvision's names."""


def torchvision_transform(name: str, options: dict[str, Any]) -> Callable[[Tensor], Tensor]:
    """Make a transform of torchvision's second version.

    Raises:
        ValueError: there is none of this name, or it does not take the options.
    """
    from torchvision.transforms import v2  # half as long to import as torch itself

    known = [
        known
        for known, kind in vars(v2).items()
        if isinstance(kind, type) and issubclass(kind, v2.Transform)
    ]
    if name not in known:
        raise ValueError(unknown_name("transform of torchvision", name, known))
    try:
        transform: Callable[[Tensor], Tensor] = getattr(v2, name)(**options)
    except Exception as error:  # torchvision checks by errors of many types
        reason = str(error).split("\n")[0]
        raise ValueError(f"{name} of torchvision cannot be made so ({reason})") from error
    return transform


def changed_one_by_one(
    pixels: Tensor, generator: torch.Generator, name: str, transform: Callable[[Tensor], Tensor]
) -> Tensor:
    """Change each of B × H × W × 3 uint8 images by a transform of one 3 × H × W image.

    It draws from torch's global generators, which are seeded for the batch from `generator`.

    Raises:
        InputError: `name` makes another shape or type of an image.
    """
    seed = int(torch.randint(2**63 - 1, (), generator=generator))
    with seeded(seed, pixels.device):
        images = [checked(name, image, transform(image)) for image in pixels.permute(0, 3, 1, 2)]
    return torch.stack(images).permute(0, 2, 3, 1)


def function_of_the_user(name: str, options: dict[str, Any]) -> Change:
    """Find `module:function`, which is called with images, a generator and its options.

    Raises:
        InputError: it cannot be imported, is not declared to return a tensor, or does not take
            the options.
    """
    function = load_own(name, Tensor, "return images", "torch.Tensor")
    try:
        inspect.signature(function).bind(None, None, **options)
    except TypeError as error:
        raise InputError(
            f"{name} cannot be called ({error}): it takes images, a torch.Generator and its options"
        ) from error
    return lambda pixels, generator: checked(name, pixels, function(pixels, generator, **options))


def checked(name: str, before: Tensor, after: Any) -> Tensor:
    """Refuse images of another shape or type.

    Raises:
        InputError: what `name` made of B × H × W × 3 uint8 images is something else.
    """
    if isinstance(after, Tensor) and (after.shape, after.dtype) == (before.shape, before.dtype):
        return after
    found = f"{tuple(after.shape)} {after.dtype}" if isinstance(after, Tensor) else type(after)
    raise InputError(
        f"{name} makes {found} of {tuple(before.shape)} {before.dtype}: it must keep shape and type"
    )
