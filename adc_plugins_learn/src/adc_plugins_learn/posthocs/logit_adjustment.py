"""Post-hoc logit adjustment: what frequent classes gained by their frequency is taken away."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_plugins_learn.training.parts import Posthoc


class PosthocLogitAdjustment(Posthoc):
    """Predicts by z − τ·log πₖ, where π are the classes' parts of the training labels.

    Menon et al., "Long-tail learning via logit adjustment", ICLR 2021; τ = 1. Nothing is fitted.

    Traps: once only. After balanced softmax, an adjustment or a balanced sampler it corrects a
    second time. Under label noise π is that of the given labels, which is what networks take in.
    """

    needs_validation: ClassVar[bool] = False

    tau: float = Field(1, ge=0, description="τ: 0 changes nothing")

    def shift(
        self,
        logits: NDArray[np.float32],
        labels: NDArray[np.int64],
        class_counts: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """Return −τ·log π; of a class without samples 10⁻¹² is taken."""
        counts = class_counts.astype(np.float64)
        prior: NDArray[np.float64] = np.maximum(counts / counts.sum(), 1e-12)
        return np.asarray(-self.tau * np.log(prior), np.float64)
