"""The pipeline: which components do which part of the work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from adc_core.components.component import LocalPath, from_the_file
from adc_core.components.interfaces import (
    Collector,
    Curator,
    Designer,
    Detector,
    Encoder,
    Enricher,
    Learner,
    Metric,
    Searcher,
    Simulator,
)
from adc_core.errors import InputError, explain
from adc_core.records.dataset import Dataset
from adc_core.records.design import Brief
from adc_core.records.record import RecordType
from adc_core.records.run import TrainingSet
from adc_core.runs.run_record import COLLECTOR
from adc_core.storage.config_file import read_config


def _path_or_dataset(value: Any, info: ValidationInfo) -> Path | Dataset:
    if isinstance(value, Dataset):
        return value
    if isinstance(value, str | Path):
        return from_the_file(Path(value), info)
    raise ValueError("give a path, or in Python a Dataset")


GivenDataset = Annotated[
    Path | Dataset,
    PlainValidator(_path_or_dataset),
    PlainSerializer(lambda given: None if isinstance(given, Dataset) else given),
]
"""Where the data are, or they themselves; these are not part of the pipeline's written form."""


class Pipeline(BaseModel, metaclass=RecordType):
    """Designs, collects, cleans, learns and measures; every part but the data is optional.

    The data come either from a brief (with designer, searchers and collector) or from `dataset`: a
    path, or in Python a `Dataset`, which is then kept in the run directory as if collected there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    brief: Brief | None = Field(default=None, description="the wish that the designer starts from")
    designer: Designer | None = Field(default=None, description="designs classes and queries")
    searchers: tuple[Searcher, ...] = Field(default=(), description="engines that are all asked")
    collector: Collector | None = Field(default=None, description="fetches what the searchers find")
    dataset: GivenDataset | None = Field(default=None, description="a dataset to read instead")
    simulators: tuple[Simulator, ...] = Field(
        default=(), description="make labels wrong or leave samples out, for experiments"
    )
    encoder: Encoder | None = Field(default=None, description="adds features")
    enrichers: tuple[Enricher, ...] = Field(
        default=(), description="add further evidence, in this order"
    )
    detectors: tuple[Detector, ...] = Field(
        default=(), description="judge every label, each on its own"
    )
    curators: tuple[Curator, ...] = Field(
        default=(), description="repair the dataset, one after another"
    )
    learners: tuple[Learner, ...] = Field(
        default=(), description="train models, each on every `train_on`"
    )
    train_on: tuple[TrainingSet, ...] = Field(
        default=("raw", "curated"),
        description="labels to train on: raw, curated, clean (needs truth)",
    )
    metrics: tuple[Metric, ...] = Field(default=(), description="measure against truth and test")
    truth: LocalPath | None = Field(
        default=None,
        description="CSV or Parquet of true labels: `label` or `wrong`, and `id`, `path` or `url`",
    )
    test: LocalPath | None = Field(default=None, description="a dataset with trusted labels")

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, value: Any, build: ValidatorFunctionWrapHandler) -> Self:
        try:
            built: Self = build(value)
        except ValidationError as error:
            raise explain(cls, error) from None
        return built

    @field_validator(
        *("searchers", "simulators", "enrichers", "detectors", "curators", "learners", "metrics"),
        mode="before",
    )
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError(f"give a list: [{value}]")
        if isinstance(value, Mapping):
            raise ValueError("give a list: put the table into brackets, or after a dash")
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        collecting = {
            "brief": self.brief,
            "designer": self.designer,
            "searchers": self.searchers,
            "collector": self.collector,
        }
        given = [name for name, value in collecting.items() if value]
        if self.dataset is not None and given:
            raise ValueError(f"give either dataset or {given[0]}, not both")
        if self.dataset is None and (missing := [name for name in collecting if name not in given]):
            raise ValueError(
                f"nothing says where the data come from: add {', '.join(missing)}, or dataset: PATH"
            )
        return self

    @classmethod
    def read(cls, path: Path | str) -> Pipeline:
        """Read a pipeline file: YAML, TOML or JSON by its suffix.

        Paths in the file are relative to the file's folder.

        Raises:
            InputError: the file cannot be read or parsed.
            pydantic.ValidationError: its content is wrong; every fault with its place.
        """
        path = Path(path)
        return cls.model_validate(
            read_config(path, "a pipeline file"), context={"folder": path.parent}
        )

    @property
    def source(self) -> str:
        """What the run is about; a run directory belongs to one source."""
        if self.brief is not None:
            return f"brief {self.brief.subject!r}"
        if self.in_memory is not None:
            # Its samples alone: with other labels it is the same dataset, judged anew.
            return f"dataset {self.in_memory.fingerprint_of('ids')[:12]} in memory"
        return f"dataset {self.dataset}"

    @property
    def in_memory(self) -> Dataset | None:
        """The dataset itself, where the pipeline was given one."""
        return self.dataset if isinstance(self.dataset, Dataset) else None

    def to_yaml(self, folder: Path | None = None) -> str:
        """Write the pipeline as a file's text; options with default values are left out.

        Args:
            folder: where the file will be, so that its paths can be relative to it. Of a dataset
                in memory it is the run directory that keeps it.

        Raises:
            InputError: the dataset is in memory, and no folder keeps it.
        """
        table = _plain(self.model_dump(exclude_defaults=True), folder)
        if self.in_memory is not None:
            if folder is None:
                raise InputError(
                    "the dataset is in memory, so no file can name it: save it, and give its path"
                )
            table["dataset"] = COLLECTOR
        return yaml.safe_dump(table, sort_keys=False, allow_unicode=True)


def _plain(value: Any, folder: Path | None) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item, folder) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, folder) for item in value]
    if isinstance(value, Path):
        path = value.absolute()
        return Path(os.path.relpath(path, folder.absolute()) if folder else path).as_posix()
    return value
