"""Fitting the LSTM to series whose labels are known to be right or wrong; the part in torch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import InputError, WorkError, progress
from adc_core.arrays import Array
from adc_plugins_detect.dynamics.lstm_network import LstmNetwork
from adc_plugins_detect.metrics.detection import rank_figures

if TYPE_CHECKING:
    from torch import Tensor, nn

LAYERS, UNITS = 2, 64
_BIAS = 0.01
_BATCH = 64
_CLIP = 1.0


class Fitted(NamedTuple):
    """A trained detector.

    Attributes:
        tensors: its weights under torch's names.
        epoch: the epoch that was kept, from 1.
        average_precision: of the wrong labels among the series held out, after that epoch.
        accuracy: share of the series held out that were judged rightly.
    """

    tensors: Mapping[str, Array]
    epoch: int
    average_precision: float
    accuracy: float


def require_torch() -> None:
    """Check that torch is there, before any long work.

    Raises:
        InputError: it is not installed.
    """
    try:
        import torch  # noqa: F401 (only whether it can be imported)
    except ImportError as error:
        raise InputError(
            "training lstm-dynamics needs torch: pip install 'adc-plugins-detect[lstm]'"
        ) from error


def fit(
    series: NDArray[np.float32],
    wrong: NDArray[np.bool_],
    held_out: NDArray[np.bool_],
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
    start: LstmNetwork | None = None,
) -> Fitted:
    """Train a detector and keep the epoch with the best average precision on what is held out.

    As in the paper two layers of 64 units are trained by AdamW on the cross-entropy of right and
    wrong; weights begin orthogonal, biases at 0.01. The paper keeps the epoch of the best accuracy,
    which favours the majority. A training whose accuracy does not exceed that
    of a constant answer is tried once more at a tenth of the learning rate, with gradients
    clipped at norm 1. It runs on one thread, so that the same seed gives the same bytes.

    Args:
        series: M × T probabilities of the given label.
        wrong: M booleans: the label is wrong.
        held_out: M booleans: judge the epochs by these series, learn from the others.
        epochs: passes over the series.
        learning_rate: of AdamW, constant.
        seed: of the weights and of the order of series.
        start: weights to go on from, instead of random ones.

    Raises:
        WorkError: the second try, too, judged no better than a constant answer.
    """
    constant = max(float(wrong[held_out].mean()), 1 - float(wrong[held_out].mean()))
    for tried, (rate, clip) in enumerate([(learning_rate, None), (learning_rate / 10, _CLIP)]):
        best: Fitted | None = None
        for fitted in _epochs(series, wrong, held_out, epochs, rate, clip, seed, start):
            if best is None or fitted.average_precision > best.average_precision:
                best = fitted
            progress(tried * epochs + fitted.epoch, (tried + 1) * epochs, "epoch")
        if best is not None and best.accuracy > constant:
            return best
    raise WorkError(
        "the detector learned nothing from these series: give learners that tell wrong labels "
        "from right ones, or a lower learning_rate"
    )


def _epochs(
    series: NDArray[np.float32],
    wrong: NDArray[np.bool_],
    held_out: NDArray[np.bool_],
    epochs: int,
    learning_rate: float,
    clip: float | None,
    seed: int,
    start: LstmNetwork | None,
) -> Iterator[Fitted]:
    """Yield the detector after each epoch of one training."""
    import torch

    inputs = torch.from_numpy(series[..., None])
    targets = torch.from_numpy(wrong.astype(np.int64))
    learned, judged = (torch.from_numpy(np.flatnonzero(rows)) for rows in (~held_out, held_out))
    with _one_seeded_thread(seed):
        network = _network(start)
        optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
        order = torch.Generator().manual_seed(seed)
        for epoch in range(1, epochs + 1):
            shuffled = learned[torch.randperm(len(learned), generator=order)]
            for first in range(0, len(shuffled), _BATCH):
                rows = shuffled[first : first + _BATCH]
                loss = torch.nn.functional.cross_entropy(
                    _logits(network, inputs[rows]), targets[rows]
                )
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                if clip is not None:
                    torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
                optimizer.step()
            with torch.inference_mode():
                margins = _logits(network, inputs[judged]).diff(dim=1)[:, 0].double().numpy()
            if not np.isfinite(margins).all():
                return
            is_wrong = wrong[held_out]
            yield Fitted(
                {name: value.numpy().copy() for name, value in network.state_dict().items()},
                epoch,
                rank_figures(is_wrong, margins).average_precision or 0.0,
                float(np.mean((margins >= 0) == is_wrong)),
            )


def _network(start: LstmNetwork | None) -> "nn.ModuleDict":
    import torch
    from torch import nn

    layers, units = (LAYERS, UNITS) if start is None else (start.layers, start.units)
    network = nn.ModuleDict(
        {"lstm": nn.LSTM(1, units, layers, batch_first=True), "linear": nn.Linear(units, 2)}
    )
    for name, values in network["lstm"].named_parameters():
        if name.startswith("bias"):
            nn.init.constant_(values, _BIAS)
        else:
            nn.init.orthogonal_(values)
    if start is not None:
        state = {name: torch.tensor(values) for name, values in start.tensors.items()}
        network.load_state_dict(state)
    return network


def _logits(network: "nn.ModuleDict", series: "Tensor") -> "Tensor":
    steps, _ = network["lstm"](series)
    logits: Tensor = network["linear"](steps[:, -1])
    return logits


@contextmanager
def _one_seeded_thread(seed: int) -> Iterator[None]:
    """Seed torch's generator and take one thread for the block; then restore both."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
