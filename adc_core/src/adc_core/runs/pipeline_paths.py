"""Whether the paths of a pipeline exist, checked before any work begins."""

from collections.abc import Iterator
from pathlib import Path

from adc_core.components.component import Component
from adc_core.components.interfaces import INTERFACES
from adc_core.runs.pipeline import Pipeline

_KEYS = {kind: kind for kind in INTERFACES} | {
    "designers": "designer",
    "collectors": "collector",
    "encoders": "encoder",
}


def path_faults(pipeline: Pipeline) -> list[str]:
    """Find what a pipeline names and nobody has: one line each, with its place.

    A test set that is the dataset itself is a fault too: whatever is learned there is known there.
    """
    faults = []
    for key in ("dataset", "test"):
        path = getattr(pipeline, key)
        if isinstance(path, Path) and not path.exists():
            faults.append(f"{key}: {path} does not exist: give a folder, a manifest or a .npz file")
    if pipeline.truth is not None and not pipeline.truth.exists():
        faults.append(f"truth: {pipeline.truth} does not exist: fix the path")
    if (
        not faults
        and pipeline.test
        and isinstance(pipeline.dataset, Path)
        and pipeline.test.samefile(pipeline.dataset)
    ):
        faults.append(
            f"test: {pipeline.test} is the dataset itself: "
            "give samples that no training has seen, or leave test out"
        )
    for place, path in _paths_of_components(pipeline):
        if not path.exists():
            faults.append(f"{place}: {path} does not exist: fix the path")
    return faults


def _paths_of_components(pipeline: Pipeline) -> Iterator[tuple[str, Path]]:
    for key in _KEYS.values():
        value = getattr(pipeline, key)
        if isinstance(value, tuple):
            for number, component in enumerate(value):
                yield from _paths_of(f"{key}.{number}", component)
        elif value is not None:
            yield from _paths_of(key, value)


def _paths_of(place: str, component: Component) -> Iterator[tuple[str, Path]]:
    """Find the paths among a component's options, and among those of components within it."""
    for name in type(component).model_fields:
        value = () if name in component.awaited_files else getattr(component, name)
        for nested in value if isinstance(value, tuple) else (value,):
            if isinstance(nested, Path):
                yield f"{place}.{name}", nested
            elif isinstance(nested, Component):
                yield from _paths_of(f"{place}.{name}", nested)
