"""The base of every learner that trains networks in the one loop."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import ConfigDict, Field, model_validator

from adc_core import Dataset, Learner, work_folder
from adc_core.arrays import fingerprint
from adc_core.components import require_labels
from adc_plugins_learn.training.checkpoint import further_columns, learned_from
from adc_plugins_learn.training.config import EXECUTION_OPTIONS, TrainingConfig
from adc_plugins_learn.training.data.validation_split import validation_split
from adc_plugins_learn.training.hardware.devices import find_device
from adc_plugins_learn.training.hardware.distributed import is_main_process, launch
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.networks.model import NetworkModel
from adc_plugins_learn.training.networks.own import require_own
from adc_plugins_learn.training.presets import PRESETS, with_preset
from adc_plugins_learn.training.strategy import Strategy
from adc_plugins_learn.training.timing import seconds_per_sample


class NetworkLearner(Learner, TrainingConfig):
    """Trains networks in the one loop; a method supplies its strategy."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"epochs": 4, "image_size": 8}]})

    execution_options: ClassVar[tuple[str, ...]] = EXECUTION_OPTIONS
    requires: ClassVar[tuple[str, ...]] = ("images",)
    model: ClassVar[type[NetworkModel]] = NetworkModel
    renamed_options: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "compiled": "torch_compile",
            "decoders": "num_workers",
            "keep": "select_epoch",
            "mirror": "horizontal_flip",
            "optimiser": "optimizer",
            "pictures": "image_loading",
            "shift": "max_translation",
            "validation_share": "validation_fraction",
        }
    )
    takes_criterion: ClassVar[bool] = False
    """Whether the method's loss is made of a loss that it leaves open."""
    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Options that the preset `adc` sets beyond those that all methods share in the paper."""
    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Options that the preset `cifar-n` sets beyond: those of the method's own official code."""

    preset: Literal["default", "adc", "cifar-n"] = Field(
        default="default",
        description="what is left out gets the values of the ADC paper, or of CIFAR-10N's and the "
        "method's official code, in place of this option",
    )

    @model_validator(mode="before")
    @classmethod
    def _write_out(cls, options: Any) -> Any:
        """Replace a preset by its values, so that a record shows what was done."""
        preset = options.get("preset") if isinstance(options, Mapping) else None
        own = {"adc": cls.adc, "cifar-n": cls.cifar_n}
        if not (isinstance(preset, str) and preset in own):
            return options
        return with_preset(options, PRESETS[preset], own[preset])

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.criterion is not None and not self.takes_criterion:
            raise ValueError(
                f"criterion: {self.name} has a loss of its own and takes no {self.criterion.name}: "
                "methods such as cross-entropy, co-teaching and elr do; adjust goes with all"
            )
        require_own(self.backbone, self.backbone_options)
        return self

    @abstractmethod
    def strategy(self, dataset: Dataset) -> Strategy:
        """Return what the method does otherwise than plain training."""

    def expected_seconds(self, dataset: Dataset) -> float | None:
        """Estimate the time of a training with one network from a few steps on noise."""
        return seconds_per_sample(self, len(dataset.classes)) * len(dataset) * self.epochs

    def learn(self, dataset: Dataset, validation: Dataset | None = None) -> NetworkModel:
        """Train on a dataset; checkpoints go to `work_folder()`.

        Without a validation set `validation_fraction` of the samples is held out; history and
        dynamics then cover the others.
        """
        require_labels(self, dataset)
        if validation is None and self.validation_fraction:
            dataset, validation = validation_split(dataset, self.validation_fraction, self.seed)
        if self.devices == 1:
            return train(dataset, validation, self, self.strategy(dataset))
        return self._learn_distributed(dataset, validation)

    def _learn_distributed(self, dataset: Dataset, validation: Dataset | None) -> NetworkModel:
        own = learned_from(dataset, *further_columns(self))
        sets = [own, validation and learned_from(validation)]
        folder = work_folder()
        finished = folder / f"model-{fingerprint([self.fingerprint, *sets])[:16]}"
        if not finished.exists():
            launch(
                self.devices,
                self.device,
                folder,
                _train_in_process,
                finished,
                self,
                dataset,
                validation,
            )
        model = NetworkModel.load(finished)
        model.network.to(find_device(self.device))
        return model


def _train_in_process(
    device: torch.device,
    finished: Path,
    learner: NetworkLearner,
    dataset: Dataset,
    validation: Dataset | None,
) -> None:
    model = train(dataset, validation, learner, learner.strategy(dataset), device)
    if is_main_process():
        model.save(finished)
