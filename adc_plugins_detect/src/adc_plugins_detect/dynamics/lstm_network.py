"""The small LSTM that reads training dynamics: its weights file, and its forward pass in numpy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from adc_core import InputError
from adc_core.arrays import Array
from adc_core.storage import atomic_file, translate_os_errors

FORMAT = 1
_KEY = "adc lstm-dynamics"  # one key: the order of several is not kept by safetensors
_PER_LAYER = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(frozen=True)
class LstmNetwork:
    """A trained detector.

    Attributes:
        tensors: weights under torch's names: those of an `nn.LSTM` behind `lstm.`, of an
            `nn.Linear` of two outputs, right and wrong, behind `linear.`.
        length: how many steps the series have that it was trained on.
        facts: how it was made, as JSON holds it.
    """

    tensors: Mapping[str, Array]
    length: int
    facts: Mapping[str, Any]

    @property
    def layers(self) -> int:
        """How many LSTM layers are stacked."""
        return sum(name.startswith("lstm.weight_ih") for name in self.tensors)

    @property
    def units(self) -> int:
        """How many units each layer has."""
        return int(self.tensors["lstm.weight_hh_l0"].shape[1])

    def logits(self, series: Array) -> Array:
        """Return the output of the top layer's last step for each series.

        Args:
            series: N × T probabilities of the given label, of the precision to compute in.

        Returns:
            N × 2 logits: the label is right, the label is wrong.
        """
        weights = {
            name: values.astype(series.dtype, copy=False) for name, values in self.tensors.items()
        }
        hidden = np.zeros((self.layers, len(series), self.units), series.dtype)
        cell = np.zeros_like(hidden)
        for step in range(series.shape[1]):
            values = series[:, step, None]
            for k in range(self.layers):
                w_in, w_hidden, b_in, b_hidden = (weights[f"lstm.{p}_l{k}"] for p in _PER_LAYER)
                gates = values @ w_in.T + hidden[k] @ w_hidden.T + (b_in + b_hidden)
                enter, keep, new, leave = np.split(gates, 4, axis=1)
                cell[k] = _sigmoid(keep) * cell[k] + _sigmoid(enter) * np.tanh(new)
                values = hidden[k] = _sigmoid(leave) * np.tanh(cell[k])
        logits: Array = values @ weights["linear.weight"].T + weights["linear.bias"]
        return logits

    def suspicion(self, series: Array) -> Array:
        """Return N probabilities that the label is wrong, of N × T series."""
        logits = self.logits(series)
        return _sigmoid(logits[:, 1] - logits[:, 0])


def read_network(path: Path) -> LstmNetwork:
    """Read a weights file; nothing in it is executed.

    Raises:
        InputError: it is missing, damaged, of another format or of another kind of network.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist: give a file of adc train-lstm-dynamics")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if _KEY not in metadata:
                raise ValueError("it does not say how it was made")
            facts = json.loads(metadata[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']}, not {FORMAT}")
        network = LstmNetwork(tensors, int(facts["length"]), facts)
        _check(network)
    except (SafetensorError, ValueError, KeyError, TypeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} holds no weights of lstm-dynamics ({reason}): "
            "give a file of adc train-lstm-dynamics"
        ) from error
    return network


def write_network(network: LstmNetwork, path: Path) -> None:
    """Write a weights file, whole or not at all; the same network gives the same bytes.

    Raises:
        WorkError: it cannot be written.
    """
    described = {"format": FORMAT, "length": network.length, **network.facts}
    content = save(
        {name: np.ascontiguousarray(values) for name, values in network.tensors.items()},
        metadata={_KEY: json.dumps(described, ensure_ascii=False)},
    )
    with translate_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as part:
        part.write_bytes(content)


def _check(network: LstmNetwork) -> None:
    """Refuse tensors that are not those of an LSTM that reads one number per step."""
    found = {name: values.shape for name, values in network.tensors.items()}
    units = network.units
    expected = {"linear.weight": (2, units), "linear.bias": (2,)}
    for k in range(network.layers):
        shapes = ((4 * units, units if k else 1), (4 * units, units), (4 * units,), (4 * units,))
        expected |= {f"lstm.{name}_l{k}": s for name, s in zip(_PER_LAYER, shapes, strict=True)}
    if found != expected:
        name = min(name for name, _ in found.items() ^ expected.items())
        raise ValueError(f"{name} is {found.get(name)}, expected {expected.get(name)}")
    for name, values in network.tensors.items():
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            raise ValueError(f"{name} is not finite")
    if network.length < 1:
        raise ValueError(f"its length is {network.length}")


def _sigmoid(values: Array) -> Array:
    """Compute 1 / (1 + exp(-x)), in a form that cannot overflow."""
    half: Array = np.tanh(values / 2)
    return (half + 1) / 2
