"""Where tensors live."""

from typing import Annotated

import torch
from pydantic import Field

from adc_core.errors import InputError

DeviceName = Annotated[
    str, Field(description="auto, cpu, cuda or cuda:1; auto takes a GPU if there is one")
]


def find_device(name: str) -> torch.device:
    """The device of a name.

    Raises:
        InputError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"there is no device {name!r} here ({reason}): use auto or cpu") from None
    return device
