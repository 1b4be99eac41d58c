"""One line instead of many when memory runs out or torch.compile fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from adc_core import InputError, WorkError

_COMPILER = ("torch._dynamo", "torch._inductor")


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether memory ran out: of a GPU, of torch on the CPU, or of numpy."""
    return (
        isinstance(error, MemoryError | torch.cuda.OutOfMemoryError)
        or "can't allocate memory" in str(error)  # torch has no type of its own for the CPU
    )


@contextmanager
def translate_oom(batch_size: int) -> Iterator[None]:
    """Turn a lack of memory into one line.

    Raises:
        WorkError: memory ran out in the block.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise WorkError(
            f"out of memory with batch_size {batch_size}: lower batch_size or image_size"
        ) from error


@contextmanager
def translate_compile_errors() -> Iterator[None]:
    """Turn a failure of the compiler, which shows with the first batch, into one line.

    Raises:
        InputError: the network cannot be compiled here.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(_COMPILER):
            raise
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise InputError(
            f"the network cannot be compiled here ({reason}): leave torch_compile out"
        ) from error
