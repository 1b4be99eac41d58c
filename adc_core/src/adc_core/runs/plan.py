"""What a pipeline will do, checked before anything starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adc_core.components.columns import required_neighbors
from adc_core.components.component import Component, create, unique_names
from adc_core.components.interfaces import INTERFACES, Curator, Detector, Encoder, Enricher
from adc_core.components.known_packages import PACKAGE_OF
from adc_core.errors import InputErrors
from adc_core.records.dataset import EVIDENCE, Dataset
from adc_core.records.run import TrainingSet
from adc_core.runs.pipeline import Pipeline
from adc_core.runs.run_record import COLLECTOR
from adc_core.storage.readers import read_dataset

ADDED_BY = {
    "features": ("encoders", "patches"),
    "neighbors": ("enrichers", "neighbors"),
    "probabilities": ("enrichers", "ridge-probe"),
    "dynamics": ("enrichers", "training-dynamics"),
    "votes": ("enrichers", "votes"),
}
"""A component that adds each column, for advice; a test compares it with what they declare."""

FROM_A_FILE = frozenset({"votes"})
"""Columns that their component reads from a file of the user's: nothing adds them by itself."""

_KEY_OF = {"encoders": "encoder"}


@dataclass(frozen=True)
class Plan:
    """What will run.

    Attributes:
        enrichers: the pipeline's, the neighbor search included.
        reads_images: some component looks at images, or is measured on those of the test set.
    """

    enrichers: tuple[Enricher, ...]
    reads_images: bool


def dataset_of(pipeline: Pipeline) -> Dataset | None:
    """Read the dataset that a pipeline was given; None where the pipeline collects one."""
    given = pipeline.dataset
    return read_dataset(given) if isinstance(given, Path) else given


def make_plan(pipeline: Pipeline, dataset: Dataset | None) -> Plan:
    """Check that every column that is read is there or added before.

    Args:
        pipeline: the pipeline.
        dataset: the dataset that was given, or None where it will be collected.

    Raises:
        InputErrors: a column is missing, with the component that would add it.
    """
    have = {"images"} if dataset is None else columns_of(dataset)
    have |= {name for name in ("truth", "test") if getattr(pipeline, name) is not None}
    if pipeline.simulators:
        have.add("truth")
    faults: list[str] = []

    def use(place: str, component: Component) -> None:
        missing = [column for column in component.required_columns if column not in have]
        faults.extend(f"{place}: {_advice(component, column, have)}" for column in missing)
        have.update(component.provided_columns)

    if pipeline.encoder:
        use("encoder", pipeline.encoder)
    for place, simulator in enumerate(pipeline.simulators):
        use(f"simulators.{place}", simulator)
    enrichers = _with_neighbors(pipeline, have, None if dataset is None else len(dataset) - 1)
    for place, enricher in enumerate(enrichers):
        use(f"enrichers.{place}", enricher)
    for kind in ("detectors", "curators", "learners", "metrics"):
        for place, component in enumerate(getattr(pipeline, kind)):
            use(f"{kind}.{place}", component)
    if "clean" in pipeline.train_on and pipeline.learners and "truth" not in have:
        faults.append("train_on: clean labels need the truth: add truth: PATH, or leave out clean")
    if faults:
        raise InputErrors(faults)
    return Plan(enrichers, reads_images=_reads_images(pipeline, enrichers))


def _reads_images(pipeline: Pipeline, enrichers: tuple[Enricher, ...]) -> bool:
    everyone: list[Component] = [*enrichers]
    if pipeline.encoder:
        everyone.append(pipeline.encoder)
    for kind in ("simulators", "detectors", "curators", "learners", "metrics"):
        everyone.extend(getattr(pipeline, kind))
    return any(isinstance(one, Encoder) or "images" in one.required_columns for one in everyone)


def columns_of(dataset: Dataset) -> set[str]:
    """Name the columns that a dataset has: images, evidence, and the user's own."""
    return {name for name in ("images", *EVIDENCE) if dataset.has(name)} | set(dataset.columns)


def usual_maker(column: str, **options: Any) -> Component:
    """Make the component that usually adds a column; see `ADDED_BY`.

    Raises:
        RegistryError: its package is not installed.
    """
    kind, name = ADDED_BY[column]
    table = {"use": f"{PACKAGE_OF[kind, name]}/{name}", **options}
    return create(INTERFACES[kind], table)


def _with_neighbors(pipeline: Pipeline, have: set[str], others: int | None) -> tuple[Enricher, ...]:
    """Put one neighbor search, for all who read it, before the pipeline's enrichers.

    A sample has no more neighbors than there are `others`, whatever is read by default.
    """
    everyone: tuple[Detector | Curator, ...] = (*pipeline.detectors, *pipeline.curators)
    readers = [reader for reader in everyone if "neighbors" in reader.required_columns]
    added = any("neighbors" in enricher.provided_columns for enricher in pipeline.enrichers)
    if not readers or added or "neighbors" in have or "features" not in have:
        return pipeline.enrichers
    k = max(map(required_neighbors, readers))
    k = k if others is None else max(1, min(k, others))
    search = usual_maker("neighbors", k=k)
    assert isinstance(search, Enricher)
    return (search, *pipeline.enrichers)


def _advice(component: Component, column: str, have: set[str]) -> str:
    problem = f'{component.name} reads "{column}", which nothing here adds'
    if column in ("truth", "test"):
        return f"{problem}: give {column}: PATH"
    if column == "neighbors" and "features" not in have:
        return f"{problem}: neighbors come from features, so {_add('features')}"
    return f"{problem}: {_add(column)}"


def _add(column: str) -> str:
    if column not in ADDED_BY:
        return f'give a dataset that has "{column}"'
    kind, name = ADDED_BY[column]
    package = PACKAGE_OF[kind, name]
    options = ", path: FILE" if column in FROM_A_FILE else ""
    return f"add {{use: {name}{options}}} of {package} to {_KEY_OF.get(kind, kind)}"


def names_of_stages(pipeline: Pipeline, plan: Plan) -> Iterator[str]:
    """Return the names of the stages, in order."""
    if pipeline.collector:
        yield from ("designer", COLLECTOR)
    elif pipeline.in_memory is not None:
        yield COLLECTOR
    if pipeline.encoder:
        yield "encoder"
    yield from (f"simulators/{name}" for name in unique_names(pipeline.simulators))
    yield from (f"enrichers/{name}" for name in unique_names(plan.enrichers))
    yield from (f"detectors/{name}" for name in unique_names(pipeline.detectors))
    yield from (f"curators/{name}" for name in unique_names(pipeline.curators))
    for name in unique_names(pipeline.learners):
        yield from (f"learners/{name}.{labels}" for labels in trained_on(pipeline))
    yield from (f"metrics/{name}" for name in unique_names(pipeline.metrics))


def trained_on(pipeline: Pipeline) -> tuple[TrainingSet, ...]:
    """Return the sets of labels that each learner is trained on."""
    return tuple(labels for labels in pipeline.train_on if labels != "curated" or pipeline.curators)
