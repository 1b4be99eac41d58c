"""Residual networks for small images, which are not subsampled before the first block.

A stem of 3 × 3 convolutions keeps images of 32 pixels at their size, where networks for
photographs shrink them fourfold at once.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn


class _PlainBlock(nn.Module):
    """Two convolutions and a shortcut without weights: subsampled, filled up with zeros."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(before, after, stride)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = _convolution(after, after)
        self.norm2 = nn.BatchNorm2d(after)
        self.stride, self.filled = stride, after - before

    def forward(self, maps: Tensor) -> Tensor:
        out = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(maps)))))
        kept = maps[:, :, :: self.stride, :: self.stride]
        if self.filled:
            half = self.filled // 2
            kept = nn.functional.pad(kept, (0, 0, 0, 0, half, self.filled - half))
        return torch.relu(out + kept)


class CifarResNet(nn.Module):
    """The residual network for CIFAR-10 of He et al., "Deep residual learning", CVPR 2016, §4.2.

    A 3 × 3 convolution, then three stages of n blocks of two convolutions, with 16, 32 and 64
    channels; shortcuts have no weights (their option A).

    Args:
        classes: K.
        depth: layers with weights, 6n + 2.
    """

    def __init__(self, classes: int, depth: int) -> None:
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv = _convolution(3, 16)
        self.norm = nn.BatchNorm2d(16)
        self.stages = nn.Sequential(
            _stage(_PlainBlock, 16, 16, blocks, stride=1),
            _stage(_PlainBlock, 16, 32, blocks, stride=2),
            _stage(_PlainBlock, 32, 64, blocks, stride=2),
        )
        self.classifier = nn.Linear(64, classes)
        _draw_as_he(self)

    def forward(self, images: Tensor) -> Tensor:
        """Compute B × K logits of B × 3 × H × W images."""
        maps = self.stages(torch.relu(self.norm(self.conv(images))))
        logits: Tensor = self.classifier(maps.mean(dim=(2, 3)))
        return logits


class _PreActivationBlock(nn.Module):
    """Normalized and rectified before each of two convolutions; the sum stays as it is."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(before)
        self.conv1 = _convolution(before, after, stride)
        self.norm2 = nn.BatchNorm2d(after)
        self.conv2 = _convolution(after, after)
        self.projection: nn.Conv2d | None = None
        if before != after or stride > 1:
            self.projection = nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        ready = torch.relu(self.norm1(maps))
        kept = maps if self.projection is None else self.projection(ready)
        out: Tensor = kept + self.conv2(torch.relu(self.norm2(self.conv1(ready))))
        return out


class PreActResNet18(nn.Module):
    """ResNet-18 with pre-activation and a stem for small images, as noisy-label papers use it.

    He et al., "Identity mappings in deep residual networks", ECCV 2016, with the widths 64, 128,
    256 and 512. The normalization after the last block is the paper's; some code leaves it out.

    Args:
        classes: K.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv = _convolution(3, 64)
        self.stages = nn.Sequential(
            _stage(_PreActivationBlock, 64, 64, 2, stride=1),
            _stage(_PreActivationBlock, 64, 128, 2, stride=2),
            _stage(_PreActivationBlock, 128, 256, 2, stride=2),
            _stage(_PreActivationBlock, 256, 512, 2, stride=2),
        )
        self.norm = nn.BatchNorm2d(512)
        self.classifier = nn.Linear(512, classes)
        _draw_as_he(self)

    def forward(self, images: Tensor) -> Tensor:
        """Compute B × K logits of B × 3 × H × W images."""
        maps = torch.relu(self.norm(self.stages(self.conv(images))))
        logits: Tensor = self.classifier(maps.mean(dim=(2, 3)))
        return logits


class _RectifiedBlock(nn.Module):
    """Two convolutions, both normalized and rectified, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _rectified(channels, channels), _rectified(channels, channels)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = maps + self.second(self.first(maps))
        return out


class ResNet9(nn.Module):
    """A wide and shallow network, made to be trained fast: eight convolutions, two shortcuts.

    Page, "How to train your ResNet", 2018, whose shape records of training speed began with:
    maximum pooling in place of strides, and logits scaled by an eighth. Without its cutout, label
    smoothing and schedule, which are options of the training.

    Args:
        classes: K.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = _rectified(3, 64)
        self.stages = nn.Sequential(
            nn.Sequential(_rectified(64, 128), nn.MaxPool2d(2), _RectifiedBlock(128)),
            nn.Sequential(_rectified(128, 256), nn.MaxPool2d(2)),
            nn.Sequential(_rectified(256, 512), nn.MaxPool2d(2), _RectifiedBlock(512)),
        )
        self.classifier = nn.Linear(512, classes)
        _draw_as_he(self)

    def forward(self, images: Tensor) -> Tensor:
        """Compute B × K logits of B × 3 × H × W images."""
        maps = self.stages(self.stem(images))
        logits: Tensor = self.classifier(maps.amax(dim=(2, 3))) / 8
        return logits


def resnet34_cifar(classes: int) -> nn.Module:
    """Build ResNet-34 with a 3 × 3 stem and no pooling before the first block."""
    import torchvision  # half as long to import as torch itself

    network: nn.Module = torchvision.models.resnet34(num_classes=classes)
    network.conv1 = _convolution(3, 64)
    network.maxpool = nn.Identity()
    _draw_as_he(network)
    return network


CIFAR_NETWORKS: Mapping[str, Callable[[int], nn.Module]] = MappingProxyType(
    {
        **{f"resnet-cifar-{n}": partial(CifarResNet, depth=n) for n in (20, 32, 44, 56)},
        "preact-resnet18": PreActResNet18,
        "resnet-9": ResNet9,
        "resnet34-cifar": resnet34_cifar,
    }
)
"""Name to what builds the network for a number of classes."""


def _convolution(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, padding=1, bias=False)


def _rectified(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(_convolution(before, after), nn.BatchNorm2d(after), nn.ReLU())


def _stage(
    block: type[nn.Module], before: int, after: int, blocks: int, stride: int
) -> nn.Sequential:
    rest = (block(after, after, 1) for _ in range(blocks - 1))
    return nn.Sequential(block(before, after, stride), *rest)


def _draw_as_he(network: nn.Module) -> None:
    """Draw normal weights that keep the variance of gradients (He et al., ICCV 2015)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
