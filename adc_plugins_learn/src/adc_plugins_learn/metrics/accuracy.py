"""Accuracy on a test set with trusted labels."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Measurement, Metric, Run, Training


def class_accuracies(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Compute the fraction of each class's samples that are predicted right.

    Args:
        predicted: N class indices.
        labels: N true class indices.
        classes: K.

    Returns:
        K float64, NaN for a class without samples.
    """
    counts = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[predicted == labels], minlength=classes)
    with np.errstate(invalid="ignore"):
        return right / np.where(counts, counts, np.nan)


class Accuracy(Metric):
    """Measures accuracy on the test set: overall, of the worst class and of every class."""

    reads = ("test",)

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every training; the accuracy of a class without test samples is undefined.

        Where a training had a validation set, its accuracy at the last and at the best epoch
        is added; labels of that set may be wrong.
        """
        if run.test is None:
            return ()
        test, found = run.test, []
        for training in run.trainings:
            if training.predictions is None:
                continue
            predicted = training.predictions.labels
            each = class_accuracies(predicted, test.labels, len(test.classes))
            figures = {
                "accuracy": float(np.mean(predicted == test.labels)),
                "worst-class accuracy": float(np.nanmin(each)),
            }
            figures |= _of_validation(training)
            figures |= {
                f"accuracy of {name}": float(value)
                for name, value in zip(test.classes, each, strict=True)
            }
            found += [
                Measurement(
                    metric=metric,
                    subject=training.subject,
                    value=None if np.isnan(value) else value,
                    better="higher",
                    detail=metric.startswith("accuracy of"),
                )
                for metric, value in figures.items()
            ]
        return tuple(found)


def _of_validation(training: Training) -> dict[str, float]:
    seen = [epoch.validation_accuracy for epoch in training.history]
    known = [accuracy for accuracy in seen if accuracy is not None]
    if not known:
        return {}
    return {
        "validation accuracy, last epoch": known[-1],
        "validation accuracy, best epoch": max(known),
    }
