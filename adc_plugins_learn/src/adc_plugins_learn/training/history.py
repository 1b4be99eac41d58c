"""What a training saw: one line per epoch, and the dynamics of every sample."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from adc_core.evidence import Dynamics
from adc_core.model import Epoch

_COLUMNS = ("given_probability", "margin", "loss", "correct")


class History:
    """Training dynamics, taken from the logits of the training steps at no further pass.

    Args:
        samples: N.
        epochs: E.
    """

    def __init__(self, samples: int, epochs: int) -> None:
        self._columns = {name: torch.zeros(samples, epochs) for name in _COLUMNS}
        self._epochs: list[Epoch] = []

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epochs so far."""
        return tuple(self._epochs)

    def note(self, epoch: int, rows: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Note what one step saw.

        Args:
            epoch: from 0.
            rows: B rows of the dataset.
            logits: B × K.
            labels: B given labels.
        """
        logits = logits.float()
        given = logits.gather(1, labels[:, None])[:, 0]
        others = logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
        loss = logits.logsumexp(dim=1) - given
        where = rows.cpu()
        self._columns["given_probability"][where, epoch] = (-loss).exp().cpu()
        self._columns["margin"][where, epoch] = (given - others).cpu()
        self._columns["loss"][where, epoch] = loss.cpu()
        self._columns["correct"][where, epoch] = (given > others).float().cpu()

    def close(self, epoch: int, validation_accuracy: float | None) -> None:
        """End an epoch, counted from 0."""
        self._epochs.append(
            Epoch(
                epoch=epoch + 1,
                loss=float(self._columns["loss"][:, epoch].double().mean()),
                accuracy=float(self._columns["correct"][:, epoch].double().mean()),
                validation_accuracy=validation_accuracy,
            )
        )

    def dynamics(self) -> Dynamics:
        """The dynamics of all samples, in the dataset's order."""
        columns = {name: column.numpy() for name, column in self._columns.items()}
        epochs = next(iter(columns.values())).shape[1]
        return Dynamics(epochs=np.arange(1, epochs + 1), **columns)

    def state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {"columns": self._columns, "epochs": [epoch.model_dump() for epoch in self._epochs]}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the state of a checkpoint."""
        self._columns = {name: column.cpu() for name, column in state["columns"].items()}
        self._epochs = [Epoch(**epoch) for epoch in state["epochs"]]
