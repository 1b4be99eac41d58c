"""Crops, flips and holes, of a whole batch of uint8 images at a time."""

import math

import torch
from torch import Tensor, nn

_TRIES = 10
"""So many boxes are drawn for an image, of which the first that fits is taken."""


def random_translation(pixels: Tensor, generator: torch.Generator, reach: int) -> Tensor:
    """Move each image by up to `reach` pixels; what comes in at the edge is black.

    Args:
        pixels: B × H × W × 3 uint8.
        generator: draws the moves, on the CPU.
        reach: largest move in each direction.
    """
    count, height, width, _ = pixels.shape
    moves = torch.randint(0, 2 * reach + 1, (2, count, 1), generator=generator).to(pixels.device)
    padded = nn.functional.pad(pixels, (0, 0, reach, reach, reach, reach))
    rows = moves[0] + torch.arange(height, device=pixels.device)
    columns = moves[1] + torch.arange(width, device=pixels.device)
    which = torch.arange(count, device=pixels.device)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]]


def random_horizontal_flip(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Flip each image left to right with probability one half."""
    heads = torch.rand(len(pixels), generator=generator).to(pixels.device) < 0.5
    return torch.where(heads[:, None, None, None], pixels.flip(2), pixels)


def random_resized_crop(
    pixels: Tensor,
    generator: torch.Generator,
    scale: tuple[float, float] = (0.08, 1),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> Tensor:
    """Enlarge a random box of each image to the whole: the Inception crop, as torchvision's.

    Args:
        pixels: B × H × W × 3 uint8.
        generator: draws the boxes, on the CPU.
        scale: smallest and largest part of the area.
        ratio: smallest and largest width by height, whose logarithm is drawn uniformly.
    """
    count, height, width, _ = pixels.shape
    area, aspect, *place = torch.rand(4, count, _TRIES, generator=generator)
    area = height * width * (scale[0] + (scale[1] - scale[0]) * area)
    low, high = math.log(ratio[0]), math.log(ratio[1])
    aspect = (low + (high - low) * aspect).exp()
    sides = torch.stack([(area / aspect).sqrt(), (area * aspect).sqrt()]).round()
    whole = torch.tensor([height, width]).view(2, 1, 1)
    fits = ((sides > 0) & (sides <= whole)).all(dim=0)
    first = fits.int().argmax(dim=1, keepdim=True)
    sides = torch.where(fits, sides, whole).gather(2, first.expand(2, count, 1))
    drawn = torch.stack(place).gather(2, first.expand(2, count, 1))
    corners = (drawn * (whole - sides + 1)).floor()
    return resized_boxes(pixels, corners.to(pixels.device), sides.to(pixels.device))


def resized_boxes(pixels: Tensor, corners: Tensor, sides: Tensor) -> Tensor:
    """Enlarge a box of each image to the image's size, bilinearly.

    Args:
        pixels: B × H × W × 3 uint8.
        corners: 2 × B × 1, top and left.
        sides: 2 × B × 1, height and width in whole pixels.
    """
    count, *shape, _ = pixels.shape
    axes = []
    for length, corner, side in zip(shape, corners, sides, strict=True):
        at = (torch.arange(length, device=pixels.device) + 0.5) * side / length - 0.5
        at = corner + torch.minimum(at.clamp_min(0), side - 1)  # nothing from outside the box
        axes.append((2 * at + 1) / length - 1)
    rows, columns = axes
    grid = torch.stack(
        [columns[:, None, :].expand(count, *shape), rows[:, :, None].expand(count, *shape)], dim=3
    )
    images = pixels.permute(0, 3, 1, 2).float()
    enlarged = nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return enlarged.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def cutout(pixels: Tensor, generator: torch.Generator, length: int) -> Tensor:
    """Cover a square of each image with the mean color of the batch.

    DeVries & Taylor, "Improved regularization of convolutional neural networks with cutout", 2017:
    its center is anywhere in the image, so that parts of it may be outside.

    Args:
        pixels: B × H × W × 3 uint8.
        generator: draws the centers, on the CPU.
        length: side of the square, in pixels.
    """
    count, *shape, _ = pixels.shape
    covered = []
    for side in shape:
        center = torch.randint(0, side, (count, 1), generator=generator).to(pixels.device)
        distance = torch.arange(side, device=pixels.device) - (center - length // 2)
        covered.append((distance >= 0) & (distance < length))
    hole = covered[0][:, :, None, None] & covered[1][:, None, :, None]
    color = pixels.float().mean(dim=(0, 1, 2)).round().to(torch.uint8)
    return torch.where(hole, color, pixels)
