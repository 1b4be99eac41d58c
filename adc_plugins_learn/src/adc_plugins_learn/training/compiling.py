"""Trainings by torch.compile: slow to begin, then faster, and nearly the same result."""

from collections.abc import Iterator
from contextlib import contextmanager

from adc_core.errors import InputError

_COMPILER = ("torch._dynamo", "torch._inductor")


@contextmanager
def compiler_faults() -> Iterator[None]:
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
            f"the network cannot be compiled here ({reason}): leave compiled out"
        ) from error
