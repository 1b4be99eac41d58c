"""Read a run directory back as the records that its stages made.

No component is imported: the name of a stage says what it holds, and `run.json` says which stages
there are. Nothing that a directory says leads out of it, but for the paths that its pipeline was
given.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from adc_core.arrays.validation import Array
from adc_core.components.component import distinct_names
from adc_core.errors import InputError, RecordErrors, WorkError, lines_of
from adc_core.records.curation import Curation
from adc_core.records.dataset import Dataset
from adc_core.records.design import Brief, Design
from adc_core.records.findings import Findings
from adc_core.records.run import Run, Training, TrainingSet
from adc_core.runs.image_check import BROKEN_IMAGES, Broken, without
from adc_core.runs.run_directory import SAMPLES
from adc_core.runs.run_record import COLLECTOR, PIPELINE, RECORD, read_record
from adc_core.runs.stage_formats import (
    CORRUPTION,
    DATASET,
    DESIGN,
    FINDINGS,
    MEASUREMENTS,
    StageFormat,
    curation_form,
    evidence_in,
    training_form,
)
from adc_core.runs.test_set import with_classes_of
from adc_core.storage.checksums import verify_checksums
from adc_core.storage.plain_files import refuse_irregular
from adc_core.storage.readers import read_dataset
from adc_core.storage.truth import read_truth, truth_table

R = TypeVar("R")

_TRAINED_ON: tuple[TrainingSet, ...] = ("raw", "curated", "clean")


def is_run_directory(folder: Path) -> bool:
    """Tell whether `adc run`, `adc detect` or `adc collect` wrote a folder."""
    return (folder / RECORD).is_file() and (folder / PIPELINE).is_file()


def is_finished(folder: Path) -> bool:
    """Tell whether the run in a run directory is complete, so that `read_run` reads it.

    Raises:
        InputError: it is not a run directory.
        WorkError: its record is damaged.
    """
    return _Reader(folder).finished


def read_run(folder: Path | str) -> Run:
    """Read a finished run directory: the dataset with its evidence, and all that was made of it.

    A dataset that the pipeline was given is read again from its place. Truth and test set are left
    out where their files have gone. Trainings come with their histories and predictions, without
    their models.

    Args:
        folder: the run directory.

    Raises:
        InputError: it is not a run directory, the run is not finished, or its dataset has gone or
            is another one by now.
        WorkError: a stage is missing or damaged, or of another version; the message names it.
    """
    reader = _Reader(Path(folder))
    if not reader.finished:
        raise InputError(
            f"the run in {folder} is not finished: run it again to the end; what was collected "
            "is there as it is"
        )
    return reader.run()


def read_collected(folder: Path | str) -> Dataset:
    """Read the dataset that a run began with, as it was collected or given, without evidence.

    Args:
        folder: a run directory, finished or not.

    Raises:
        InputError: it is not a run directory, or nothing has been collected yet.
        WorkError: what was collected is damaged.
    """
    return _Reader(Path(folder)).given()


def left_out_images(folder: Path | str) -> dict[str, str]:
    """Read which images of a given dataset a run left out: id to the reason.

    Raises:
        InputError: it is not a run directory, or its dataset has gone or is another one by now.
        WorkError: the stage is damaged.
    """
    reader = _Reader(Path(folder))
    broken = reader.broken("dataset")
    ids = reader.given(whole=True).ids if broken else ()
    return {str(ids[one.row]): one.reason for one in broken}


class _Reader:
    """The stages of one run directory, each read once.

    Attributes:
        finished: whether the run came to its end.
    """

    def __init__(self, folder: Path) -> None:
        if not is_run_directory(folder):
            raise InputError(
                f"{folder} is not a run directory: it has no {RECORD} with a {PIPELINE} beside it"
            )
        self._folder = folder
        refuse_irregular(folder)
        record = read_record(folder)
        assert record is not None
        self.finished = record.finished
        self._planned = record.pipeline
        self._paths = _pipeline_file(folder / PIPELINE)
        self._given = record.given
        self._stages = list(record.stages)

    def run(self) -> Run:
        """Read everything that the run made."""
        dataset = self.given()
        truth = self._truth(dataset)
        dataset = self._with_evidence(dataset, ["encoder"] if "encoder" in self._stages else [])
        for name in self._named("simulators"):
            corruption = self._read(f"simulators/{name}", CORRUPTION)
            truth = corruption.rows_left(dataset.labels if truth is None else truth)
            dataset = corruption.applied_to(dataset)
        # The search for neighbors is a stage that the pipeline itself does not name.
        added = [name for name in self._stages if name.startswith("enrichers/")]
        dataset = self._with_evidence(dataset, added)
        brief = self._planned.get("brief")
        return Run(
            brief=None if brief is None else Brief.model_validate(brief),
            design=self._design(),
            collected=dataset,
            findings=self._findings(dataset),
            curations=self._curations(dataset),
            trainings=tuple(self._trainings()),
            truth=truth,
            test=self._test(dataset),
            measurements=tuple(
                measurement
                for name in self._named("metrics")
                for measurement in self._read(f"metrics/{name}", MEASUREMENTS)
            ),
        )

    def broken(self, what: str) -> list[Broken]:
        """Return the images that were left out, of the `dataset` or the `test` set."""
        return self._read(what, BROKEN_IMAGES) if what in self._stages else []

    def given(self, *, whole: bool = False) -> Dataset:
        """Return the dataset as collected, or as the pipeline was given it.

        Args:
            whole: with the images that cannot be used.
        """
        if self._planned.get("dataset") is None:
            if COLLECTOR not in self._stages:
                raise InputError(f"nothing is collected yet in {self._folder}: run it again")
            return self._read(COLLECTOR, DATASET)
        path = self._path("dataset")
        if path is None or not path.exists():
            raise InputError(
                f"the dataset of the run in {self._folder} is not at {path} any more: put it back, "
                "or run again"
            )
        dataset = _read_again(path)
        if self._given not in (None, dataset.fingerprint_of(*SAMPLES)):
            raise self._changed("it has other samples or labels")
        return dataset if whole else without(dataset, self.broken("dataset"))

    def _changed(self, how: str) -> InputError:
        path = self._path("dataset") or self._folder / COLLECTOR
        return InputError(
            f"{path} has changed since the run in {self._folder} ({how}): run it again"
        )

    def _path(self, key: str) -> Path | None:
        """Resolve a path of the pipeline file against its folder."""
        value = self._paths.get(key)
        return Path(os.path.normpath(self._folder / value)) if isinstance(value, str) else None

    def _named(self, kind: str) -> list[str]:
        """Return the names of the planned components of a kind, as their stages are called."""
        listed = self._planned.get(kind) or []
        full = [item["use"] for item in listed if isinstance(item, dict) and "use" in item]
        return distinct_names([str(name) for name in full])

    def _read(self, stage: str, form: StageFormat[Any, R]) -> R:
        return self._stage(stage, form.read)

    def _stage(self, stage: str, read: Callable[[Path, Mapping[str, str]], R]) -> R:
        folder = self._folder / stage
        inside = folder.resolve().is_relative_to(self._folder.resolve())
        if stage not in self._stages or not inside or not folder.is_dir():
            raise WorkError(f"{folder} is missing: run the pipeline again")
        sums = verify_checksums(folder)
        try:
            return read(folder, sums)
        except (KeyError, OSError, TypeError, ValueError) as error:
            if isinstance(error, InputError) and not isinstance(error, RecordErrors):
                raise
            reason = " ".join(lines_of(error))
            raise WorkError(
                f"{folder} does not hold a stage of this version: {reason}: run the pipeline again"
            ) from error

    def _with_evidence(self, dataset: Dataset, stages: Sequence[str]) -> Dataset:
        for stage in stages:
            added = self._stage(stage, evidence_in)
            columns = {**dataset.columns, **added.pop("columns", {})}
            try:
                dataset = dataset.replace(**added, columns=columns)
            except RecordErrors as error:
                raise self._changed(error.faults[0]) from None
        return dataset

    def _design(self) -> Design | None:
        return None if self._planned.get("designer") is None else self._read("designer", DESIGN)

    def _findings(self, dataset: Dataset) -> dict[str, Findings]:
        found = {
            name: self._read(f"detectors/{name}", FINDINGS) for name in self._named("detectors")
        }
        for findings in found.values():
            if findings.ids.tolist() != dataset.ids.tolist():
                raise self._changed("its samples are others")
        return found

    def _curations(self, dataset: Dataset) -> dict[str, Curation]:
        curations: dict[str, Curation] = {}
        for name in self._named("curators"):
            try:
                curations[name] = self._read(f"curators/{name}", curation_form(dataset))
            except InputError as error:
                raise self._changed(str(error)) from None
            dataset = curations[name].dataset
        return curations

    def _trainings(self) -> Iterator[Training]:
        names = self._named("learners")
        for stage in self._stages:
            learner, _, labels = stage.removeprefix("learners/").rpartition(".")
            for known in _TRAINED_ON:
                if stage.startswith("learners/") and learner in names and labels == known:
                    yield self._read(stage, training_form(learner, known))

    def _truth(self, dataset: Dataset) -> Array | None:
        path = self._path("truth")
        there = path is not None and path.is_file()
        if path is None or not there:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read_truth(truth_table(path), dataset)

    def _test(self, dataset: Dataset) -> Dataset | None:
        path = self._path("test")
        there = path is not None and path.exists()
        if path is None or not there:
            return None
        return with_classes_of(without(_read_again(path), self.broken("test")), dataset)


def _read_again(path: Path) -> Dataset:
    """Read a dataset without the warnings that the run gave when it read it first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_dataset(path)


def _pipeline_file(path: Path) -> dict[str, Any]:
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise WorkError(f"{path} cannot be read: fix it, or run again") from error
    if not isinstance(read, dict):
        raise WorkError(f"{path} cannot be read: fix it, or run again")
    return read
