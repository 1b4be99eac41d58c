"""Prediction sets with a stated error rate: how often they hold the true class, and how large."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import InputError, Measurement, Metric, Run
from adc_core.arrays import stratified_folds


def prediction_sets(
    calibration: ArrayLike, probabilities: ArrayLike, miscoverage: float = 0.1
) -> NDArray[np.bool_]:
    """Choose the classes that are likely enough, beside true labels of other samples.

    A class is in the set where one minus its probability is no larger than the ⌈(C + 1)(1 − e)⌉-th
    smallest of the calibration's scores; all classes are where there are fewer than 1/e − 1 of
    these (split conformal prediction; Vovk et al. 2005).

    Args:
        calibration: C scores, one minus the probability of the true class.
        probabilities: N × K.
        miscoverage: e, how many sets may lack the true class.

    Returns:
        N × K booleans. On average over draws of both samples from one source, at least 1 − e of the
        sets hold the true class.

    Raises:
        InputError: no scores, or an error rate outside 0 … 1.
    """
    scores = np.sort(np.asarray(calibration, np.float64))
    if scores.ndim != 1 or not len(scores) or not 0 < miscoverage < 1:
        raise InputError("prediction sets need calibration scores, and a miscoverage within 0 … 1")
    rank = math.ceil((len(scores) + 1) * (1 - miscoverage))
    critical = np.inf if rank > len(scores) else scores[rank - 1]
    inside: NDArray[np.bool_] = 1 - np.asarray(probabilities, np.float64) <= critical
    return inside


class ConformalSets(Metric):
    """Measures how large the prediction sets of a model must be to hold the true class.

    Each half of the test set is calibrated on the other. Coverage is near what is asked for of any
    model, so that the size of the sets is what tells models apart: one class where the model is
    sure, more where it is not. The promise is for the mean over classes, not for each.
    """

    requires = ("test",)

    miscoverage: float = Field(
        default=0.1, gt=0, lt=1, description="how many sets may lack the true class"
    )
    seed: int = Field(default=0, ge=0, description="of the halves")

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every training; nothing of a test set with fewer than two samples."""
        if run.test is None or len(run.test) < 2:
            return ()
        true = run.test.labels
        half = stratified_folds(true, 2, self.seed)
        sets = f"{100 * (1 - self.miscoverage):g} % sets"
        found = []
        for training in run.trainings:
            if training.predictions is None:
                continue
            chances = np.asarray(training.predictions.probabilities, np.float64)
            scores = 1 - chances[np.arange(len(true)), true]
            inside = np.empty(chances.shape, np.bool_)
            for part in (0, 1):
                judged = half == part
                inside[judged] = prediction_sets(scores[~judged], chances[judged], self.miscoverage)
            covered = inside[np.arange(len(true)), true]
            found += [
                Measurement(
                    metric=f"coverage of {sets}",
                    subject=training.subject,
                    value=float(covered.mean()),
                    better="higher",
                ),
                Measurement(
                    metric=f"classes in {sets}",
                    subject=training.subject,
                    value=float(inside.sum(axis=1).mean()),
                    better="lower",
                ),
            ]
        return tuple(found)
