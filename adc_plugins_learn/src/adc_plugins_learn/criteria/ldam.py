"""LDAM: rare classes are kept at a larger distance from the others."""

import torch
from pydantic import Field
from torch import Tensor

from adc_plugins_learn.criteria.class_weighted import class_weights, weighted_by_class
from adc_plugins_learn.training.parts import Criterion, TrainingContext, cross_entropy


def class_margins(class_counts: Tensor, max_margin: float) -> Tensor:
    """Compute K margins in proportion to nₖ^(−1/4), the largest of them `max_margin`.

    Args:
        class_counts: K numbers of samples; a class without any gets the largest margin, too.
        max_margin: of the rarest class.
    """
    margins = class_counts.clamp_min(1) ** -0.25
    return max_margin * margins / margins.max()


def ldam_loss(logits: Tensor, targets: Tensor, margins: Tensor, scale: float = 1) -> Tensor:
    """Compute cross-entropy of logits from whose target the scaled margin is taken away.

    Args:
        logits: B × K, scaled already.
        targets: B int64 class indices, or B × K probabilities, which share the margins out.
        margins: K.
        scale: s, by which the logits are scaled.

    Returns:
        B losses, in nats.
    """
    shares = targets
    if targets.ndim == 1:
        shares = torch.nn.functional.one_hot(targets, logits.shape[1]).to(logits.dtype)
    return cross_entropy(logits - scale * shares * margins, targets)


class LabelDistributionAwareMargin(Criterion):
    """Cross-entropy with a margin that grows as a class is rare, and weights in the end.

    Cao et al., "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS
    2019: margins nₖ^(−1/4) up to 0.5, s = 30, and from 0.8 of the epochs on weights by the
    effective number at β = 0.9999 (deferred re-weighting). Logits are s times cosines between
    features and class vectors: the network's last layer, a linear one, is replaced by such.

    Traps: on logits that are no cosines s explodes: `cosine: false` takes them with s = 1, as the
    weaker variant of some code does. Weights have a mean of 1 over the samples here, where the
    official code divides by the sum in the batch.
    """

    max_margin: float = Field(default=0.5, ge=0, description="margin of the rarest class")
    scale: float = Field(default=30, gt=0, description="s: what cosines are multiplied by")
    cosine: bool = Field(default=True, description="false: the network's own logits, with s = 1")
    reweight_after: float = Field(
        default=0.8, ge=0, le=1, description="part of the epochs without weights, first; 1: none"
    )
    beta: float = Field(default=0.9999, ge=0, lt=1, description="β: of the effective number")

    @property
    def cosine_scale(self) -> float | None:
        """s, if logits shall be cosines."""
        return self.scale if self.cosine else None

    def losses(self, logits: Tensor, targets: Tensor, context: TrainingContext) -> Tensor:
        """Call `ldam_loss`, and weigh its losses towards the end."""
        margins = class_margins(context.class_counts, self.max_margin)
        losses = ldam_loss(logits, targets, margins, self.scale if self.cosine else 1)
        if context.progress < self.reweight_after:
            return losses
        weights = class_weights(context.class_counts, "effective-number", self.beta)
        return weighted_by_class(losses, targets, weights)
