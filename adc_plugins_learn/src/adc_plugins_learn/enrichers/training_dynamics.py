"""Training dynamics: what one training on the given labels saw of every sample."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from adc_core import Dataset, Enricher, InputError, Learner
from adc_plugins_learn.learners.cross_entropy import CrossEntropy


class TrainingDynamics(Enricher):
    """Trains on the labels as given and records what it saw of every sample, epoch by epoch.

    Right labels are learned early and wrong ones late, by memory. Every detector that reads
    `dynamics` shares this one training. The learner's augmentation and schedule shape the
    curves: compare curves of one recipe with one another, not with those of another.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"learner": {"use": "cross-entropy", "image_size": 8, "epochs": 2}}]
        }
    )
    provides: ClassVar[tuple[str, ...]] = ("dynamics",)

    learner: Learner = Field(
        default_factory=CrossEntropy, description="what trains; plain cross-entropy is usual"
    )

    def enrich(self, dataset: Dataset) -> Dataset:
        """Add the column `dynamics`.

        Raises:
            InputError: the learner records no dynamics, or the dataset does not suit it.
        """
        dynamics = self.learner.learn(dataset).dynamics
        if dynamics is None:
            raise InputError(
                f"the learner {self.learner.name} records no training dynamics: choose another"
            )
        return dataset.replace(dynamics=dynamics)
