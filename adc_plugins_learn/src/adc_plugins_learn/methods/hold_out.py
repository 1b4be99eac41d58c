"""A part of the training samples that is not learned, for methods that judge by it."""

import torch
from torch import Tensor


def hold_out(
    labels: Tensor, n_classes: int, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw samples of each class, at least one of two; of fewer in all, everything does both.

    Args:
        labels: N int64 class indices.
        n_classes: K.
        share: of each class.
        generator: of the choice.

    Returns:
        Rows to learn from, in their order, and rows to judge by.
    """
    order = torch.randperm(len(labels), generator=generator)
    drawn, parts = labels.cpu()[order], []
    for label in range(n_classes):
        rows = order[drawn == label]
        count = max(1, round(share * len(rows)))
        parts.append(rows[: min(count, len(rows) - 1)])
    judging = torch.cat(parts)
    if len(judging) < 2:
        everything = torch.arange(len(labels))
        return everything, everything
    learned = torch.ones(len(labels), dtype=torch.bool)
    learned[judging] = False
    return learned.nonzero()[:, 0], judging
