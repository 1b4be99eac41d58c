"""What must be added to a pipeline so that everything its detectors read is there.

`adc run` adds a search for neighbors, which has no choices but its size. `adc detect`, whose user
named no more than a dataset, adds anything: what makes features and probabilities is chosen
beforehand, see `Rung`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adc_core.components.columns import required_neighbors
from adc_core.components.component import Component, create
from adc_core.components.interfaces import INTERFACES, Curator, Detector, Encoder, Enricher
from adc_core.components.known_packages import PACKAGE_OF
from adc_core.errors import InputError, InputErrors
from adc_core.records.dataset import EVIDENCE, Dataset
from adc_core.runs.pipeline import Pipeline

ADDED_BY = {
    "features": ("encoders", "patches"),
    "neighbors": ("enrichers", "neighbors"),
    "probabilities": ("enrichers", "ridge-probe"),
    "dynamics": ("enrichers", "training-dynamics"),
    "votes": ("enrichers", "votes"),
}
"""A component that adds each column; a test compares it with what they declare."""

FROM_A_FILE = frozenset({"votes"})
"""Columns that their component reads from a file of the user's: nothing adds them by itself."""

_CURATOR = "adc-plugins-detect/expected-gain"

_SHOWN = 10
"""Neighbors that are searched where nobody reads them and the report shows them all the same."""


@dataclass(frozen=True)
class Rung:
    """What makes the evidence of a dataset.

    Attributes:
        encoder: makes features, or None where there are some, or none are made.
        predictor: makes probabilities, or None where there are some.
        neighbors: whether the report can show neighbors at little cost.
        reason: why this and nothing better, in a sentence; empty where there was no choice.
    """

    encoder: Encoder | None
    predictor: Enricher | None
    neighbors: bool
    reason: str = ""


def complete(pipeline: Pipeline, dataset: Dataset, rung: Rung) -> tuple[Pipeline, bool]:
    """Add what makes the columns that the detectors read and the dataset lacks.

    A search for neighbors that are read is left to `with_neighbors`, which runs when it is known
    how many samples are left.

    Args:
        pipeline: with a dataset and detectors alone.
        dataset: what is there already.
        rung: what makes features and probabilities.

    Returns:
        The pipeline with an encoder, enrichers and a curator, as far as they are needed and
        installed; and whether anything of the rung is among them.

    Raises:
        InputErrors: columns that nothing makes, a line for each detector.
    """
    have = columns_of(dataset)
    chosen = _chosen(rung, have, pipeline.dataset)
    made: dict[str, Component] = {}
    faults: list[str] = []
    for detector in pipeline.detectors:
        for column in detector.required_columns:
            if lacking := _make(column, have, chosen, made):
                advice = _advice(lacking, pipeline.dataset)
                faults.append(f'--use {detector.name}: it reads "{column}", {advice}')
                break
    if faults:
        raise InputErrors(faults)
    encoder = made.get("features")
    have |= set(made)
    made.pop("neighbors", None)
    enrichers = [maker for maker in dict.fromkeys(made.values()) if isinstance(maker, Enricher)]
    if rung.neighbors and "features" in have and "neighbors" not in have:
        enrichers.insert(0, _neighbor_search(_SHOWN))
    completed = pipeline.model_copy(
        update={
            "encoder": encoder if isinstance(encoder, Encoder) else None,
            "enrichers": tuple(enrichers),
            "curators": _curators() if "probabilities" in have else (),
        }
    )
    return completed, any(maker in (rung.encoder, rung.predictor) for maker in made.values())


def with_neighbors(pipeline: Pipeline, have: set[str], others: int | None) -> tuple[Enricher, ...]:
    """Put one neighbor search, for all who read it, before the pipeline's enrichers.

    Args:
        pipeline: the pipeline.
        have: names of the columns that are there before its enrichers.
        others: how many samples there are beside each, where that is known: it has no more
            neighbors, whatever is read by default.
    """
    everyone: tuple[Detector | Curator, ...] = (*pipeline.detectors, *pipeline.curators)
    readers = [reader for reader in everyone if "neighbors" in reader.required_columns]
    added = any("neighbors" in enricher.provided_columns for enricher in pipeline.enrichers)
    if not readers or added or "neighbors" in have or "features" not in have:
        return pipeline.enrichers
    k = max(map(required_neighbors, readers))
    return (_neighbor_search(k if others is None else max(1, min(k, others))), *pipeline.enrichers)


def columns_of(dataset: Dataset) -> set[str]:
    """Name the columns that a dataset has: images, evidence, and the user's own."""
    return {name for name in ("images", *EVIDENCE) if dataset.has(name)} | set(dataset.columns)


def _chosen(rung: Rung, have: set[str], dataset: Path | Dataset | None) -> dict[str, Component]:
    """Map columns to the components of a rung that make them."""
    chosen: dict[str, Component] = {}
    if (encoder := rung.encoder) is not None:
        for column in encoder.required_columns:
            if column not in have:
                raise InputError(
                    f'--encoder {encoder.name}: it reads "{column}", which {dataset} does not '
                    "have: leave the encoder out"
                )
        chosen["features"] = encoder
    if (predictor := rung.predictor) is not None:
        chosen |= dict.fromkeys(predictor.provided_columns, predictor)
    return chosen


def _make(
    column: str, have: set[str], chosen: dict[str, Component], made: dict[str, Component]
) -> list[str]:
    """Note in `made` who makes a column, after what that one needs.

    Returns:
        The column, what it would be made from, what that would be made from, as far as the
        dataset lacks them; nothing where the column is there or can be made.
    """
    if column in made or (column in have and column not in chosen):
        return []
    if column not in chosen and (column not in ADDED_BY or column in FROM_A_FILE):
        return [column]
    maker = chosen.get(column) or _usual_maker(column)
    for needed in maker.required_columns:
        if lacking := _make(needed, have, chosen, made):
            return [column, *lacking]
    made[column] = maker
    return []


def _usual_maker(column: str, **options: Any) -> Component:
    """Make the component that usually adds a column.

    Raises:
        RegistryError: its package is not installed.
    """
    kind, name = ADDED_BY[column]
    return create(INTERFACES[kind], {"use": f"{PACKAGE_OF[kind, name]}/{name}", **options})


def _neighbor_search(k: int) -> Enricher:
    search = _usual_maker("neighbors", k=k)
    assert isinstance(search, Enricher)
    return search


def _curators() -> tuple[Curator, ...]:
    try:
        return (create(Curator, {"use": _CURATOR}),)
    except InputError:  # a package of its own; finding wrong labels does not need it
        return ()


def _advice(lacking: list[str], dataset: Path | Dataset | None) -> str:
    column, *sources = lacking
    if not sources:
        return f'which nothing here adds: give a dataset that has "{column}"'
    return (
        f"and {dataset} has neither that nor {' nor '.join(sources)} to make it from: "
        "give one of them"
    )
