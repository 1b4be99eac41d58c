"""A trained network as a model: it predicts, and is saved as safetensors and JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from adc_core.dataset_files import load_array
from adc_core.errors import WorkError
from adc_core.evidence import Dynamics
from adc_core.fingerprint import save_array
from adc_core.images import Images
from adc_core.model import Epoch, Model, Predictions
from adc_core.seal import new_folder, refuse_existing, seal, unseal
from adc_plugins_learn.training.backbones import build_backbone
from adc_plugins_learn.training.devices import seeded
from adc_plugins_learn.training.pixels import Channels, to_input

_BATCH = 256
_FORMAT = 1


@dataclass(frozen=True)
class Architecture:
    """What is needed to build a network and feed it.

    Attributes:
        backbone: its name.
        image_size: side of its pictures, in pixels.
        mean: of each channel, in 0 … 1.
        std: of each channel, in 0 … 1.
    """

    backbone: str
    image_size: int
    mean: Channels
    std: Channels


class NetworkModel(Model):
    """A trained network."""

    def __init__(
        self,
        network: nn.Module,
        architecture: Architecture,
        classes: tuple[str, ...],
        history: tuple[Epoch, ...] = (),
        dynamics: Dynamics | None = None,
    ) -> None:
        self.network = network.eval()
        self.architecture = architecture
        self.classes = classes
        self.history = history
        self.dynamics = dynamics

    def predict(self, images: Images) -> Predictions:
        """Class probabilities of images, in their order.

        Raises:
            WorkError: the network's outputs overflow.
        """
        device = next(self.network.parameters()).device
        mean, std = self.architecture.mean, self.architecture.std
        probabilities = np.empty((len(images), len(self.classes)), np.float32)
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                places = np.arange(start, min(start + _BATCH, len(images)))
                pixels = images.resized(self.architecture.image_size, places)
                batch = to_input(torch.from_numpy(pixels).to(device), mean, std)
                probabilities[places] = self.network(batch).float().softmax(dim=1).cpu().numpy()
        if not np.isfinite(probabilities).all():
            raise WorkError("the network's outputs overflow: train it with a lower learning_rate")
        return Predictions(probabilities=probabilities, classes=self.classes)

    def save(self, folder: Path) -> None:
        """Write a new folder, whole or not at all: safetensors, JSON, the dynamics and their sums.

        Raises:
            InputError: the folder exists and is not empty.
            WorkError: it cannot be written.
        """
        refuse_existing(folder)
        with new_folder(folder, folder.with_name(f".{folder.name}.part")) as part:
            self._write(part)
            seal(part)

    def _write(self, folder: Path) -> None:
        state = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        (folder / "weights.safetensors").write_bytes(save(state))
        described = {
            "format": _FORMAT,
            "architecture": vars(self.architecture),
            "classes": list(self.classes),
            "history": [epoch.model_dump(mode="json") for epoch in self.history],
        }
        text = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
        (folder / "model.json").write_text(text, encoding="utf-8")
        if self.dynamics is not None:
            for name in Dynamics.model_fields:
                save_array(getattr(self.dynamics, name), folder / f"dynamics.{name}.npy")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a saved model, onto the CPU; nothing in the folder is executed.

        Raises:
            WorkError: a file is missing or damaged, or it is not a model of this version.
        """
        unseal(folder)
        try:
            described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            if described["format"] != _FORMAT:
                raise ValueError(f"its format is {described['format']}, not {_FORMAT}")
            about = described["architecture"]
            architecture = Architecture(
                about["backbone"], about["image_size"], tuple(about["mean"]), tuple(about["std"])
            )
            classes = tuple(described["classes"])
            network = _network(architecture.backbone, len(classes), folder / "weights.safetensors")
            history = tuple(Epoch(**epoch) for epoch in described["history"])
            dynamics = _dynamics(folder)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise WorkError(
                f"{folder} does not hold a model of this version ({error}): train it again"
            ) from error
        return cls(network, architecture, classes, history, dynamics)


def _network(backbone: str, classes: int, path: Path) -> nn.Module:
    with seeded(0):
        network = build_backbone(backbone, classes)
    own, stored = network.state_dict(), load(path.read_bytes())
    if {name: value.shape for name, value in own.items()} != {
        name: value.shape for name, value in stored.items()
    }:
        raise ValueError(f"{path.name} does not fit a {backbone} of {classes} classes")
    own.update(stored)
    network.load_state_dict(own)
    return network


def _dynamics(folder: Path) -> Dynamics | None:
    if not (folder / "dynamics.epochs.npy").exists():
        return None
    names = Dynamics.model_fields
    return Dynamics(**{name: load_array(folder / f"dynamics.{name}.npy") for name in names})
