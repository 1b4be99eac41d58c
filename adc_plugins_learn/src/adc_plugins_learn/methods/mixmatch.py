"""The numbers of a MixMatch step whose classes count alike, however many samples they have."""

from torch import Tensor


def mixmatch_loss(
    logits: Tensor, targets: Tensor, labeled: int, unlabeled_weight: float, weights: Tensor
) -> Tensor:
    """Compute weighted CE of labeled rows + λ·mean squared error of the others.

    Berthelot et al., "MixMatch: a holistic approach to semi-supervised learning", NeurIPS 2019.

    Args:
        logits: B × K of blends, the labeled first.
        targets: B × K.
        labeled: how many rows are.
        unlabeled_weight: λ.
        weights: K, of the classes in cross-entropy.

    Returns:
        One number; the squared error is a mean over rows and classes.
    """
    log_p = logits[:labeled].log_softmax(dim=1)
    loss = -(targets[:labeled] * log_p).mean(dim=0) @ weights
    if labeled == len(logits):
        return loss
    others = logits[labeled:].softmax(dim=1)
    return loss + unlabeled_weight * ((others - targets[labeled:]) ** 2).mean()
