"""Probabilities of several models as one, the better ones counting for more."""

from collections.abc import Sequence
from contextvars import copy_context
from typing import ClassVar

from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field, model_validator

from adc_core import Dataset, Enricher, InputError, Probabilities, progress, work_folder, working_in
from adc_core.components import named
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.confident.predictions import Predicted, weighted_mean
from adc_plugins_detect.inputs import as_labels, as_list, as_probabilities, same_length


@array_function
def average_models(labels: ArrayLike, probabilities: Sequence[Predicted]) -> Probabilities:
    """Average what several models predict, by weights exp(-20 × log loss on the given labels).

    Args:
        labels: N given labels.
        probabilities: of each model N × K out of sample.

    Returns:
        N × K out-of-sample probabilities.

    Raises:
        InputError: no model, or matrices of different shapes.
    """
    listed = as_list(probabilities, "probabilities", "N × K matrices, one of each model")
    if not listed:
        raise InputError("there is no model to average: give the probabilities of at least one")
    models = [as_probabilities(one) for one in listed]
    given = as_labels(labels, models[0].shape[1])
    for model in models:
        same_length(given, model, "probabilities")
    return Probabilities(values=weighted_mean(given, models), origin="out of sample")


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
