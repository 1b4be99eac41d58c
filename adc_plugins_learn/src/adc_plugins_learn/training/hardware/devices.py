"""Where tensors live, and what is drawn there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import torch
from pydantic import Field

from adc_core import InputError

DeviceName = Annotated[
    str, Field(description="auto, cpu, cuda or cuda:1; auto takes a GPU if there is one")
]

CPU = torch.device("cpu")


def find_device(name: str) -> torch.device:
    """Return the device of a name.

    Raises:
        InputError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise InputError(f'there is no device "{name}": use auto, cpu, cuda or cuda:1')
    device = torch.device(name)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].partition(". ")[0]
        raise InputError(f"{name} cannot be used here ({reason}): use auto or cpu") from error
    return device


@contextmanager
def seeded(seed: int, device: torch.device = CPU) -> Iterator[None]:
    """Lend torch's global generators, from which weights and dropout draw; then give them back."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
