"""A trained network as a model: it predicts, and is saved as safetensors and JSON."""

import json
from collections.abc import Iterator
from copy import copy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from adc_core import Dataset, Dynamics, Epoch, Images, InputError, Model, Predictions, WorkError
from adc_core.arrays import save_array
from adc_core.components import ResultFault
from adc_core.storage import (
    atomic_folder,
    load_array,
    refuse_existing,
    verify_checksums,
    write_checksums,
    write_json,
)
from adc_plugins_learn.training.data.normalize import to_input
from adc_plugins_learn.training.hardware.devices import seeded
from adc_plugins_learn.training.networks.architecture import (
    Architecture,
    build_network,
    combined,
    members_of,
)
from adc_plugins_learn.training.networks.calibration import fit_temperature
from adc_plugins_learn.training.networks.heads import Output
from adc_plugins_learn.training.networks.onnx import export_onnx

_BATCH = 256
_FORMAT = 1
_SAVED_NAMES = {"combine": "vote"}
"""Fields of an architecture that have another name in a saved model."""


class NetworkModel(Model):
    """A trained network.

    Attributes:
        network: in evaluation mode; `network.state_dict()` holds its weights by name.
        architecture: what it is and what it is fed.
        shift: K numbers that are added to its logits, if any.
        temperature: what these are divided by before they become probabilities.
    """

    def __init__(
        self,
        network: nn.Module,
        architecture: Architecture,
        classes: tuple[str, ...],
        history: tuple[Epoch, ...] = (),
        dynamics: Dynamics | None = None,
        temperature: float = 1.0,
        shift: tuple[float, ...] | None = None,
    ) -> None:
        self.network = network.eval()
        self.architecture = architecture
        self.classes = classes
        self.history = history
        self.dynamics = dynamics
        self.temperature, self.shift = temperature, shift

    def predict(self, images: Images) -> Predictions:
        """Predict class probabilities of images, in their order.

        Raises:
            WorkError: the network's outputs overflow.
        """
        values = np.empty((len(images), len(self.classes)), np.float32)
        for places, logits in self._in_batches(images):
            values[places] = (logits / self.temperature).softmax(dim=1).cpu().numpy()
        _require_finite(values)
        return Predictions(probabilities=values, classes=self.classes)

    def calibrated(self, validation: Dataset) -> Self:
        """Fit a temperature that makes the model as confident as it is right (Guo et al. 2017).

        No prediction of a class changes. The network is shared.

        Args:
            validation: samples that it was not trained on, with labels that are right.

        Raises:
            InputError: they have no images, or other classes.
            WorkError: the network's outputs overflow.
        """
        if validation.images is None:
            raise InputError("a calibration needs images: give a dataset that has them")
        if validation.classes != self.classes:
            raise InputError(
                f"the validation set has the classes {', '.join(validation.classes)}, "
                f"the model {', '.join(self.classes)}: give both the same"
            )
        model = copy(self)
        model.temperature = fit_temperature(self.logits(validation.images), validation.labels)
        return model

    def shifted(self, shift: NDArray[np.float64]) -> Self:
        """Add K numbers to the logits; the network is shared.

        Raises:
            ResultFault: they are not K finite numbers.
        """
        if shift.shape != (len(self.classes),) or not np.isfinite(shift).all():
            raise ResultFault(
                f"a shift of logits is {len(self.classes)} finite numbers, got {shift!r}"
            )
        model = copy(self)
        model.shift = tuple(float(number) for number in shift)
        return model

    def accuracies(
        self, images: Images, labels: NDArray[np.int64]
    ) -> tuple[float, tuple[float, ...]]:
        """Compute the part of labels that is predicted, and of several networks that of each.

        Args:
            images: N.
            labels: N class indices.

        Returns:
            That of all together, shifted if they are; and of each by itself, as it is.

        Raises:
            WorkError: a network's outputs overflow.
        """

        def right(logits: NDArray[np.float32]) -> float:
            return float((logits.argmax(axis=1) == labels).mean())

        networks = members_of(self.network)
        if len(networks) == 1:
            return right(self.logits(images)), ()
        alone = replace(self.architecture, members=1)
        each = [type(self)(network, alone, self.classes).logits(images) for network in networks]
        # Not by the ensemble, which would pass all images through each network again.
        tensors = [torch.from_numpy(logits) for logits in each]
        together = combined(tensors, self.architecture.combine).numpy()
        if self.shift is not None:
            together = together + np.asarray(self.shift, np.float32)
        return right(together), tuple(map(right, each))

    def logits(self, images: Images) -> NDArray[np.float32]:
        """Compute N × K logits of images, in their order, shifted if they are.

        Raises:
            WorkError: the network's outputs overflow.
        """
        logits = np.empty((len(images), len(self.classes)), np.float32)
        for places, values in self._in_batches(images):
            logits[places] = values.cpu().numpy()
        _require_finite(logits)
        return logits

    def export_onnx(self, path: Path) -> None:
        """Write one ONNX file, from pixels to probabilities; see `onnx_file.export_onnx`.

        Raises:
            InputError: the packages for it are missing.
            WorkError: ONNX has no counterpart for the network, or the file cannot be written.
        """
        about = self.architecture
        export_onnx(
            self.network,
            about.image_size,
            about.mean,
            about.std,
            self.temperature,
            self.shift,
            self.classes,
            path,
        )

    @torch.inference_mode()
    def _in_batches(self, images: Images) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """Yield rows, and their B × K float32 logits, shifted if they are."""
        device = next(self.network.parameters()).device
        about = self.architecture
        shift = None if self.shift is None else torch.tensor(self.shift, device=device)
        for start in range(0, len(images), _BATCH):
            places = np.arange(start, min(start + _BATCH, len(images)))
            pixels = images.resized(about.image_size, places)
            batch = to_input(torch.from_numpy(pixels).to(device), about.mean, about.std)
            logits = self.network(batch).float()
            yield places, logits if shift is None else logits + shift

    def save(self, folder: Path) -> None:
        """Write a new folder, whole or not at all: safetensors, JSON, the dynamics and their sums.

        Raises:
            InputError: the folder exists and is not empty.
            WorkError: it cannot be written.
        """
        refuse_existing(folder)
        with atomic_folder(folder, folder.with_name(f".{folder.name}.part")) as part:
            self._write(part)
            write_checksums(part)

    def _write(self, folder: Path) -> None:
        state = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        (folder / "weights.safetensors").write_bytes(save(state))
        described = {
            "format": _FORMAT,
            "architecture": {
                _SAVED_NAMES.get(name, name): value
                for name, value in asdict(self.architecture).items()
            },
            "classes": list(self.classes),
            "temperature": self.temperature,
            **({} if self.shift is None else {"shift": list(self.shift)}),
            "history": [epoch.model_dump(mode="json") for epoch in self.history],
        }
        write_json(folder / "model.json", described)
        if self.dynamics is not None:
            for name in ("epochs", *self.dynamics.columns):
                save_array(getattr(self.dynamics, name), folder / f"dynamics.{name}.npy")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a saved model, onto the CPU; nothing in the folder is executed.

        Raises:
            WorkError: a file is missing or damaged, or it is not a model of this version.
        """
        verify_checksums(folder)
        try:
            described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            if described["format"] != _FORMAT:
                raise ValueError(f"its format is {described['format']}, not {_FORMAT}")
            architecture = _architecture(described["architecture"])
            classes = tuple(described["classes"])
            network = _network(architecture, len(classes), folder / "weights.safetensors")
            temperature = float(described["temperature"])
            shift = _shift(described.get("shift"), len(classes))
            history = tuple(Epoch(**epoch) for epoch in described["history"])
            dynamics = _dynamics(folder)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise WorkError(
                f"{folder} does not hold a model of this version ({error}): train it again"
            ) from error
        return cls(network, architecture, classes, history, dynamics, temperature, shift)


def _require_finite(values: NDArray[np.float32]) -> None:
    if not np.isfinite(values).all():
        raise WorkError("the network's outputs overflow: train it with a lower learning_rate")


def _shift(numbers: list[float] | None, classes: int) -> tuple[float, ...] | None:
    if numbers is not None and len(numbers) != classes:
        raise ValueError(f"it shifts {len(numbers)} logits of {classes} classes")
    return None if numbers is None else tuple(float(number) for number in numbers)


def _architecture(about: dict[str, Any]) -> Architecture:
    mean, std, output = tuple(about["mean"]), tuple(about["std"]), Output(**about["output"])
    own_names = {saved: own for own, saved in _SAVED_NAMES.items()}
    fields = {own_names.get(name, name): value for name, value in about.items()}
    return Architecture(**fields | {"mean": mean, "std": std, "output": output})


def _network(architecture: Architecture, classes: int, path: Path) -> nn.Module:
    with seeded(0):
        network = build_network(architecture, classes)
    own, stored = network.state_dict(), load(path.read_bytes())
    if {name: value.shape for name, value in own.items()} != {
        name: value.shape for name, value in stored.items()
    }:
        raise ValueError(f"{path.name} does not fit a {architecture.backbone} of {classes} classes")
    own.update(stored)
    network.load_state_dict(own)
    return network


def _dynamics(folder: Path) -> Dynamics | None:
    files = {name: folder / f"dynamics.{name}.npy" for name in Dynamics.model_fields}
    found = {name: load_array(path) for name, path in files.items() if path.exists()}
    return Dynamics(**found) if found else None
