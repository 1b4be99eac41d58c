"""Post-hoc logit adjustment: what frequent classes gained by their frequency is taken away."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_plugins_learn.training.parts import Posthoc


def class_log_prior(class_counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute K logarithms of the classes' parts of the samples, for taking them away.

    A class without samples counts as the largest: nothing was learned of it, and what it would gain
    by its rarity, which knows no bound, would make it the answer to every image.
    """
    counts = np.where(class_counts > 0, class_counts, class_counts.max()).astype(np.float64)
    return np.asarray(np.log(counts / class_counts.sum(dtype=np.float64)))


class PosthocLogitAdjustment(Posthoc):
    """Predicts by z − τ·log πₖ, where π are the classes' parts of the training labels.

    Menon et al., "Long-tail learning via logit adjustment", ICLR 2021; τ = 1. Nothing is fitted.

    Traps: once only. After balanced softmax, an adjustment or a balanced sampler it corrects a
    second time. Under label noise π is that of the given labels, which is what networks take in.
    """

    needs_validation: ClassVar[bool] = False

    tau: float = Field(default=1, ge=0, description="τ: 0 changes nothing")

    def shift(
        self,
        logits: NDArray[np.float32],
        labels: NDArray[np.int64],
        class_counts: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """Return −τ·log π."""
        return np.asarray(-self.tau * class_log_prior(class_counts), np.float64)
