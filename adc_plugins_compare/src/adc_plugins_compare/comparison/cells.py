"""The cells of a comparison: a pipeline for each combination of levels and each seed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from adc_core import InputError, Pipeline
from adc_core.errors import InputErrors, lines_of
from adc_plugins_compare.comparison.levels import MANY, Level
from adc_plugins_compare.comparison.seeds import with_seed

CELLS = "cells"
"""The folder of a comparison with the run directories of its cells."""


class Cell(NamedTuple):
    """One run of a comparison.

    Attributes:
        levels: axis to the name of its level.
        seed: None where nothing in it takes a seed, so that one run stands for all.
        pipeline: what runs.
    """

    levels: Mapping[str, str]
    seed: int | None
    pipeline: Pipeline

    @property
    def name(self) -> str:
        """The name of its run directory: `ratio=10,method=focal,seed=0`."""
        parts = dict(self.levels) | ({} if self.seed is None else {"seed": str(self.seed)})
        return ",".join(f"{axis}={level}" for axis, level in parts.items())


def cells_of(
    base: Mapping[str, Any],
    axes: Mapping[str, Sequence[Level]],
    seeds: Sequence[int],
    folder: Path | None,
) -> Iterator[Cell]:
    """Build every cell: all of the first seed, then all of the next.

    Args:
        base: parts of a pipeline that all cells have.
        axes: name to levels.
        seeds: for whatever takes one.
        folder: where relative paths begin.

    Raises:
        InputErrors: cells that are no pipelines, with their names; one line per fault.
    """
    faults: dict[str, None] = {}
    built: list[tuple[dict[str, str], Pipeline]] = []
    for combination in product(*axes.values()):
        names = {axis: level.name for axis, level in zip(axes, combination, strict=True)}
        try:
            table = _merged(base, axes, combination)
            pipeline = Pipeline.model_validate(table, context={"folder": folder})
        except (InputError, ValidationError) as error:
            cell = ",".join(f"{axis}={name}" for axis, name in names.items())
            faults.update(dict.fromkeys(f"cell {cell}: {line}" for line in lines_of(error)))
        else:
            built.append((names, pipeline))
    if faults:
        raise InputErrors(faults)
    for number, seed in enumerate(seeds):
        for names, pipeline in built:
            seeded = with_seed(pipeline, seed)
            if seeded is not pipeline:
                yield Cell(names, seed, seeded)
            elif number == 0:
                yield Cell(names, None, pipeline)


def _merged(
    base: Mapping[str, Any], axes: Mapping[str, Sequence[Level]], combination: Sequence[Level]
) -> dict[str, Any]:
    """Put a level of each axis onto the base.

    Raises:
        InputError: two axes say the same, or an option is of nothing that is there.
    """
    table = dict(base)
    said_by: dict[str, str] = {}
    for axis, level in zip(axes, combination, strict=True):
        for part, value in level.adds.items():
            if part in MANY:
                table[part] = [*_listed(table.get(part, ())), *_listed(value)]
            elif part in said_by:
                raise InputError(f"{part}: both {said_by[part]} and {axis} say it")
            else:
                table[part], said_by[part] = value, axis
    for level in combination:
        if level.option is not None:
            _set_option(table, *level.option)
    return table


def _listed(value: Any) -> Sequence[Any]:
    """Take a list as it is; the pipeline itself complains of what is none."""
    return value if isinstance(value, list | tuple) else [value]


def _set_option(table: dict[str, Any], place: str, value: Any) -> None:
    """Set an option of the components at a place: `learners.epochs`, `learners.elr.strength`.

    Raises:
        InputError: there is no such component in the cell.
    """
    part, *between, option = place.split(".")
    name = between[0] if len(between) == 1 else None
    given = table.get(part)
    if len(between) > 1 or part not in Pipeline.model_fields:
        raise InputError(f"{place}: write PART.OPTION or PART.COMPONENT.OPTION")
    components = [
        {"use": one} if isinstance(one, str) else dict(one)
        for one in (() if given is None else _listed(given))
    ]
    meant = [one for one in components if name in (None, one.get("use", "").rpartition("/")[2])]
    if not meant:
        raise InputError(f"{place}: nothing there has this option")
    for one in meant:
        one[option] = value
    table[part] = components if part in MANY else components[0]
