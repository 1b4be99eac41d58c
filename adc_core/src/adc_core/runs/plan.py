"""What a pipeline will do, checked before anything starts."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adc_core.components.component import Component, unique_names
from adc_core.components.interfaces import Encoder, Enricher, Simulator
from adc_core.components.known_packages import PACKAGE_OF
from adc_core.errors import InputErrors
from adc_core.records.dataset import Dataset
from adc_core.records.run import TrainingSet
from adc_core.runs.completion import ADDED_BY, FROM_A_FILE, columns_of, with_neighbors
from adc_core.runs.pipeline import Pipeline
from adc_core.runs.run_record import COLLECTOR
from adc_core.storage.readers import read_dataset

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


def make_plan(pipeline: Pipeline, dataset: Dataset | None, *, corrupted: bool = False) -> Plan:
    """Check that every column that is read is there or added before.

    Args:
        pipeline: the pipeline.
        dataset: the dataset that was given, or None where it will be collected.
        corrupted: encoder and simulators have made the dataset what it is.

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

    if not corrupted:
        _warn_of_equal_draws(pipeline.simulators)
        if pipeline.encoder:
            use("encoder", pipeline.encoder)
        for place, simulator in enumerate(pipeline.simulators):
            use(f"simulators.{place}", simulator)
    enrichers = with_neighbors(pipeline, have, None if dataset is None else len(dataset) - 1)
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


def _warn_of_equal_draws(simulators: Sequence[Simulator]) -> None:
    """Warn of simulators that would change the same samples without meaning to."""
    drawn: dict[tuple[str, object], str] = {}
    for simulator in simulators:
        draws = simulator.stream, getattr(simulator, "seed", None)
        if simulator.stream and draws in drawn:
            warnings.warn(
                f"simulators: {drawn[draws]} and {simulator.name} have the seed {draws[1]} and "
                "draw the same numbers, so that they change the same samples: give one of them "
                "another seed",
                stacklevel=2,
            )
        drawn[draws] = simulator.name
