"""The base of every learner that trains networks in the one loop, and the presets of all."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import torch
from pydantic import ConfigDict, Field, model_validator

from adc_core.arrays.hashing import fingerprint
from adc_core.components.context import work_folder
from adc_core.components.interfaces import Learner
from adc_core.records.dataset import Dataset
from adc_plugins_learn.training.devices import find_device
from adc_plugins_learn.training.holding_out import hold_out
from adc_plugins_learn.training.loop import LEARNED_FROM, train
from adc_plugins_learn.training.network_model import NetworkModel
from adc_plugins_learn.training.recipe import PACE, Recipe
from adc_plugins_learn.training.strategy import Strategy
from adc_plugins_learn.training.timing import seconds_per_sample
from adc_plugins_learn.training.together import is_first, run_together

ADC: Mapping[str, Any] = MappingProxyType(
    {
        "backbone": "resnet50",
        "weights": "IMAGENET1K_V1",
        "image_size": 256,
        "epochs": 20,
        "batch_size": 64,
        "learning_rate": 0.01,
        "weight_decay": 1e-3,
        "schedule": "step",
        "step_epochs": 2,
        "step_factor": 0.8,
        "shift": 4,
    }
)
"""The training of the ADC paper (appendices C.2 to C.4); weight decay and shift it leaves open."""


class NetworkLearner(Learner, Recipe):
    """Trains networks in the one loop; a method supplies its strategy."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"epochs": 4, "image_size": 16}]})

    pace: ClassVar[tuple[str, ...]] = PACE
    reads: ClassVar[tuple[str, ...]] = ("images",)
    model: ClassVar[type[NetworkModel]] = NetworkModel
    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """What the preset `adc` sets beyond the training that all methods share in the paper."""

    preset: Literal["default", "adc"] = Field(
        "default",
        description="adc: what is left out gets the ADC paper's values, in place of this option",
    )

    @model_validator(mode="before")
    @classmethod
    def _write_out(cls, options: Any) -> Any:
        """Put a preset's values where it stood, so that a record shows what was done."""
        if not (isinstance(options, Mapping) and options.get("preset") == "adc"):
            return options
        return {**ADC, **cls.adc, **options, "preset": "default"}

    @abstractmethod
    def strategy(self, dataset: Dataset) -> Strategy:
        """What the method does otherwise than plain training."""

    def expected_seconds(self, dataset: Dataset) -> float | None:
        """Estimate the time of a training with one network from a few steps on noise."""
        return seconds_per_sample(self, len(dataset.classes)) * len(dataset) * self.epochs

    def learn(self, dataset: Dataset, validation: Dataset | None = None) -> NetworkModel:
        """Train on a dataset; checkpoints lie in `work_folder()`.

        Without a validation set `validation_share` of the samples are held out; history and
        dynamics are then of the others.
        """
        if validation is None and self.validation_share:
            dataset, validation = hold_out(dataset, self.validation_share, self.seed)
        if self.devices == 1:
            return train(dataset, validation, self, self.strategy(dataset))
        return self._learn_together(dataset, validation)

    def _learn_together(self, dataset: Dataset, validation: Dataset | None) -> NetworkModel:
        learned_from = (d and d.fingerprint_of(*LEARNED_FROM) for d in (dataset, validation))
        folder = work_folder()
        finished = folder / f"model-{fingerprint([self.fingerprint, *learned_from])[:16]}"
        if not finished.exists():
            run_together(
                self.devices, self.device, folder, _train_share, finished, self, dataset, validation
            )
        model = NetworkModel.load(finished)
        model.network.to(find_device(self.device))
        return model


def _train_share(
    device: torch.device,
    finished: Path,
    learner: NetworkLearner,
    dataset: Dataset,
    validation: Dataset | None,
) -> None:
    model = train(dataset, validation, learner, learner.strategy(dataset), device)
    if is_first():
        model.save(finished)
