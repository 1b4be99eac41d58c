"""The transition matrix of a training: given, or estimated from the network."""

import logging
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from adc_core import Dataset, Detector, InputError, LocalPath
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import Networks, Strategy, Switch

Source = Literal["counted", "frozen", "composed", "raw"]

Corrected = Callable[[Tensor, Tensor, Tensor], Tensor]
"""B × K logits, B labels, K × K matrix to B losses."""

_ONCE = ("counted", "frozen")
"""Sources that are asked once, before the correction begins."""

_SUREST = 0.25
"""Of a class's samples, those whose labels are counted; others in benchmarks/transition.py."""

_LEAST = 10

_NEARLY_SINGULAR = 1e3

_LOG = logging.getLogger(__name__)


def estimate_transition(probabilities: Tensor, percentile: float | None = 97) -> Tensor:
    """Estimate T from anchor points: the samples that belong to a class most surely.

    Row i is the prediction for the sample whose probability of class i is largest among those
    below the column's percentile, which leaves outliers out; None leaves none out. Patrini et
    al., "Making deep neural networks robust to label noise", CVPR 2017.

    Args:
        probabilities: N × K of the given labels, in evaluation mode and without augmentation.
        percentile: 0 … 100.

    Returns:
        K × K float64; row: true class, column: given class; rows sum to one.
    """
    values = probabilities.double()
    kept = values
    if percentile is not None:
        # torch.quantile refuses more than 16 million numbers.
        place = math.ceil(percentile / 100 * (len(values) - 1))
        bounds = values.kthvalue(place + 1, dim=0).values
        kept = torch.where(values >= bounds, 0, values)
    rows = values[kept.argmax(dim=0)]
    return rows / rows.sum(dim=1, keepdim=True)


def count_transition(probabilities: Tensor, labels: Tensor, fraction: float = _SUREST) -> Tensor:
    """Estimate T by the labels given to the samples that the network is surest of, class by class.

    Where training is short or images are hard, a network is unsure even of its anchor points, and
    its probabilities there are flatter than T; which samples come first is right far earlier. A
    network that has memorized the labels is surest of samples whose labels it believes, and T
    comes out too near the identity.

    Args:
        probabilities: N × K, in evaluation mode and without augmentation.
        labels: N int64 given labels.
        fraction: so many of its labels' number are counted for each class; of small classes ten.

    Returns:
        K × K float64; row: true class, column: given class; rows sum to one.
    """
    K = probabilities.shape[1]
    sizes = torch.bincount(labels, minlength=K).tolist()
    rows = []
    for given, size in enumerate(sizes):
        count = max(1, round(fraction * size), min(size, _LEAST))
        surest = probabilities[:, given].topk(count).indices
        rows.append(torch.bincount(labels[surest], minlength=K))
    counts = torch.stack(rows).double()
    return counts / counts.sum(dim=1, keepdim=True)


class TransitionStrategy(Strategy):
    """A loss of logits, labels and the transition matrix.

    Args:
        function: B × K logits, B labels, K × K matrix to B losses.
        given: the matrix, if it is known.
        source: what it is estimated from, and how often.
        percentile: of the anchor points.
        prepare: what the function is given in place of the matrix.
    """

    def __init__(
        self,
        function: Corrected,
        given: Tensor | None,
        source: Source,
        percentile: float | None,
        prepare: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self._function, self.matrix, self._prepare = function, given, prepare
        self._known, self._source, self._percentile = given is not None, source, percentile
        self._best = -1.0

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        """Check the given matrix against the classes, and find classes without samples."""
        super().begin(sampler, epochs)
        if self.matrix is not None:
            if len(self.matrix) != sampler.n_classes:
                raise InputError(
                    f"transition has {len(self.matrix)} rows: give one for each of the "
                    f"{sampler.n_classes} classes"
                )
            self.matrix = self.matrix.to(sampler.device)
        self._absent = torch.bincount(sampler.labels, minlength=sampler.n_classes) == 0

    def end_warm_up_epoch(
        self, networks: Networks, is_last: bool, validation_accuracy: float | None
    ) -> None:
        """Estimate the matrix once, of the best epoch by noisy validation, or of the last one."""
        if self._known or self._source not in _ONCE:
            return
        best = is_last if validation_accuracy is None else validation_accuracy > self._best
        if best:
            self._best = validation_accuracy or 0.0
            self.matrix = self._estimate(networks[0])

    def begin_epoch(self, epoch: int, networks: Networks) -> None:
        """Estimate the matrix where it is estimated anew in each epoch."""
        if self.matrix is None or not (self._known or self._source in _ONCE):
            self.matrix = self._estimate(networks[0])
        self._ready = self._prepare(self.matrix) if self._prepare else self.matrix

    def _estimate(self, network: nn.Module) -> Tensor:
        noisy = self.sampler.evaluate(network).double().softmax(dim=1)
        if self._source == "counted":
            matrix = count_transition(noisy, self.sampler.labels)
        else:
            if self.matrix is not None and self._source == "composed":
                noisy = noisy @ self.matrix.double()
            matrix = estimate_transition(noisy, self._percentile)
        identity = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
        matrix = torch.where(self._absent[:, None], identity, matrix)
        _report(matrix)
        return matrix.float()

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        """Call the function with the present matrix."""
        return self._function(logits, batch.labels, self._ready)

    def state_dict(self) -> dict[str, Any]:
        """Return the matrix, and the validation accuracy of the epoch that it comes from."""
        return {"matrix": self.matrix, "best": self._best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.matrix, self._best = state["matrix"], state["best"]


def _report(matrix: Tensor) -> None:
    """Log how much noise a matrix says there is; warn of one that tells classes hardly apart."""
    diagonal, condition = float(matrix.diagonal().mean()), float(torch.linalg.cond(matrix))
    _LOG.info("transition: mean diagonal %.3f, condition %.3g", diagonal, condition)
    if not condition < _NEARLY_SINGULAR:
        warnings.warn(
            f"the estimated transition matrix is nearly singular (mean diagonal {diagonal:.2f}, "
            f"condition {condition:.0e}): give transition, or use source: counted",
            stacklevel=2,
        )


class _WarmedUp(Switch):
    """Cross-entropy, at whose end the matrix is estimated, then the corrected loss."""

    then: TransitionStrategy

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        if self.start == 0 and self.then.matrix is None:
            raise InputError(
                "without an epoch of cross-entropy there is no network to estimate the transition "
                "matrix by: give transition, or raise warm_up or epochs"
            )

    def end_epoch(self, epoch: int, networks: Networks, validation_accuracy: float | None) -> None:
        if epoch < self.start:
            is_last = epoch == self.start - 1
            self.then.end_warm_up_epoch(networks, is_last, validation_accuracy)


class TransitionLearner(NetworkLearner):
    """Trains by cross-entropy, then by a loss that knows how labels go wrong.

    The matrix is `transition`, or estimated once, when the warm-up ends: `counted` from the
    labels of the samples that the network is surest of, `frozen` from its probabilities at anchor
    points. With a validation set it is that of the warm-up's best epoch. A corrected network
    no longer predicts given labels but true ones, so estimating again in each epoch from it
    (`raw`, as the ADC paper does) drives the matrix to the identity and undoes the correction;
    `composed` multiplies by the matrix before, which on real images flattens it from epoch to
    epoch.
    """

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({"warm_up": 0.5, "source": "raw"})

    warm_up: float = Field(
        default=0.5, ge=0, le=1, description="part of the epochs by cross-entropy, first"
    )
    transition: tuple[tuple[float, ...], ...] | Detector | LocalPath | None = Field(
        default=None,
        description="K × K, row: true class, column: given class; or its .npy or .csv file; or a "
        "detector that estimates it, such as {use: simifeat}; without it estimated by the network",
    )
    source: Source = Field(
        default="counted",
        description="estimate once, by labels of the surest samples or by anchor points (frozen); "
        "or anew in each epoch, from given labels again (composed) or from the raw network",
    )
    percentile: float | None = Field(
        default=97, ge=0, le=100, description="anchor points are below it; none for many classes"
    )

    @model_validator(mode="after")
    def _check_transition(self) -> Self:
        if isinstance(self.transition, tuple):
            _require_stochastic(self.transition, "transition")
        return self

    def corrected(
        self,
        dataset: Dataset,
        function: Corrected,
        prepare: Callable[[Tensor], Tensor] | None = None,
    ) -> Switch:
        """Return cross-entropy, then a function of logits, labels and matrix.

        Raises:
            InputError: the detector or the file gives no matrix.
        """
        given = self._given(dataset)
        strategy = TransitionStrategy(function, given, self.source, self.percentile, prepare)
        return _WarmedUp(strategy, self.warm_up)

    def _given(self, dataset: Dataset) -> Tensor | None:
        if self.transition is None:
            return None
        if isinstance(self.transition, Detector):
            estimated = self.transition.detect(dataset).transition
            if estimated is None:
                raise InputError(
                    f"{self.transition.name} estimates no transition matrix: use a detector that "
                    "does, such as simifeat or confident-learning"
                )
            return torch.tensor(estimated, dtype=torch.float32)
        if isinstance(self.transition, Path):
            return torch.tensor(_read_matrix(self.transition), dtype=torch.float32)
        return torch.tensor(self.transition)


def _read_matrix(path: Path) -> "np.ndarray[Any, np.dtype[np.float64]]":
    try:
        if path.suffix == ".npy":
            matrix = np.load(path, allow_pickle=False)
        else:
            matrix = np.loadtxt(path, delimiter=",", ndmin=2)
        rows = np.asarray(matrix, dtype=np.float64)
    except (OSError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise InputError(
            f"{path} is no matrix ({reason}): give a .npy file, or a .csv file of numbers alone"
        ) from error
    _require_stochastic(rows.tolist(), str(path))
    return rows


def _require_stochastic(rows: Any, what: str) -> None:
    if not all(
        isinstance(row, list | tuple)
        and len(row) == len(rows)
        and min(row) >= 0
        and abs(sum(row) - 1) < 1e-6
        for row in rows
    ):
        raise InputError(f"{what} must be square, without negative numbers, and each row sum to 1")
