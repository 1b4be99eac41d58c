"""What an export has changed, sample by sample and counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from adc_core import Dataset, Findings
from adc_core.arrays import Array, from_arrow, to_arrow
from adc_core.records import rows_of
from adc_plugins_publish.source import Source

CHANGES = "changes.csv"
"""The list of an export, where anything was changed."""

LEFT_OUT = "leave out"
"""The action of an image that cannot be used, beside `relabel` and `drop` of curators."""


def table_of_changes(source: Source, left_out: Mapping[str, str]) -> pa.Table | None:
    """Return one row per change, in the order in which they were made; None where nobody looked.

    Its columns: id, action, old_class, new_class, reason, curator, flagged_by.

    Args:
        source: what is exported.
        left_out: id to the reason, of images that cannot be used.
    """
    parts = []
    names = pa.array(source.original.classes, pa.string())
    for curator, curation in source.curations.items():
        changes = curation.changes
        new = changes["new_label"].combine_chunks()
        parts.append(
            pa.table(
                {
                    "id": changes["id"],
                    "action": changes["action"],
                    "old_class": names.take(changes["old_label"].combine_chunks()),
                    "new_class": names.take(pc.if_else(pc.less(new, 0), None, new)),
                    "reason": changes["reason"],
                    "curator": pa.array([curator] * len(changes), pa.string()),
                    "flagged_by": flagged_by(source.findings, from_arrow(changes["id"])),
                }
            )
        )
    if left_out:
        ids = np.asarray([*left_out], dtype=np.str_)
        rows = rows_of(source.original.ids, ids)
        nothing = pa.nulls(len(ids), pa.string())
        parts.append(
            pa.table(
                {
                    "id": to_arrow(ids),
                    "action": pa.array([LEFT_OUT] * len(ids)),
                    "old_class": names.take(pa.array(source.original.labels[rows], mask=rows < 0)),
                    "new_class": nothing,
                    "reason": pa.array([*left_out.values()], pa.string()),
                    "curator": nothing,
                    "flagged_by": flagged_by(source.findings, ids),
                }
            )
        )
    return pa.concat_tables(parts) if parts else None


def write_changes(table: pa.Table, dataset: Dataset, paths: Sequence[str], folder: Path) -> None:
    """Write `changes.csv`: the table with the column `path`, where a sample is in the export.

    Args:
        table: of changes.
        dataset: what was exported.
        paths: of its samples within the export.
        folder: of the export.
    """
    rows = rows_of(dataset.ids, from_arrow(table["id"]))
    taken = pa.array(paths, pa.string()).take(pa.array(rows, mask=rows < 0))
    named = table.add_column(1, "path", taken)
    pyarrow.csv.write_csv(named, folder / CHANGES)


def flagged_by(findings: Mapping[str, Findings], ids: Array) -> pa.Array:
    """Return the detectors that flag each of some samples: `simifeat, confident-learning`."""
    named = np.full(len(ids), "", np.str_)
    for name, found in findings.items():
        rows = rows_of(found.ids, ids)
        flagged = (rows >= 0) & found.flagged[rows]
        longer = np.char.add(named, np.where(named == "", name, f", {name}"))
        named = np.where(flagged, longer, named)
    return to_arrow(named)


def count_moves(source: Source) -> list[tuple[str, str | None, int]]:
    """Return old class, new class (None: dropped) and how many samples went that way, in the end.

    A sample that one curator relabelled and a later one dropped counts as dropped.
    """
    original, dataset = source.original, source.dataset
    rows = rows_of(dataset.ids, original.ids)
    new = np.where(rows >= 0, dataset.labels[rows], -1)
    changed = np.flatnonzero(new != original.labels)
    pairs = Counter(zip(original.labels[changed].tolist(), new[changed].tolist(), strict=True))
    names = original.classes
    return [
        (names[old], names[new] if new >= 0 else None, count)
        for (old, new), count in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    ]
