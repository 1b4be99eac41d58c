"""Candidates that are the pipeline's learners, as in the paper: networks of several kinds."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, Learner
from adc_core.components import work_context, work_folder
from adc_plugins_review.simulated_raters.candidates import Judge


class TrainedRaters:
    """Teaches learners on all that a half has to learn from; they differ by their options.

    Args:
        dataset: with true labels.
        learners: one for each candidate.
    """

    facts = ("log_samples",)

    def __init__(self, dataset: Dataset, learners: tuple[Learner, ...]) -> None:
        self._dataset, self._learners = dataset, learners

    @property
    def count(self) -> int:
        """How many learners there are."""
        return len(self._learners)

    def known(self, number: int, samples: int) -> tuple[float, ...]:
        """Return the log of the samples, which are the same for all."""
        return (float(np.log(samples)),)

    def teach(self, half: int, number: int, rows: NDArray[np.int64]) -> Judge:
        """Train a learner on the rows; what it reports is not passed on."""
        with work_context(work_folder() / f"half-{half + 1}-rater-{number + 1}"):
            model = self._learners[number].learn(self._dataset.take(rows))

        def judge(asked: NDArray[np.int64]) -> NDArray[np.float64]:
            images = self._dataset.take(asked).images
            assert images is not None
            return np.log(np.maximum(model.predict(images).probabilities.astype(np.float64), 1e-30))

        return judge
