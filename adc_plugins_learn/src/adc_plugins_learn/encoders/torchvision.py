"""Features from a torchvision network: what reaches its last layer."""

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from adc_core.images import Images
from adc_core.interfaces import Encoder
from adc_core.work import progress
from adc_plugins_learn.training.backbones import build_backbone, last_layer
from adc_plugins_learn.training.devices import DeviceName, find_device
from adc_plugins_learn.training.pixels import IMAGENET_MEAN, IMAGENET_STD, to_input

_IMAGENET_CLASSES = 1000


def penultimate(network: nn.Module, images: Tensor) -> Tensor:
    """What enters a network's last layer, averaged over the picture where it has extent.

    Args:
        network: in evaluation mode.
        images: B × 3 × H × W, normalised.

    Returns:
        B × D.
    """
    caught: list[Tensor] = []

    def catch(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        caught.append(inputs[0])

    handle = last_layer(network).register_forward_pre_hook(catch)
    try:
        network(images)
    finally:
        handle.remove()
    features = caught[0]
    return features.mean(dim=(2, 3)) if features.ndim == 4 else features.flatten(1)


class TorchvisionEncoder(Encoder):
    """Encodes images with the penultimate layer of any torchvision classification network."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "resnet18", "weights": "random", "image_size": 32}]
        }
    )
    reads = ("images",)

    model: str = Field("resnet50", description="a torchvision classification model")
    weights: str = Field(
        "DEFAULT", description="an official name, the path of a weights file, or random"
    )
    image_size: int = Field(224, ge=16, description="side of the pictures given to it, in pixels")
    batch_size: int = Field(64, ge=1, description="pictures per step")
    device: DeviceName = "auto"
    seed: int = Field(0, description="draws the weights where they are random")

    def encode(self, images: Images) -> NDArray[np.float32]:
        """N × D float32 features of N images.

        Raises:
            InputError: no such model, weights or device.
            WorkError: official weights cannot be downloaded.
        """
        device = find_device(self.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = build_backbone(self.model, _IMAGENET_CLASSES, self.weights)
        network.eval().to(device)
        rows = []
        with torch.inference_mode():
            for start in range(0, len(images), self.batch_size):
                stop = min(start + self.batch_size, len(images))
                pixels = images.resized(self.image_size, np.arange(start, stop))
                batch = to_input(torch.from_numpy(pixels).to(device), IMAGENET_MEAN, IMAGENET_STD)
                rows.append(penultimate(network, batch).float().cpu().numpy())
                progress(stop, len(images), "image")
        return np.concatenate(rows)
