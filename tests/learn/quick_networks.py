"""Networks that cost a tenth of the smallest of our own, for tests of what is not a network's."""

from torch import nn


def quick_cnn(outputs: int) -> nn.Module:
    """Build one convolution and, on its map of one pixel, a BatchNorm before the last layer."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.BatchNorm1d(16),
        nn.Linear(16, outputs),
    )


def quick_dropout(outputs: int) -> nn.Module:
    """Build the same with a dropout, which draws from torch's global generator."""
    return quick_cnn(outputs).insert(-1, nn.Dropout(0.2))


def quick_mlp(outputs: int) -> nn.Module:
    """Build a layer that is wide enough to memorize some hundred images of 8 × 8."""
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 256), nn.ReLU(), nn.Linear(256, outputs))
