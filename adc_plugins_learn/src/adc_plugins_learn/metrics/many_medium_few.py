"""Accuracy of classes with many, some and few training samples."""

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from adc_core import Measurement, Metric, Run
from adc_plugins_learn.metrics.accuracy import class_accuracies


class ManyMediumFew(Metric):
    """Measures the mean accuracy of classes by how many training samples they have.

    Groups of Liu et al., "Large-scale long-tailed recognition in an open world", CVPR 2019: more
    than 100 samples, 20 to 100, fewer than 20, counted by the given labels of the collected
    dataset; beside them the mean over all classes. A group without classes is left out, and so are
    classes without test samples.
    """

    requires = ("test",)

    many: int = Field(default=100, ge=1, description="more training samples than these are many")
    few: int = Field(default=20, ge=1, description="fewer training samples than these are few")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.few > self.many:
            raise ValueError(f"few ({self.few}) must not be above many ({self.many})")
        return self

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every training."""
        if run.test is None:
            return ()
        counts = np.bincount(run.collected.labels, minlength=len(run.collected.classes))
        groups = {
            "macro accuracy": counts >= 0,
            f"accuracy of classes with many samples (> {self.many})": counts > self.many,
            "accuracy of classes between": (counts >= self.few) & (counts <= self.many),
            f"accuracy of classes with few samples (< {self.few})": counts < self.few,
        }
        found = []
        for training in run.trainings:
            if training.predictions is None:
                continue
            test = run.test
            each = class_accuracies(training.predictions.labels, test.labels, len(test.classes))
            for metric, members in groups.items():
                known = each[members & ~np.isnan(each)]
                if len(known):
                    found.append(
                        Measurement(
                            metric=metric,
                            subject=training.subject,
                            value=float(known.mean()),
                            better="higher",
                        )
                    )
        return tuple(found)
