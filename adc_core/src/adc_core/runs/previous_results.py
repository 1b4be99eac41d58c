"""The results of an earlier run of another pipeline in the same directory: never written over."""

import warnings
from pathlib import Path

from adc_core.reporting.result_files import RESULTS


def keep_previous(folder: Path, file: str, pipeline: str) -> None:
    """Put the results of another pipeline aside under a number, before new ones take their names.

    Args:
        folder: the run directory.
        file: the name of its pipeline file.
        pipeline: what will be run now, as it will be written there.
    """
    try:
        before = (folder / file).read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    kept = [name for name in RESULTS if (folder / name).is_file()]
    if before == pipeline or not kept:
        return
    number = 1
    while any((folder / _numbered(name, number)).exists() for name in (file, *RESULTS)):
        number += 1
    for name in (file, *kept):
        (folder / name).rename(folder / _numbered(name, number))
    warnings.warn(
        f"{folder} holds the results of another pipeline: "
        f"they are kept as {', '.join(_numbered(name, number) for name in (file, *kept))}",
        stacklevel=2,
    )


def _numbered(name: str, number: int) -> str:
    stem, _, suffix = name.partition(".")
    return f"{stem}.{number}.{suffix}"
