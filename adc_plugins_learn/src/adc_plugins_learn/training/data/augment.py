"""Random changes of uint8 images."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """Which random changes a training makes.

    Attributes:
        max_translation: largest move in each direction, in pixels.
        horizontal_flip: whether images are flipped left to right.
    """

    max_translation: int = 0
    horizontal_flip: bool = False

    def __call__(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Change each of B × H × W × 3 uint8 images by itself."""
        if self.max_translation:
            pixels = random_translation(pixels, self.max_translation, generator)
        if self.horizontal_flip:
            pixels = random_horizontal_flip(pixels, generator)
        return pixels


def random_translation(pixels: Tensor, reach: int, generator: torch.Generator) -> Tensor:
    """Move each image by up to `reach` pixels; what comes in at the edge is black.

    Args:
        pixels: B × H × W × 3 uint8.
        reach: largest move in each direction.
        generator: draws the moves, on the CPU.
    """
    count, height, width, _ = pixels.shape
    moves = torch.randint(0, 2 * reach + 1, (2, count, 1), generator=generator).to(pixels.device)
    padded = torch.nn.functional.pad(pixels, (0, 0, reach, reach, reach, reach))
    rows = moves[0] + torch.arange(height, device=pixels.device)
    columns = moves[1] + torch.arange(width, device=pixels.device)
    which = torch.arange(count, device=pixels.device)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]]


def random_horizontal_flip(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Flip each image left to right with probability one half."""
    heads = torch.rand(len(pixels), generator=generator).to(pixels.device) < 0.5
    return torch.where(heads[:, None, None, None], pixels.flip(2), pixels)
