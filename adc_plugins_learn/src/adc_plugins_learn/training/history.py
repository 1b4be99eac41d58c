"""Record of a training: one line per epoch, and the dynamics of every sample."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adc_core import Dynamics, Epoch

_LARGEST = torch.finfo(torch.float16).max
_COLUMNS = ("given_probability", "margin", "loss", "correct")


class History:
    """Training dynamics, from the logits of the training steps, without a further pass.

    Args:
        samples: N.
        epochs: E.
        classes: K.
        keep_logits: whether they are kept, too.
        device: where the logits are.
    """

    def __init__(
        self,
        samples: int,
        epochs: int,
        classes: int,
        *,
        keep_logits: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self._device = device
        self._columns, self._classes = torch.zeros(len(_COLUMNS), samples, epochs), classes
        self._logits = None
        if keep_logits:
            self._logits = torch.zeros(samples, epochs, classes, dtype=torch.float16)
        self._epochs: list[Epoch] = []

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """Epochs that have ended."""
        return tuple(self._epochs)

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch, counted from 0: what it does not see stays as it was, at first unknown.

        A sampler may leave samples out of an epoch; of what was never seen, all classes count as
        equally likely. Until the epoch ends, what is seen stays on the device: a copy of every
        step would make a GPU wait.
        """
        if epoch:
            columns = self._columns[:, :, epoch - 1]
        else:
            guess = torch.tensor([1 / self._classes, 0, math.log(self._classes), 0])
            columns = guess[:, None].expand(-1, self._columns.shape[1])
        self._seen = columns.to(self._device, copy=True)
        if self._logits is not None:
            self._seen_logits = self._logits[:, max(0, epoch - 1)].to(self._device, copy=True)

    def record(self, rows: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Record what one step saw.

        Args:
            rows: B rows of the dataset.
            logits: B × K.
            labels: B given labels.
        """
        logits = logits.float()
        given = logits.gather(1, labels[:, None])[:, 0]
        others = logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
        loss = logits.logsumexp(dim=1) - given
        correct = (logits.argmax(dim=1) == labels).float()
        self._seen[:, rows] = torch.stack([(-loss).exp(), given - others, loss, correct])
        if self._logits is not None:
            self._seen_logits[rows] = logits.clamp(-_LARGEST, _LARGEST).half()

    def end_epoch(
        self,
        epoch: int,
        validation_accuracy: float | None,
        member_accuracies: tuple[float, ...] = (),
    ) -> None:
        """End an epoch, counted from 0."""
        self._columns[:, :, epoch] = self._seen.cpu()
        if self._logits is not None:
            self._logits[:, epoch] = self._seen_logits.cpu()
        means = dict(zip(_COLUMNS, self._columns[:, :, epoch].double().mean(dim=1), strict=True))
        self._epochs.append(
            Epoch(
                epoch=epoch + 1,
                loss=float(means["loss"]),
                accuracy=float(means["correct"]),
                validation_accuracy=validation_accuracy,
                member_accuracies=member_accuracies,
            )
        )

    def dynamics(self) -> Dynamics:
        """Return the dynamics of all samples, in the dataset's order."""
        columns = dict(zip(_COLUMNS, self._columns.numpy(), strict=True))
        if self._logits is not None:
            columns["logits"] = self._logits.numpy()
        return Dynamics(epochs=np.arange(1, self._columns.shape[2] + 1), **columns)

    def state_dict(self) -> dict[str, Any]:
        """Return all of it, for a checkpoint."""
        epochs = [epoch.model_dump() for epoch in self._epochs]
        return {"columns": self._columns, "logits": self._logits, "epochs": epochs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self._columns = state["columns"].cpu()
        self._logits = None if state["logits"] is None else state["logits"].cpu()
        self._epochs = [Epoch(**epoch) for epoch in state["epochs"]]
