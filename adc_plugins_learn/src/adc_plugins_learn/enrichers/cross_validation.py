"""Out-of-sample probabilities by cross-validation: a network per fold, which has not seen it."""

import shutil
from contextvars import copy_context
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from adc_core.dataset import Dataset
from adc_core.dataset_files import load_array
from adc_core.errors import InputError
from adc_core.evidence import Probabilities
from adc_core.fingerprint import fingerprint, save_array
from adc_core.interfaces import Enricher, Learner
from adc_core.model import Predictions
from adc_core.seal import new_folder, seal, unseal
from adc_core.work import progress, work_folder, working_in
from adc_plugins_learn.learners.cross_entropy import CrossEntropy

NEVER_HELD_OUT = -1
"""The fold of a sample that every model learns from."""


def stratified_folds(labels: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Spread the samples of each class over the folds as evenly as can be, at random.

    A class with fewer samples than folds is held out in as many folds as it has samples. The
    only sample of a class is never held out, or nothing would know its class.

    Args:
        labels: N class indices.
        folds: how many folds.
        seed: of the order.

    Returns:
        N fold numbers, `NEVER_HELD_OUT` for the only sample of a class.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    alone = np.bincount(labels)[labels[by_class]] == 1
    fold = np.full(len(labels), NEVER_HELD_OUT)
    dealt = by_class[~alone]
    fold[dealt] = np.arange(len(dealt)) % folds
    return fold


class CrossValidation(Enricher):
    """Predicts every sample with a network that has not seen it, one training per fold.

    Folds are stratified by label. The only sample of a class is in every training set, and its
    own label is then taken to be sure. A class without any sample is there for the networks too,
    and gets what they give it. Finished folds are kept, and each training goes on from its last
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
    reads: ClassVar[tuple[str, ...]] = ("images",)
    adds: ClassVar[tuple[str, ...]] = ("probabilities",)

    learner: Learner = Field(
        default_factory=CrossEntropy, description="what trains; plain cross-entropy is usual"
    )
    folds: int = Field(5, ge=2, description="trainings, each without one part of the samples")
    seed: int = Field(0, ge=0, description="seed of the folds")

    def enrich(self, dataset: Dataset) -> Dataset:
        """The dataset with the column `probabilities`.

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
        key = [self.fingerprint, dataset.fingerprint_of("ids", "labels", "classes", *self.needs)]
        folder = work_folder() / f"cross-validation-{fingerprint(key)[:16]}"
        for number in range(self.folds):
            held_out = fold == number
            if held_out.any():
                values[held_out] = self._fold(dataset, held_out, number, folder)
        return dataset.replace(probabilities=Probabilities(values=values, origin="out of sample"))

    def _folds_of(self, dataset: Dataset) -> NDArray[np.int64]:
        if np.count_nonzero(dataset.class_counts) == 1:
            only = dataset.classes[dataset.labels[0]]
            raise InputError(
                f"all {len(dataset)} samples are labelled {only}: "
                "cross-validation needs at least two classes"
            )
        fold = stratified_folds(dataset.labels, self.folds, self.seed)
        if (fold == NEVER_HELD_OUT).all():
            raise InputError("no class has two samples, so that none can be held out: give more")
        return fold

    def _fold(
        self, dataset: Dataset, held_out: NDArray[np.bool_], number: int, folder: Path
    ) -> NDArray[np.float32]:
        """Probabilities of the samples held out; of a finished fold they are read."""
        finished, training = folder / f"fold-{number + 1}", folder / f"training-{number + 1}"
        if not finished.exists():
            outer = copy_context()

            def progressed(done: int, total: int | None, unit: str) -> None:
                if total is not None:
                    done, total = number * total + done, self.folds * total
                outer.run(progress, done, total, unit)

            with working_in(training, progressed):
                model = self.learner.learn(dataset.take(np.flatnonzero(~held_out)))
                shown = dataset.take(np.flatnonzero(held_out)).images
                assert shown is not None
                values = _in_order(model.predict(shown), dataset.classes)
            with new_folder(finished, folder / "part") as part:
                save_array(values, part / "probabilities.npy")
                seal(part)
        shutil.rmtree(training, ignore_errors=True)
        unseal(finished)
        found: NDArray[np.float32] = load_array(finished / "probabilities.npy")
        return found


def _in_order(predictions: Predictions, classes: tuple[str, ...]) -> NDArray[np.float32]:
    """N × K probabilities of these classes; zero for one that the model does not know."""
    values = np.zeros((len(predictions.probabilities), len(classes)), np.float32)
    columns = [classes.index(name) for name in predictions.classes]
    values[:, columns] = predictions.probabilities
    return values
