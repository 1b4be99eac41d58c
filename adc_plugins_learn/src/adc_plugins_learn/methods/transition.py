"""The transition matrix of a training: given, or estimated from the network at epochs' starts."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from adc_core import InputError
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import Networks, Strategy, Switch

Source = Literal["frozen", "composed", "raw"]

Corrected = Callable[[Tensor, Tensor, Tensor], Tensor]
"""B × K logits, B labels, K × K matrix to B losses."""


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

    def begin_epoch(self, epoch: int, networks: Networks) -> None:
        """Estimate the matrix, if it is to be estimated now."""
        if self.matrix is None or not (self._known or self._source == "frozen"):
            self.matrix = self._estimate(networks[0])
        self._ready = self._prepare(self.matrix) if self._prepare else self.matrix

    def _estimate(self, network: nn.Module) -> Tensor:
        noisy = self.sampler.evaluate(network).double().softmax(dim=1)
        if self.matrix is not None and self._source == "composed":
            noisy = noisy @ self.matrix.double()
        matrix = estimate_transition(noisy, self._percentile)
        identity = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
        return torch.where(self._absent[:, None], identity, matrix).float()

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        """Call the function with the present matrix."""
        return self._function(logits, batch.labels, self._ready)

    def state_dict(self) -> dict[str, Any]:
        """Return the matrix."""
        return {"matrix": self.matrix}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the matrix."""
        self.matrix = state["matrix"]


class TransitionLearner(NetworkLearner):
    """Trains by cross-entropy, then by a loss that knows how labels go wrong.

    The matrix is `transition`, or estimated from anchor points at the start of epochs after the
    warm-up. A corrected network no longer predicts given labels but true ones, so estimating
    again from it (`raw`, as the ADC paper does) drives the matrix to the identity and undoes the
    correction. `composed` multiplies by the matrix before, and so estimates from given labels
    again; `frozen` keeps the first estimate.
    """

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({"warm_up": 0.5, "source": "raw"})

    warm_up: float = Field(
        0.5, ge=0, le=1, description="part of the epochs by cross-entropy, first"
    )
    transition: tuple[tuple[float, ...], ...] | None = Field(
        None, description="K × K, row: true class, column: given class; without it estimated"
    )
    source: Source = Field(
        "composed", description="estimate once, from given labels again, or from the raw network"
    )
    percentile: float | None = Field(
        97, ge=0, le=100, description="anchor points are below it; none for many classes"
    )

    @model_validator(mode="after")
    def _check_transition(self) -> Self:
        rows = self.transition
        if rows is not None and not all(
            len(row) == len(rows) and min(row) >= 0 and abs(sum(row) - 1) < 1e-6 for row in rows
        ):
            raise InputError(
                "transition must be square, without negative numbers, and each row sum to 1"
            )
        return self

    def corrected(
        self, function: Corrected, prepare: Callable[[Tensor], Tensor] | None = None
    ) -> Switch:
        """Return cross-entropy, then a function of logits, labels and matrix."""
        given = None if self.transition is None else torch.tensor(self.transition)
        strategy = TransitionStrategy(function, given, self.source, self.percentile, prepare)
        return Switch(strategy, self.warm_up)
