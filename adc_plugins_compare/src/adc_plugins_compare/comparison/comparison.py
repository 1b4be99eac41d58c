"""The comparison: a pipeline, axes along which it varies, seeds, and the table to make of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from adc_core import InputError, Pipeline, read_dataset
from adc_core.errors import InputErrors, explain, lines_of, unknown_name
from adc_core.runs import check_pipeline
from adc_core.storage import read_config
from adc_plugins_compare.comparison.cells import Cell, cells_of
from adc_plugins_compare.comparison.levels import levels_of

SUBJECT = "subject"
"""What rows are called that differ in what was measured within a cell."""


class Layout(BaseModel):
    """How the figures of a comparison become a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[str, ...] | None = Field(
        default=None,
        description="axes of the rows, by default all that are no columns; the levels of the last "
        "are compared with each other, those before make blocks",
    )
    columns: tuple[str, ...] = Field(
        default=(), description="axes of the columns: then a table a metric"
    )
    metrics: tuple[str, ...] | None = Field(
        default=None, description="which metrics, in this order; by default all but details"
    )


class Comparison(BaseModel):
    """Says which pipelines are compared: one for each combination of levels and each seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline: Annotated[
        dict[str, Any],
        Field(description="parts that all cells have: a table, or the path of a pipeline file"),
    ] = {}
    axes: dict[str, Any] = Field(
        description="name to levels: a table of what each level adds to the pipeline; or a list of "
        "values where the axis is named after a part (`learners`) or option (`learners.epochs`)"
    )
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = Field(
        default=(0, 1, 2), description="for each component that takes a seed and was not given one"
    )
    table: Layout = Field(default=Layout(), description="how the figures are laid out")

    _folder: Path | None = PrivateAttr(None)

    @model_validator(mode="wrap")
    @classmethod
    def _explain(
        cls, value: Any, build: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Self:
        try:
            built: Self = build(value)
        except ValidationError as error:
            raise explain(cls, error) from None
        built._folder = (info.context or {}).get("folder")
        return built

    @field_validator("pipeline", mode="before")
    @classmethod
    def _read_base(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str | Path):
            return value
        path = Path((info.context or {}).get("folder") or ".", value)
        try:
            return Pipeline.read(path).model_dump(exclude_defaults=True)
        except ValidationError as error:
            raise InputErrors(f"{path}: {line}" for line in lines_of(error)) from None

    @field_validator("axes")
    @classmethod
    def _check_axes(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not value:
            raise InputError("give one axis at least: what shall be compared?")
        faults = []
        for axis, given in value.items():
            if axis in (SUBJECT, "seed", "metric") or set(axis) & set("/\\,="):
                faults.append(f"{axis}: give the axis another name")
            try:
                levels_of(axis, given)
            except InputError as error:
                faults.append(f"{axis}: {error}")
        if faults:
            raise InputErrors(faults)
        return value

    @field_validator("seeds")
    @classmethod
    def _check_seeds(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value):
            raise InputError("a seed that comes twice brings nothing new: leave one out")
        return value

    @model_validator(mode="after")
    def _check_layout(self) -> Self:
        named = [*(self.table.rows or ()), *self.table.columns]
        for axis in named:
            if axis not in self.axes:
                raise InputError(f"table: {unknown_name('axis', axis, self.axes)}")
        if len(set(named)) < len(named):
            raise InputError("table: an axis is named twice")
        if self.table.rows is not None and (left := [a for a in self.axes if a not in named]):
            raise InputError(f"table: say whether {left[0]} makes rows or columns")
        return self

    @classmethod
    def read(cls, path: Path | str, replacing: Mapping[str, Any] | None = None) -> Comparison:
        """Read a comparison file: YAML, TOML or JSON by its suffix.

        Paths in the file are relative to the file's folder.

        Args:
            path: the file.
            replacing: parts of its pipeline that are replaced: `{"dataset": path}`.

        Raises:
            InputErrors: what is wrong with it, one line each, beginning with the file's name.
        """
        path = Path(path)
        table = read_config(path, "a comparison file")
        try:
            read = cls.model_validate(table, context={"folder": path.parent.absolute()})
        except ValidationError as error:
            raise InputErrors(f"{path}: {line}" for line in lines_of(error)) from error
        return read.model_copy(update={"pipeline": read.pipeline | dict(replacing or {})})

    @property
    def rows(self) -> tuple[str, ...]:
        """The axes of the rows."""
        if self.table.rows is not None:
            return self.table.rows
        return tuple(axis for axis in self.axes if axis not in self.table.columns)

    def cells(self) -> list[Cell]:
        """Build the cells, all of the first seed first.

        Raises:
            InputErrors: some are no pipelines; one line per fault, with the cell's name.
        """
        axes = {axis: levels_of(axis, given) for axis, given in self.axes.items()}
        return list(cells_of(self.pipeline, axes, self.seeds, self._folder))

    def check(self) -> list[Cell]:
        """Build the cells and check that each can begin; datasets are read once.

        Raises:
            InputErrors: some cannot; one line per fault, with the cell's name.
        """
        cells = self.cells()
        read, faults = cache(read_dataset), dict[str, None]()
        for cell in cells:
            if cell.seed in (None, self.seeds[0]):
                try:
                    check_pipeline(cell.pipeline, read)
                except InputError as error:
                    faults.update({f"cell {cell.name}: {one}": None for one in lines_of(error)})
        if faults:
            raise InputErrors(faults)
        return cells
