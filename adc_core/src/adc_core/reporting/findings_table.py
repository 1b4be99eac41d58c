"""The findings of a run as one table: a row per sample, in the dataset's order."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from adc_core.arrays.strings import to_arrow
from adc_core.records.run import Run
from adc_core.reporting.detector_summaries import (
    flagged_by_any,
    mean_rank,
    most_suspicious_first,
    suggested_by_most,
    suggestions,
)
from adc_core.reporting.result_files import CSV, PARQUET
from adc_core.storage.atomic import atomic_file, translate_os_errors


def findings_table(run: Run) -> pa.Table:
    """Put all findings side by side.

    Args:
        run: a finished run with the findings of one detector or more.

    Returns:
        id, label (class index), class (its name), then of all detectors together rank (1: the
        most suspicious), suspicion (that of the only detector; of several the share of samples
        that are less suspicious, on average), flagged (by any) and suggested_label (a class name,
        by most of them, or null); then of each detector `NAME.suspicion` (null where it did not
        judge), `NAME.flagged`, `NAME.suggested_label` and `NAME.suggestion_confidence`.
    """
    dataset, findings = run.collected, run.findings
    everyone = findings.values()
    rank = np.empty(len(dataset), np.int64)
    rank[most_suspicious_first(everyone)] = np.arange(1, len(dataset) + 1)
    (first, *others) = everyone
    suspicion = mean_rank(everyone) if others else first.suspicion
    columns = {
        "id": to_arrow(dataset.ids),
        "label": pa.array(dataset.labels),
        "class": pa.array(dataset.classes, pa.string()).take(pa.array(dataset.labels)),
        "rank": pa.array(rank),
        "suspicion": pa.array(suspicion, from_pandas=True),
        "flagged": pa.array(flagged_by_any(everyone)),
        "suggested_label": suggested_by_most(everyone, dataset.classes),
    }
    for name, found in findings.items():
        confidence = found.suggestion_confidence
        columns[f"{name}.suspicion"] = pa.array(found.suspicion, from_pandas=True)
        columns[f"{name}.flagged"] = pa.array(found.flagged)
        columns[f"{name}.suggested_label"] = suggestions(found, dataset.classes)
        columns[f"{name}.suggestion_confidence"] = (
            pa.nulls(len(dataset), pa.float64())
            if confidence is None
            else pa.array(confidence, from_pandas=True)
        )
    return pa.table(columns)


def write_findings(run: Run, folder: Path, *, csv: bool = False) -> Path:
    """Write the table into a run directory, whole or not at all; return where.

    The other form of an earlier run is removed: it would show other findings.

    Raises:
        WorkError: the disk refuses.
    """
    table = findings_table(run)
    path = folder / (CSV if csv else PARQUET)
    with atomic_file(path) as part:
        if csv:
            pyarrow.csv.write_csv(table, part)
        else:
            pq.write_table(table, part)
    with translate_os_errors(folder):
        (folder / (PARQUET if csv else CSV)).unlink(missing_ok=True)
    return path
