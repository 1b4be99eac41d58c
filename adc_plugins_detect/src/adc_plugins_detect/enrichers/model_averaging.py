"""Probabilities of several models as one, the better ones counting for more."""

from collections.abc import Sequence
from contextvars import copy_context
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field, model_validator

from adc_core.arrays import Array, chunks
from adc_core.component import named
from adc_core.dataset import Dataset
from adc_core.errors import InputError
from adc_core.evidence import Probabilities
from adc_core.interfaces import Enricher
from adc_core.work import progress, work_folder, working_in
from adc_plugins_detect.inputs import as_labels, as_probabilities, same_length

_STEEPNESS = 20
"""Weights fall by exp(-20) where the log loss is worse by one; of the steepnesses that cleanlab's
`log_loss_search` tries it did best on CIFAR-10N."""

_LEAST = 1e-9


def average_models(labels: ArrayLike, probabilities: Sequence[ArrayLike]) -> Probabilities:
    """Average what several models predict, by weights exp(-20 × log loss on the given labels).

    Args:
        labels: N given labels.
        probabilities: of each model N × K out of sample.

    Returns:
        N × K out-of-sample probabilities.

    Raises:
        InputError: no model, or matrices of different shapes.
    """
    if not probabilities:
        raise InputError("there is no model to average: give the probabilities of at least one")
    matrices = [as_probabilities(one) for one in probabilities]
    given = as_labels(labels, matrices[0].shape[1])
    for matrix in matrices:
        same_length(given, matrix, "probabilities")
        if matrix.shape != matrices[0].shape:
            raise InputError(
                f"the models' probabilities are {matrices[0].shape} and {matrix.shape}: "
                "give all for the same classes"
            )
    losses = np.array([_log_loss(given, matrix) for matrix in matrices])
    weights = np.exp(-_STEEPNESS * (losses - losses.min()))
    weights /= weights.sum()
    values = np.zeros(matrices[0].shape, np.float32)
    for weight, matrix in zip(weights, matrices, strict=True):
        for part in chunks(len(matrix), 8 * matrix.shape[1]):
            values[part] += np.float32(weight) * matrix[part].astype(np.float32)
    return Probabilities(values=values, origin="out of sample")


def _log_loss(labels: NDArray[np.int64], matrix: Array) -> float:
    own = np.asarray(matrix[np.arange(len(labels)), labels], np.float64)
    return float(-np.log(own.clip(min=_LEAST)).mean())


class ModelAveraging(Enricher):
    """Predicts every sample by several models together, the better ones counting for more.

    Each member adds probabilities; training dynamics of the last member that records them are
    kept.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"members": [{"use": "linear-probe"}, {"use": "ridge-probe"}]}]
        }
    )

    adds: ClassVar[tuple[str, ...]] = ("probabilities",)

    members: tuple[Enricher, ...] = Field(
        min_length=1, description="enrichers that add probabilities"
    )

    @model_validator(mode="after")
    def _check(self) -> "ModelAveraging":
        for member in self.members:
            if "probabilities" not in member.provides:
                raise ValueError(f"{member.name} adds no probabilities: leave it out")
        return self

    @property
    def provides(self) -> tuple[str, ...]:
        """Probabilities, and training dynamics where a member records them."""
        recorded = any("dynamics" in member.provides for member in self.members)
        return (*self.adds, "dynamics") if recorded else self.adds

    def expected_seconds(self, dataset: Dataset) -> float | None:
        """Estimate the time of those members that know theirs."""
        known = [member.expected_seconds(dataset) for member in self.members]
        return sum(filter(None, known)) or None

    def enrich(self, dataset: Dataset) -> Dataset:
        """Add the average of the members' `probabilities`.

        Raises:
            InputError: a member lacks what it reads.
        """
        outer, folder = copy_context(), work_folder()
        predicted, dynamics = [], dataset.dynamics
        for name, member in zip(named(self.members), self.members, strict=True):
            with working_in(folder / name, lambda *done: outer.run(progress, *done)):
                enriched = member.enrich(dataset)
            assert enriched.probabilities is not None
            predicted.append(enriched.probabilities.values)
            if "dynamics" in member.provides:
                dynamics = enriched.dynamics
        return dataset.replace(
            probabilities=average_models(dataset.labels, predicted), dynamics=dynamics
        )
