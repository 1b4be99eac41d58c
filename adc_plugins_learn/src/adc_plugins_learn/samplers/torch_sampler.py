"""A sampler of torch, built by a function of the user."""

from collections.abc import Iterable
from typing import Any, cast

import torch
from pydantic import ConfigDict, Field
from torch import Tensor
from torch.utils import data

from adc_core import InputError
from adc_core.components import ResultFault, load_own
from adc_plugins_learn.training.hardware.devices import seeded
from adc_plugins_learn.training.parts import Sampler, TrainingContext


class TorchSampler(Sampler):
    """Draws what a sampler of torch draws: anew in every epoch.

    Its chance, where it comes from torch's global generator, is that of the training's seed.

    Traps: the first argument are the labels. `WeightedRandomSampler` itself would take them for
    weights: write a function that makes weights of them and returns it.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"build": "torch.utils.data:SequentialSampler"}]}
    )

    build: str = Field(
        description="module:function that makes a torch.utils.data.Sampler of N int64 labels and "
        "`arguments`"
    )
    arguments: dict[str, Any] = Field(default={}, description="further arguments of the function")

    def draw(self, labels: Tensor, context: TrainingContext, generator: torch.Generator) -> Tensor:
        """Run through the sampler once."""
        build = load_own(self.build, data.Sampler, "build a sampler", "torch.utils.data.Sampler")
        seed = int(torch.randint(2**63 - 1, (), generator=generator))
        with seeded(seed, torch.device("cpu")):
            drawn: Iterable[int] = self._built(build, labels)
            positions = torch.as_tensor(list(drawn), dtype=torch.int64)
        if positions.ndim != 1 or not len(positions):
            raise ResultFault(f"{self.build} draws no single rows: it must yield integers")
        return positions

    def _built(self, build: Any, labels: Tensor) -> Iterable[int]:
        try:
            return cast(Iterable[int], build(labels, **self.arguments))
        except Exception as error:
            reason = str(error).split("\n")[0]
            more = f" and {', '.join(self.arguments)}" if self.arguments else " alone"
            raise InputError(
                f"{self.build} cannot build a sampler ({type(error).__name__}: {reason}): it is "
                f"called with the labels{more}"
            ) from error
