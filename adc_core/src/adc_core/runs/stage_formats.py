"""How the result of each stage is written into its folder and read back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from adc_core.arrays.hashing import save_array
from adc_core.arrays.strings import from_arrow, to_arrow
from adc_core.arrays.validation import Array
from adc_core.records.corruption import Corruption
from adc_core.records.curation import Curation
from adc_core.records.dataset import EVIDENCE, Dataset
from adc_core.records.design import Design
from adc_core.records.findings import Findings
from adc_core.records.model import Epoch, Model, Predictions
from adc_core.records.run import Measurement, Training, TrainingSet
from adc_core.storage.atomic import write_json
from adc_core.storage.saved_dataset import (
    load_array,
    load_dataset,
    read_evidence,
    write_dataset,
    write_evidence,
)

W = TypeVar("W")
R = TypeVar("R")


@dataclass(frozen=True)
class StageFormat(Generic[W, R]):
    """The files of one kind of result: what is written (W) and what is read back (R).

    Attributes:
        write: puts a value into an empty folder and returns sums of files that it knows already.
        read: makes a value from a folder whose files were checked against these sums.
    """

    write: Callable[[W, Path], dict[str, str]]
    read: Callable[[Path, Mapping[str, str]], R]


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_design(design: Design, folder: Path) -> dict[str, str]:
    write_json(folder / "design.json", design.model_dump(mode="json"))
    return {}


DESIGN = StageFormat(
    _write_design, lambda folder, _: Design.model_validate(_read_json(folder / "design.json"))
)

DATASET = StageFormat(partial(write_dataset, link=True), load_dataset)


def evidence_form(names: tuple[str, ...]) -> StageFormat[Dataset, dict[str, Any]]:
    """Store some columns of a dataset; they are read back as a dataset's keyword arguments.

    Names that ADC does not know are columns of the author's own.
    """
    known = tuple(name for name in names if name in EVIDENCE)
    own = tuple(name for name in names if name not in EVIDENCE)

    def write(dataset: Dataset, folder: Path) -> dict[str, str]:
        sums: dict[str, str] = {}
        write_json(folder / "evidence.json", write_evidence(dataset, known, folder, sums))
        for name in own:
            save_array(dataset.columns[name], folder / f"{_COLUMN}{name}.npy")
        return sums

    return StageFormat(write, evidence_in)


def evidence_in(folder: Path, sums: Mapping[str, str]) -> dict[str, Any]:
    """Read the columns that a stage added, whatever they are: a dataset's keyword arguments."""
    evidence = read_evidence(folder, _read_json(folder / "evidence.json"), sums)
    own = sorted(path for path in sums if path.startswith(_COLUMN) and path.endswith(".npy"))
    columns = {
        path.removeprefix(_COLUMN).removesuffix(".npy"): load_array(folder / path) for path in own
    }
    return evidence | ({"columns": columns} if own else {})


_COLUMN = "column."
"""Before the name of a column of an author's own, as a file."""


def _write_corruption(corruption: Corruption, folder: Path) -> dict[str, str]:
    save_array(corruption.labels, folder / "labels.npy")
    save_array(corruption.mask, folder / "mask.npy")
    if corruption.transition is not None:
        save_array(corruption.transition, folder / "transition.npy")
    if corruption.kept is not None:
        save_array(corruption.kept, folder / "kept.npy")
    sums: dict[str, str] = {}
    if corruption.votes is not None:
        write_json(folder / _VOTES, write_evidence(corruption, ("votes",), folder, sums))
    return sums


def _read_corruption(folder: Path, sums: Mapping[str, str]) -> Corruption:
    votes = read_evidence(folder, _read_json(folder / _VOTES), sums) if _VOTES in sums else {}
    return Corruption(
        labels=load_array(folder / "labels.npy"),
        mask=load_array(folder / "mask.npy"),
        transition=_optional(folder / "transition.npy"),
        kept=_optional(folder / "kept.npy"),
        **votes,
    )


_VOTES = "votes.json"

CORRUPTION = StageFormat(_write_corruption, _read_corruption)


def _optional(path: Path) -> Array | None:
    return load_array(path) if path.exists() else None


_OF_ALL = ("noise_rate", "noise_range", "precision", "evidence", "classes", "notes")
_PER_SAMPLE = ("suspicion", "flagged", "suggested_labels", "suggestion_confidence", "covered")


def _write_findings(findings: Findings, folder: Path) -> dict[str, str]:
    columns = {"id": to_arrow(findings.ids)}
    for name in _PER_SAMPLE:
        if (column := getattr(findings, name)) is not None:
            columns[name] = pa.array(column)
    pq.write_table(pa.table(columns), folder / "findings.parquet")
    if findings.transition is not None:
        save_array(findings.transition, folder / "transition.npy")
    fields = findings.model_dump(mode="json", include=set(_OF_ALL))
    write_json(folder / "findings.json", fields)
    return {}


def _read_findings(folder: Path, _: Mapping[str, str]) -> Findings:
    table = pq.read_table(folder / "findings.parquet")
    columns = {name: table[name].to_numpy() for name in _PER_SAMPLE if name in table.column_names}
    return Findings(
        ids=from_arrow(table["id"]),
        transition=_optional(folder / "transition.npy"),
        **columns,
        **_read_json(folder / "findings.json"),
    )


FINDINGS = StageFormat(_write_findings, _read_findings)


def curation_form(dataset: Dataset) -> StageFormat[Curation, Curation]:
    """Store the changes of a curation; the repaired dataset is made from them again."""

    def write(curation: Curation, folder: Path) -> dict[str, str]:
        pq.write_table(curation.changes, folder / "changes.parquet")
        write_json(folder / "notes.json", curation.notes)
        return {}

    def read(folder: Path, _: Mapping[str, str]) -> Curation:
        notes = _read_json(folder / "notes.json")
        return Curation.apply(dataset, pq.read_table(folder / "changes.parquet"), notes)

    return StageFormat(write, read)


def training_form(
    learner: str, trained_on: TrainingSet
) -> StageFormat[tuple[Model, Predictions | None], Training]:
    """Store a model in its own format, its history and its predictions on the test set."""

    def write(result: tuple[Model, Predictions | None], folder: Path) -> dict[str, str]:
        model, predictions = result
        model.save(folder / "model")
        history = [epoch.model_dump(mode="json") for epoch in model.history]
        write_json(folder / "training.json", {"classes": list(model.classes), "history": history})
        if predictions is not None:
            save_array(predictions.probabilities, folder / "predictions.npy")
        return {}

    def read(folder: Path, _: Mapping[str, str]) -> Training:
        described = _read_json(folder / "training.json")
        probabilities = _optional(folder / "predictions.npy")
        return Training(
            learner=learner,
            trained_on=trained_on,
            history=tuple(Epoch(**epoch) for epoch in described["history"]),
            predictions=None
            if probabilities is None
            else Predictions(probabilities=probabilities, classes=tuple(described["classes"])),
        )

    return StageFormat(write, read)


def _write_measurements(measurements: tuple[Measurement, ...], folder: Path) -> dict[str, str]:
    lines = [measurement.model_dump(mode="json") for measurement in measurements]
    write_json(folder / "measurements.json", lines)
    return {}


def _read_measurements(folder: Path, _: Mapping[str, str]) -> tuple[Measurement, ...]:
    return tuple(Measurement(**line) for line in _read_json(folder / "measurements.json"))


MEASUREMENTS = StageFormat(_write_measurements, _read_measurements)
