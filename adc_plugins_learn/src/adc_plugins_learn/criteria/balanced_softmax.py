"""Balanced softmax: cross-entropy as if all classes were equally frequent."""

from torch import Tensor

from adc_plugins_learn.training.parts import Criterion, TrainingContext, cross_entropy


def balanced_softmax(logits: Tensor, targets: Tensor, log_prior: Tensor) -> Tensor:
    """Compute cross-entropy of logits that the prior is added to.

    Args:
        logits: B × K.
        targets: B int64 class indices, or B × K probabilities.
        log_prior: K logarithms of the classes' parts, or of their counts: a constant cancels.

    Returns:
        B losses, in nats.
    """
    return cross_entropy(logits + log_prior, targets)


class BalancedSoftmax(Criterion):
    """Cross-entropy of z + log nₖ, so that what is predicted by z alone favors no frequent class.

    Ren et al., "Balanced meta-softmax for long-tailed visual recognition", NeurIPS 2020. The counts
    are of given labels: what a network learns from noisy ones is their frequency. The same as the
    adjustment `logit-adjustment` at τ = 1, which goes with methods that have a loss of their own.
    """

    def losses(self, logits: Tensor, targets: Tensor, context: TrainingContext) -> Tensor:
        """Call `balanced_softmax` with the counts of the training set."""
        return balanced_softmax(logits, targets, context.log_prior)
