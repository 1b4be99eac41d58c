"""Out-of-sample probabilities by cross-validation: one network for each fold that it leaves out."""

import os
import pickle
import shutil
from contextvars import copy_context
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from adc_core import (
    Dataset,
    Dynamics,
    Enricher,
    ImageArray,
    InputError,
    Learner,
    Probabilities,
    progress,
    work_folder,
)
from adc_core.arrays import NEVER_HELD_OUT, fingerprint, stratified_folds
from adc_core.storage import load_array, verify_checksums
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.fold_worker import CURVES, FoldJob, train_fold, train_folds
from adc_plugins_learn.training.hardware.devices import find_device

_WORTH_PROCESSES = 1000
"""With fewer samples a process takes longer to start than to train."""

_LARGEST = 1 << 29
"""Bytes of images in memory that are still copied into each process."""


class CrossValidation(Enricher):
    """Predicts every sample with a network that has not seen it, one training per fold.

    Folds are stratified by label. The only sample of a class is in every training set, and its
    own label then gets probability 1. Networks also have an output for a
    class without samples. Finished folds are kept, and each training resumes from its last
    checkpoint, so that an interrupted cross-validation ends with the same bytes.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "folds": 2,
                    "learner": {"use": "cross-entropy", "image_size": 8, "epochs": 2},
                }
            ]
        }
    )
    requires: ClassVar[tuple[str, ...]] = ("images",)
    provides: ClassVar[tuple[str, ...]] = ("probabilities",)

    learner: Learner = Field(
        default_factory=CrossEntropy, description="what trains; plain cross-entropy is usual"
    )
    folds: int = Field(
        default=5, ge=2, description="trainings, each without one part of the samples"
    )
    dynamics: bool = Field(
        default=False,
        description="keep the training dynamics too, of each sample averaged over the trainings "
        "that learned from it",
    )
    seed: int = Field(default=0, ge=0, description="seed of the folds")

    @property
    def provided_columns(self) -> tuple[str, ...]:
        """Probabilities, and dynamics where they are asked for."""
        return (*self.provides, "dynamics") if self.dynamics else self.provides

    def expected_seconds(self, dataset: Dataset) -> float | None:
        """Estimate the time of all trainings, each without one part of the samples."""
        at_once = min(self.folds, os.cpu_count() or 1) if len(dataset) >= _WORTH_PROCESSES else 1
        threads = torch.get_num_threads()
        torch.set_num_threads(1 if at_once > 1 else threads)
        try:
            one = self.learner.expected_seconds(dataset)
        finally:
            torch.set_num_threads(threads)
        if one is None:
            return None
        return one * (self.folds - 1) / self.folds * -(-self.folds // at_once)

    def enrich(self, dataset: Dataset) -> Dataset:
        """Add the column `probabilities`, and `dynamics` if the option says so.

        Raises:
            InputError: the dataset has no images, no class with two samples, samples of one class
                only, or does not suit the learner.
            WorkError: a training failed, or a finished fold is damaged.
        """
        if dataset.images is None:
            raise InputError("cross-validation needs images: give a dataset that has them")
        fold = self._folds_of(dataset)
        values = np.zeros((len(dataset), len(dataset.classes)), np.float32)
        alone = np.flatnonzero(fold == NEVER_HELD_OUT)
        values[alone, dataset.labels[alone]] = 1
        key = [
            self.fingerprint,
            dataset.fingerprint_of("ids", "labels", "classes", *self.required_columns),
        ]
        folder = work_folder() / f"cross-validation-{fingerprint(key)[:16]}"
        curves: list[tuple[NDArray[np.bool_], Dynamics]] = []
        parts = [fold == number for number in range(self.folds)]
        jobs = [
            FoldJob(
                learner=self.learner,
                learned=dataset.take(np.flatnonzero(~held_out)),
                held_out=dataset.take(np.flatnonzero(held_out)),
                dynamics=self.dynamics,
                finished=folder / f"fold-{number}",
                training=folder / f"training-{number}",
            )
            for number, held_out in enumerate(parts, 1)
            if held_out.any()
        ]
        self._train([job for job in jobs if not job.finished.exists()], len(jobs))
        held = (held_out for held_out in parts if held_out.any())
        for held_out, job in zip(held, jobs, strict=True):
            shutil.rmtree(job.training, ignore_errors=True)
            verify_checksums(job.finished)
            values[held_out] = load_array(job.finished / "probabilities.npy")
            if self.dynamics:
                names = ("epochs", *CURVES)
                found = {name: load_array(job.finished / f"dynamics.{name}.npy") for name in names}
                curves.append((~held_out, Dynamics(**found)))
        enriched = dataset.replace(
            probabilities=Probabilities(values=values, origin="out of sample")
        )
        return enriched.replace(dynamics=_averaged(curves)) if self.dynamics else enriched

    def _train(self, jobs: list[FoldJob], folds: int) -> None:
        """Train what is not finished: on a CPU several folds at once, if it is worth it."""
        outer = copy_context()
        if self._in_processes(jobs):
            train_folds(
                jobs, min(len(jobs), os.cpu_count() or 1), lambda *done: outer.run(progress, *done)
            )
            return
        for number, job in enumerate(jobs, folds - len(jobs)):

            def progressed(done: int, total: int | None, unit: str, number: int = number) -> None:
                if total is not None:
                    done, total = number * total + done, folds * total
                outer.run(progress, done, total, unit)

            train_fold(job, progressed)

    def _in_processes(self, jobs: list[FoldJob]) -> bool:
        device = getattr(self.learner, "device", None)
        if device is None or find_device(device).type != "cpu" or len(jobs) < 2:
            return False
        images = jobs[0].learned.images
        held = isinstance(images, ImageArray) and images.array.nbytes > _LARGEST
        if held or len(jobs[0].learned) < _WORTH_PROCESSES:
            return False
        try:
            return bool(pickle.dumps(self.learner))
        except (pickle.PicklingError, AttributeError, TypeError):
            return False

    def _folds_of(self, dataset: Dataset) -> NDArray[np.int64]:
        if np.count_nonzero(dataset.class_counts) == 1:
            only = dataset.classes[dataset.labels[0]]
            raise InputError(
                f"all {len(dataset)} samples are labelled {only}: "
                "cross-validation needs at least two classes"
            )
        fold = stratified_folds(dataset.labels, self.folds, self.seed, keep_lone=True)
        if (fold == NEVER_HELD_OUT).all():
            raise InputError("no class has two samples, so none can be held out: give more samples")
        return fold


def _averaged(curves: list[tuple[NDArray[np.bool_], Dynamics]]) -> Dynamics:
    """Average each sample's curves over the trainings that learned from it."""
    learned = np.sum([seen for seen, _ in curves], axis=0)[:, None]
    columns = {}
    for name in CURVES:
        total = np.zeros((len(learned), len(curves[0][1].epochs)), np.float32)
        for seen, dynamics in curves:
            total[seen] += getattr(dynamics, name)
        columns[name] = total / learned
    return Dynamics(epochs=curves[0][1].epochs, **columns)
