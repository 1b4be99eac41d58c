"""Logit adjustment as a loss: cross-entropy of logits that τ times the prior is added to."""

from pydantic import Field
from torch import Tensor

from adc_plugins_learn.criteria.balanced_softmax import balanced_softmax
from adc_plugins_learn.training.parts import Criterion, TrainingContext


class LogitAdjustedCrossEntropy(Criterion):
    """Cross-entropy of z + τ·log πₖ; at τ = 1 it is `balanced-softmax` to the last digit.

    Menon et al., "Long-tail learning via logit adjustment", ICLR 2021. π are the classes' parts of
    the given labels. Predictions are by z alone.
    """

    tau: float = Field(default=1, ge=0, description="τ: 0 is cross-entropy")

    def losses(self, logits: Tensor, targets: Tensor, context: TrainingContext) -> Tensor:
        """Call `balanced_softmax` with τ·log π."""
        return balanced_softmax(logits, targets, self.tau * context.log_prior)
