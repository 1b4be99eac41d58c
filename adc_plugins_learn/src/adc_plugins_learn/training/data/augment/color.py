"""Changes of color, of a whole batch of uint8 images at a time."""

import torch
from torch import Tensor

_LUMA = (0.2989, 0.587, 0.114)
"""What red, green and blue contribute to grey (ITU-R BT.601, as torchvision rounds it)."""


def color_jitter(
    pixels: Tensor,
    generator: torch.Generator,
    brightness: float = 0.4,
    contrast: float = 0.4,
    saturation: float = 0.4,
) -> Tensor:
    """Change brightness, contrast and saturation of each image, as torchvision's ColorJitter.

    The three come in an order that is drawn for the batch.

    Args:
        pixels: B × H × W × 3 uint8.
        generator: draws the order and the factors, on the CPU.
        brightness: factors are from max(0, 1 − b) to 1 + b.
        contrast: likewise, around the image's mean grey.
        saturation: likewise, around each pixel's grey.
    """
    order = torch.randperm(3, generator=generator).tolist()
    draws = torch.rand(3, len(pixels), 1, 1, 1, generator=generator).to(pixels.device)
    images = pixels.float()
    for which in order:
        strength = (brightness, contrast, saturation)[which]
        if strength:
            low = max(0.0, 1 - strength)
            factor = low + (1 + strength - low) * draws[which]
            images = torch.lerp(_center(images, which), images, factor).clamp_(0, 255)
    return images.round_().to(torch.uint8)


def _center(images: Tensor, which: int) -> Tensor:
    """Return what a factor of 0 makes of images: black, the mean grey, or grey pixels."""
    if which == 0:
        return images.new_zeros(1)
    grey = (images * images.new_tensor(_LUMA)).sum(dim=3, keepdim=True)
    return grey.mean(dim=(1, 2), keepdim=True) if which == 1 else grey
