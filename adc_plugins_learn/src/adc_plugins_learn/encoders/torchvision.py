"""Features from a torchvision network: what reaches its last layer."""

from pathlib import Path

import torch
import torchvision
from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torchvision import transforms

from adc_core import InputError
from adc_core.components import Download
from adc_core.errors import unknown_name
from adc_plugins_learn.encoding.network_encoder import FrozenNetwork, NetworkEncoder
from adc_plugins_learn.training.networks.backbones import build_backbone, last_layer
from adc_plugins_learn.training.networks.torchvision import torchvision_models
from adc_plugins_learn.training.networks.weights import DEFAULT, Weights

_IMAGENET_CLASSES = 1000


def penultimate(network: nn.Module, images: Tensor) -> Tensor:
    """Compute what enters a network's last layer, averaged over positions where it has any.

    Args:
        network: in evaluation mode.
        images: B × 3 × H × W, normalized.

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


class _Penultimate(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return penultimate(self.network, images)


class TorchvisionEncoder(NetworkEncoder):
    """Encodes images with the penultimate layer of any torchvision classification network."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "resnet18", "weights": "random", "image_size": 32}]
        }
    )

    model: str = Field(default="resnet50", description="a torchvision classification model")
    weights: Weights = Field(
        default=DEFAULT, description="an official name, the path of a weights file, or random"
    )

    def missing_weights(self) -> Download | None:
        """Return the official weights that are not in torch's cache yet."""
        weights = str(self.weights)
        if self.model not in torchvision_models():
            raise InputError(unknown_name("torchvision model", self.model, torchvision_models()))
        official = torchvision.models.get_model_weights(self.model)
        if weights not in official.__members__:
            return None
        about = official[weights]
        path = Path(torch.hub.get_dir(), "checkpoints", about.url.rpartition("/")[2])
        return None if path.is_file() else Download(about.url, path, about.meta.get("_file_size"))

    def open_network(self) -> tuple[str, FrozenNetwork]:
        """Build the network with torchvision, with the transform that its weights expect."""
        weights = str(self.weights)
        if self.model not in torchvision_models():
            raise InputError(unknown_name("torchvision model", self.model, torchvision_models()))
        network = _Penultimate(build_backbone(self.model, _IMAGENET_CLASSES, weights))
        official = torchvision.models.get_model_weights(self.model)
        known = weights if weights in official.__members__ else DEFAULT
        about = official[known].transforms()
        size, before = about.crop_size[0], about.resize_size[0]
        if self.image_size != "auto":
            size = before = self.image_size
        prepare = transforms.Compose(
            [
                transforms.Resize(before, about.interpolation),
                transforms.CenterCrop(size),
                transforms.ToTensor(),
                transforms.Normalize(about.mean, about.std),
            ]
        )
        return self.model, FrozenNetwork.of(network, size, prepare)
