"""Focal loss: samples that are predicted well count less."""

from pydantic import Field
from torch import Tensor

from adc_plugins_learn.training.parts import Criterion, TrainingContext


def focal_loss(logits: Tensor, targets: Tensor, gamma: float) -> Tensor:
    """Compute (1 − p_y)^gamma · CE.

    Args:
        logits: B × K.
        targets: B int64 class indices, or B × K probabilities, over which the loss is averaged.
        gamma: 0 is cross-entropy.

    Returns:
        B losses, in nats.
    """
    log_p = logits.log_softmax(dim=1)
    losses = -((-log_p.expm1()).clamp_min(0) ** gamma) * log_p
    if targets.ndim == 1:
        return losses.gather(1, targets[:, None])[:, 0]
    return (targets * losses).sum(dim=1)


class Focal(Criterion):
    """Cross-entropy that counts less where the network is already sure of the label.

    Lin et al., "Focal loss for dense object detection", ICCV 2017: gamma = 2; code for long tails
    takes 1 or 0.5. What it weighs down are easy samples, which frequent classes have more of.

    Traps: wrong labels are hard samples, too, and weigh most. Weights of classes are not in it.
    """

    gamma: float = Field(default=2, ge=0, description="0 is cross-entropy")

    def losses(self, logits: Tensor, targets: Tensor, context: TrainingContext) -> Tensor:
        """Call `focal_loss`."""
        return focal_loss(logits, targets, self.gamma)
