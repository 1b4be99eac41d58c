"""Logit adjustment while training: frequent classes start ahead, and so need to learn less."""

from pydantic import Field
from torch import Tensor

from adc_plugins_learn.training.parts import Adjustment, TrainingContext


class LogitAdjustment(Adjustment):
    """Adds τ·log πₖ to what is learned from, whatever the method's loss.

    π are the classes' parts of the given labels. Menon et al., "Long-tail learning via logit
    adjustment", ICLR 2021; τ = 1. Cross-entropy of it is `balanced-softmax`. Losses of other forms,
    and methods that choose samples by their loss, then see rare classes as large as frequent ones.

    Traps: training dynamics, and the history's accuracy, are of adjusted logits. Small-loss methods
    keep more of the tail by it.
    """

    tau: float = Field(default=1, ge=0, description="τ: 0 changes nothing")

    def adjusted(self, logits: Tensor, context: TrainingContext) -> Tensor:
        """Add the prior."""
        return logits + self.tau * context.log_prior
