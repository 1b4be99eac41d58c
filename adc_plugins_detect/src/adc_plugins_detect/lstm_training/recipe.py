"""What weights of `lstm-dynamics` are made from: a file that anybody can run again."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adc_core import Learner, LocalPath, Simulator
from adc_core.errors import InputErrors, explain, lines_of
from adc_core.storage import read_config


class Recipe(BaseModel):
    """Right labels, the noise to simulate on them, and how to train on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: LocalPath = Field(description="a dataset whose labels are taken to be right")
    simulators: tuple[Simulator, ...] = Field(
        min_length=1, description="each makes some labels wrong, for one training of the learner"
    )
    learner: Learner = Field(description="its training dynamics are the series")
    length: int = Field(default=10, ge=1, description="steps to which every series is resampled")
    epochs: int = Field(default=10, ge=1, description="passes of the detector over the series")
    learning_rate: float = Field(
        default=0.003, gt=0, le=1, description="of AdamW; the paper's 0.1 diverges easily"
    )
    seed: int = Field(
        default=0, ge=0, lt=2**63, description="draws what is held out, weights and order"
    )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a recipe: YAML, TOML or JSON; paths in it are relative to its folder.

        Raises:
            InputError: the file cannot be read, or something in it is wrong; one line per fault.
        """
        table = read_config(path, "a recipe")
        try:
            return cls.model_validate(table, context={"folder": path.parent})
        except ValidationError as error:
            lines = lines_of(explain(cls, error))
            raise InputErrors(f"{path}: {line}" for line in lines) from None

    @property
    def facts(self) -> dict[str, Any]:
        """What the recipe says, as the weights record it; the dataset by its name alone."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        return said | {"dataset": self.dataset.name}
