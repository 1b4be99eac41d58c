"""Filters that agree: what all, or any, of several curators change is dropped."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field

from adc_core import Curation, Curator, Dataset, Findings, InputError
from adc_core.arrays import from_arrow
from adc_core.components import unique_names
from adc_core.records import rows_of
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_array


class Overlap(NamedTuple):
    """How many samples several filters take out, alone and together.

    Attributes:
        names: F filters.
        pairs: F × F int64: samples that both take out; on the diagonal, that the one takes out.
        any: samples that at least one takes out.
        all: samples that every one takes out.
        total: samples in all.
    """

    names: tuple[str, ...]
    pairs: NDArray[np.int64]
    any: int
    all: int
    total: int

    def lines(self) -> tuple[str, ...]:
        """Format the table as lines of text, in shares of the samples."""

        def line(what: str, count: int) -> str:
            noun = "sample" if count == 1 else "samples"
            return f"{what}: {count:,} {noun} ({count / self.total:.2%})"

        places = range(len(self.names))
        alone = [line(self.names[f], int(self.pairs[f, f])) for f in places]
        both = [
            line(f"{self.names[f]} and {self.names[g]}", int(self.pairs[f, g]))
            for f, g in combinations(places, 2)
        ]
        return (*alone, *both, line("any", self.any), line("all", self.all))


@array_function
def overlap(flags: Mapping[str, ArrayLike]) -> Overlap:
    """Count the samples that several filters or detectors flag, alone and together.

    Args:
        flags: name to N booleans.

    Raises:
        InputError: no filter, or other than N booleans of each.
    """
    if not isinstance(flags, Mapping) or not flags:
        raise InputError("flags: expected the N booleans of each filter by its name")
    masks = {name: as_array(flagged, f"flags {name}") for name, flagged in flags.items()}
    rows = len(next(iter(masks.values()))) if all(mask.ndim for mask in masks.values()) else 0
    for name, mask in masks.items():
        if mask.shape != (rows,) or mask.dtype != np.bool_ or not rows:
            raise InputError(
                f"flags {name}: expected as many booleans as every other filter has, "
                f"got {mask.dtype} {mask.shape}"
            )
    table = np.stack(list(masks.values()))
    return Overlap(
        names=tuple(flags),
        pairs=table.astype(np.int64) @ table.T.astype(np.int64),
        any=int(table.any(axis=0).sum()),
        all=int(table.all(axis=0).sum()),
        total=table.shape[1],
    )


class Agree(Curator):
    """Drops what any, or every, one of several curators would change.

    So the ADC paper (section 4.2) takes out what Docta or the early-stopped network finds wrong.
    Each filter sees the same dataset. How far they overlap is in the curation's notes.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"filters": [{"use": "drop"}, {"use": "docta", "otherwise": "drop"}]}]
        }
    )

    filters: tuple[Curator, ...] = Field(
        min_length=2, description="curators whose changes are taken for verdicts"
    )
    rule: Literal["union", "intersection"] = Field(
        default="union",
        description="drop what any of them changes, or only what all of them change",
    )

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Drop what the filters agree on.

        Raises:
            InputError: a filter lacks what it reads, or everything would be dropped.
        """
        names = unique_names(self.filters)
        verdicts = [_reasons(one.curate(dataset, findings), dataset) for one in self.filters]
        changed = np.stack([np.asarray(reasons.is_valid()) for reasons in verdicts])
        out = changed.any(axis=0) if self.rule == "union" else changed.all(axis=0)
        rows = np.flatnonzero(out)
        parts = [
            pc.binary_join_element_wise(f"{name}:", reasons.take(pa.array(rows)), " ")
            for name, reasons in zip(names, verdicts, strict=True)
        ]
        reasons = pc.binary_join_element_wise(*parts, "; ", null_handling="skip")
        table = overlap(dict(zip(names, changed, strict=True)))
        return Curation.of(dataset, drop=rows, reasons=reasons, notes=table.lines())


def _reasons(curation: Curation, dataset: Dataset) -> pa.Array:
    """Return N reasons why a filter changes each sample, null where it does not."""
    rows = rows_of(from_arrow(curation.changes["id"]), dataset.ids)
    return curation.changes["reason"].combine_chunks().take(pa.array(rows, mask=rows < 0))
