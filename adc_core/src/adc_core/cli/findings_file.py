"""The findings of a run as one table: a row per sample, in the dataset's order."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from adc_core.arrays import Array
from adc_core.run import Run
from adc_core.seal import disk_faults
from adc_core.texts import to_arrow
from adc_core.verdicts import suggestions

PARQUET, CSV = "findings.parquet", "findings.csv"


def findings_table(run: Run, order: Array) -> pa.Table:
    """All findings side by side.

    Args:
        run: a finished run.
        order: N row numbers, the most suspicious first.

    Returns:
        id, label (class index), class (its name), rank (1: the most suspicious), and for each
        detector `NAME.suspicion` (null where it did not judge), `NAME.flagged`,
        `NAME.suggested` (a class name or null) and `NAME.confidence` (of the suggestion).
    """
    dataset = run.collected
    rank = np.empty(len(dataset), np.int64)
    rank[order] = np.arange(1, len(dataset) + 1)
    columns = {
        "id": to_arrow(dataset.ids),
        "label": pa.array(dataset.labels),
        "class": pa.array(dataset.classes, pa.string()).take(pa.array(dataset.labels)),
        "rank": pa.array(rank),
    }
    for name, found in run.findings.items():
        confidence = found.suggestion_confidence
        columns[f"{name}.suspicion"] = pa.array(found.suspicion, from_pandas=True)
        columns[f"{name}.flagged"] = pa.array(found.flagged)
        columns[f"{name}.suggested"] = suggestions(found, dataset.classes)
        columns[f"{name}.confidence"] = (
            pa.nulls(len(dataset), pa.float64())
            if confidence is None
            else pa.array(confidence, from_pandas=True)
        )
    return pa.table(columns)


def write_findings(table: pa.Table, folder: Path, *, csv: bool) -> Path:
    """Write the table into a run directory, whole or not at all; return where.

    The other form of an earlier run is removed: it would tell of other findings.

    Raises:
        WorkError: the disk refuses.
    """
    path = folder / (CSV if csv else PARQUET)
    new = folder / f".{path.name}.new"
    with disk_faults(path):
        try:
            if csv:
                pyarrow.csv.write_csv(table, new)
            else:
                pq.write_table(table, new)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        (folder / (PARQUET if csv else CSV)).unlink(missing_ok=True)
    return path
