"""Features from a torchvision network: what reaches its last layer."""

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from adc_core.images import Images
from adc_core.interfaces import Encoder
from adc_core.work import progress
from adc_plugins_learn.training.backbones import build_backbone, last_layer, require_image_size
from adc_plugins_learn.training.devices import DeviceName, find_device, memory_faults, seeded
from adc_plugins_learn.training.pixels import IMAGENET_MEAN, IMAGENET_STD, to_input
from adc_plugins_learn.training.recipe import Weights

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
    weights: Weights = Field(
        "DEFAULT", description="an official name, the path of a weights file, or random"
    )
    image_size: int = Field(224, ge=16, description="side of the pictures given to it, in pixels")
    batch_size: int = Field(64, ge=1, description="pictures per step")
    device: DeviceName = "auto"
    seed: int = Field(0, ge=0, lt=2**63, description="draws the weights where they are random")

    def encode(self, images: Images) -> NDArray[np.float32]:
        """N × D float32 features of N images.

        Raises:
            InputError: no such model, weights or device, or pictures that the network cannot take.
            WorkError: official weights cannot be downloaded, or memory runs out.
        """
        device = find_device(self.device)
        with memory_faults(self.batch_size), torch.inference_mode():
            with seeded(self.seed):
                network = build_backbone(self.model, _IMAGENET_CLASSES, str(self.weights))
            require_image_size(network, self.model, self.image_size)
            network.eval().to(device)
            features = []
            for start in range(0, len(images), self.batch_size):
                stop = min(start + self.batch_size, len(images))
                pixels = images.resized(self.image_size, np.arange(start, stop))
                batch = to_input(torch.from_numpy(pixels).to(device), IMAGENET_MEAN, IMAGENET_STD)
                features.append(penultimate(network, batch).float().cpu().numpy())
                progress(stop, len(images), "image")
        return np.concatenate(features)
