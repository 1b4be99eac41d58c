"""Faults of a pipeline file, each with the file's name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from adc_core.errors import InputErrors, lines_of
from adc_core.runs.pipeline import Pipeline


def read_pipeline(path: Path) -> Pipeline:
    """Read a pipeline file.

    Raises:
        InputErrors: one line per fault, beginning with the file's name.
    """
    try:
        return Pipeline.read(path)
    except ValidationError as error:
        raise InputErrors(f"{path}: {line}" for line in lines_of(error)) from error


@contextmanager
def faults_of(path: Path) -> Iterator[None]:
    """Put the file's name before faults of its plan."""
    try:
        yield
    except InputErrors as error:
        raise InputErrors(f"{path}: {fault}" for fault in error.faults) from error
