"""Expected calibration error: how far a model's confidence is from how often it is right."""

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from adc_core import InputError, Measurement, Metric, Run


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> float:
    """Compute the mean over samples of |accuracy − mean confidence| of the sample's bin.

    Bins are of equal width in (0, 1]. Naeini et al., AAAI 2015; Guo et al., ICML 2017.

    Args:
        confidence: N probabilities of the predicted classes.
        right: N booleans, whether these are right.
        bins: how many.

    Raises:
        InputError: no samples, arrays of two lengths, or numbers outside 0 … 1.
    """
    sure, hit = np.asarray(confidence, np.float64), np.asarray(right, bool)
    if sure.ndim != 1 or sure.shape != hit.shape or not len(sure):
        raise InputError("a calibration error is of N probabilities and N booleans")
    if not ((sure >= 0) & (sure <= 1)).all():
        raise InputError("confidence is a probability: 0 … 1")
    places = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(places, hit, bins) - np.bincount(places, sure, bins)
    return float(np.abs(gaps).sum() / len(sure))


class CalibrationError(Metric):
    """Measures how far confidence is from accuracy on the test set, over bins of confidence.

    The estimate is above 0 by chance even for a calibrated model, more so with few samples.
    """

    requires = ("test",)

    bins: int = Field(default=15, ge=1, description="of equal width in confidence")

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every training."""
        if run.test is None:
            return ()
        return tuple(
            Measurement(
                metric="expected calibration error",
                subject=training.subject,
                value=expected_calibration_error(
                    training.predictions.probabilities.max(axis=1).clip(0, 1),
                    training.predictions.labels == run.test.labels,
                    self.bins,
                ),
                better="lower",
            )
            for training in run.trainings
            if training.predictions is not None
        )
