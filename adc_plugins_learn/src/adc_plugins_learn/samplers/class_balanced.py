"""Class-balanced sampling: rare classes are drawn as often as frequent ones, or nearly so."""

import torch
from pydantic import Field
from torch import Tensor

from adc_plugins_learn.training.parts import Sampler, TrainingContext


def sampling_probabilities(labels: Tensor, n_classes: int, exponent: float) -> Tensor:
    """Compute N float64 probabilities: classes are drawn in proportion to nₖ^exponent.

    Args:
        labels: N int64 class indices.
        n_classes: K.
        exponent: 0 draws all classes alike, 1 all samples alike.
    """
    counts = torch.bincount(labels, minlength=n_classes).double()
    each = counts ** (exponent - 1)
    chances = each[labels]
    return chances / chances.sum()


def draw_by(chances: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw positions with replacement, in proportion to N float64 chances."""
    # By the inverse of the distribution: torch.multinomial takes 2²⁴ categories at most.
    draws = torch.rand(count, generator=generator, dtype=torch.float64)
    edges = chances.cumsum(dim=0)
    return torch.searchsorted(edges / edges[-1], draws, right=True).clamp_max(len(chances) - 1)


class ClassBalanced(Sampler):
    """Draws classes in proportion to a power of their size, with replacement.

    The names of Kang et al., "Decoupling representation and classifier for long-tailed
    recognition", ICLR 2020: `exponent` 0 is class-balanced, 0.5 square-root, 1 instance-balanced
    sampling. From `after` of the epochs on; before it each sample is taken once.

    Traps: samples of rare classes are seen again and again and soon memorized, wrong labels among
    them; with replacement some of the frequent ones are not seen in an epoch, and their training
    dynamics are those of the epoch before.
    """

    exponent: float = Field(
        default=0, ge=0, le=1, description="0: classes alike, 0.5: square-root, 1: samples alike"
    )
    after: float = Field(default=0, ge=0, lt=1, description="part of the epochs without it, first")

    def draw(self, labels: Tensor, context: TrainingContext, generator: torch.Generator) -> Tensor:
        """Draw as many positions as there are labels."""
        if context.progress < self.after:
            return torch.randperm(len(labels), generator=generator)
        chances = sampling_probabilities(labels, len(context.class_counts), self.exponent)
        return draw_by(chances, len(labels), generator)
