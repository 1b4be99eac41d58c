"""From uint8 images to what a network takes."""

from collections.abc import Iterable

import torch
from torch import Tensor

Channels = tuple[float, float, float]

IMAGENET_MEAN: Channels = (0.485, 0.456, 0.406)
IMAGENET_STD: Channels = (0.229, 0.224, 0.225)
"""What pretrained torchvision networks were trained with, for images in 0 … 1."""


def to_input(pixels: Tensor, mean: Channels, std: Channels) -> Tensor:
    """Convert B × H × W × 3 uint8 to normalized B × 3 × H × W float32."""
    images = pixels.permute(0, 3, 1, 2).float() / 255
    shape = (1, 3, 1, 1)
    return (images - images.new_tensor(mean).view(shape)) / images.new_tensor(std).view(shape)


def channel_statistics(blocks: Iterable[Tensor]) -> tuple[Channels, Channels]:
    """Compute mean and standard deviation of each channel, in 0 … 1.

    Args:
        blocks: B × H × W × 3 uint8 each, all images together.
    """
    counts = torch.stack([_counts(pixels) for pixels in blocks]).sum(0).double()
    values = torch.arange(256, device=counts.device).double() / 255
    mean = counts @ values / counts.sum(1)
    variance = counts @ values**2 / counts.sum(1) - mean**2
    std = variance.clamp_min(1e-4).sqrt()
    r, g, b = mean.tolist()
    r2, g2, b2 = std.tolist()
    return (r, g, b), (r2, g2, b2)


def _counts(pixels: Tensor) -> Tensor:
    """Count how often each value occurs in each channel: 3 × 256 int64."""
    return torch.stack(
        [torch.bincount(pixels[..., channel].flatten(), minlength=256) for channel in range(3)]
    )
