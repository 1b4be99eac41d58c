"""A trained network as a model: it predicts, and is saved as safetensors and JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from adc_core.dataset_files import load_array
from adc_core.errors import WorkError
from adc_core.evidence import Dynamics
from adc_core.fingerprint import save_array
from adc_core.images import Images
from adc_core.model import Epoch, Model, Predictions
from adc_plugins_learn.training.backbones import build_backbone
from adc_plugins_learn.training.pixels import Channels, to_input

_BATCH = 256


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
        """Class probabilities of images, in their order."""
        device = next(self.network.parameters()).device
        mean, std = self.architecture.mean, self.architecture.std
        rows = []
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                places = np.arange(start, min(start + _BATCH, len(images)))
                pixels = images.resized(self.architecture.image_size, places)
                batch = to_input(torch.from_numpy(pixels).to(device), mean, std)
                rows.append(self.network(batch).float().softmax(dim=1).cpu().numpy())
        return Predictions(probabilities=np.concatenate(rows), classes=self.classes)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, `model.json` and the training dynamics."""
        folder.mkdir(parents=True)
        state = {
            name: value.cpu().contiguous() for name, value in self.network.state_dict().items()
        }
        save_file(state, folder / "weights.safetensors")
        described = {
            "format": 1,
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
        """Read a saved model; nothing in the folder is executed.

        Raises:
            WorkError: the folder does not hold a model of this version.
        """
        try:
            described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            about = described["architecture"]
            architecture = Architecture(
                about["backbone"], about["image_size"], tuple(about["mean"]), tuple(about["std"])
            )
            classes = tuple(described["classes"])
            network = build_backbone(architecture.backbone, len(classes))
            network.load_state_dict(load_file(folder / "weights.safetensors"))
            history = tuple(Epoch(**epoch) for epoch in described["history"])
            dynamics = _dynamics(folder)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise WorkError(f"{folder} does not hold a model of this version: {reason}") from error
        return cls(network, architecture, classes, history, dynamics)


def _dynamics(folder: Path) -> Dynamics | None:
    if not (folder / "dynamics.epochs.npy").exists():
        return None
    names = Dynamics.model_fields
    return Dynamics(**{name: load_array(folder / f"dynamics.{name}.npy") for name in names})
