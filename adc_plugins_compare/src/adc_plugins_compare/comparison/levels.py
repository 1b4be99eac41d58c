"""The axes of a comparison: the levels of each, and what a level adds to a pipeline."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_origin

from adc_core import InputError, Pipeline

MANY = frozenset(
    name
    for name, field in Pipeline.model_fields.items()
    if get_origin(field.annotation) is tuple and name != "train_on"
)
"""Parts of a pipeline of which each level adds some: learners, simulators."""

_LONGEST = 60
"""Characters of a level's name: the names of all axes together name a folder."""


class Level(NamedTuple):
    """One value of an axis.

    Attributes:
        name: how tables and folders call it.
        adds: parts of a pipeline; what there may be several of comes after what is there.
        option: the place of an option, such as `learners.epochs`, and its value; or None.
    """

    name: str
    adds: Mapping[str, Any]
    option: tuple[str, Any] | None = None


def levels_of(axis: str, given: Any) -> tuple[Level, ...]:
    """Read the levels of an axis.

    Args:
        axis: its name; `learners.epochs` names an option, `learners` a part of the pipeline.
        given: name of a level to parts of a pipeline, or a list of values of what the axis names.

    Raises:
        InputError: it is neither; the message says what to write.
    """
    if isinstance(given, Mapping):
        levels = [Level(str(name), _parts(axis, str(name), adds)) for name, adds in given.items()]
    elif not isinstance(given, Sequence) or isinstance(given, str):
        raise InputError("give a list, or a table of a name for each level and what it adds")
    elif "." in axis:
        levels = [Level(_said(value), {}, (axis, value)) for value in given]
    elif axis in Pipeline.model_fields:
        names = _distinct([_said(value) for value in given])
        levels = [
            Level(name, {axis: _several(value) if axis in (*MANY, "train_on") else value})
            for name, value in zip(names, given, strict=True)
        ]
    else:
        raise InputError(
            f'"{axis}" is no part of a pipeline, so a list says too little: '
            f"give a table of a name for each level and what it adds"
        )
    if not levels:
        raise InputError("give one level at least")
    for name, count in Counter(level.name for level in levels).items():
        _check_name(name)
        if count > 1:
            raise InputError(f'duplicate level "{name}": give a table with a name for each level')
    return tuple(levels)


def _parts(axis: str, name: str, adds: Any) -> Mapping[str, Any]:
    if not isinstance(adds, Mapping):
        raise InputError(
            f"{name}: give parts of a pipeline, such as {{learners: [cross-entropy]}}"
            + (f"; or give {axis} a list" if axis in Pipeline.model_fields else "")
        )
    return adds


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _said(value: Any) -> str:
    """Name a value: a component by its name, a path by its last part."""
    if isinstance(value, list | tuple):
        return " + ".join(map(_said, value)) or "none"
    if isinstance(value, Mapping):
        options = [f"{key} {_said(one)}" for key, one in value.items() if key != "use"]
        name = _said(value.get("use", "")).rpartition("/")[2]
        return f"{name} ({', '.join(options)})" if options else name
    if isinstance(value, Path) or (isinstance(value, str) and "/" in value):
        return Path(value).stem
    if isinstance(value, bool):
        return str(value).lower()
    return str(getattr(value, "name", value)).rpartition("<locals>.")[2]


def _distinct(names: list[str]) -> list[str]:
    """Leave the options out of names that differ without them."""
    short = [name.partition(" (")[0] for name in names]
    counts = Counter(short)
    return [one if counts[one] == 1 else name for one, name in zip(short, names, strict=True)]


def _check_name(name: str) -> None:
    """Refuse what cannot be part of a folder's name.

    Raises:
        InputError: with what to do.
    """
    if (
        not name
        or name != name.strip()
        or not name.isprintable()
        or set(name) & set('/\\,=:*?"<>|')
    ):
        raise InputError(
            f'the level "{name}" cannot name a folder: '
            "give a table with a name for each level, without slashes, commas and colons"
        )
    if len(name) > _LONGEST:
        raise InputError(
            f'the level "{name[:20]}…" has over {_LONGEST} characters: '
            "give a table with a shorter name for each level"
        )
