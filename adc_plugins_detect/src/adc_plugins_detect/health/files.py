"""The health of a dataset as files: a table of samples and a JSON of all else."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adc_core.arrays import to_arrow
from adc_core.images import GROUP
from adc_core.runs import name_of, said
from adc_core.storage import SPLIT, atomic_file, write_json
from adc_plugins_detect.health.assessment import Health
from adc_plugins_detect.health.class_health import Share
from adc_plugins_detect.image_measures.duplicates import BITS, EXACT
from adc_plugins_detect.image_measures.measures import ImageMeasures

TABLE, SUMMARY, PAGE = "health.parquet", "health.json", "health.html"


def samples_table(health: Health) -> pa.Table:
    """Make one row for each sample of the dataset as it was read, in its order.

    Returns:
        id, image (path, or id), label, class, split if there are any, broken (why the image cannot
        be used, else null), one boolean column for each check, `outlier_distance`, and the columns
        of `image-quality` and `duplicates`; all of them null for broken images. Groups of
        duplicates are named by the id of their first sample.
    """
    given, dataset = health.given, health.dataset
    broken = {one.row: said(one) for one in health.broken}
    places = np.full(len(given), -1)
    places[np.delete(np.arange(len(given)), list(broken))] = np.arange(len(dataset))
    absent = places < 0

    def spread(values: Any) -> pa.Array:
        """Put values of the usable samples into the rows of all, the others null."""
        return pa.array(values).take(pa.array(places, mask=absent))

    columns: dict[str, Any] = {
        "id": to_arrow(given.ids),
        "image": pa.array([name_of(given, row) for row in range(len(given))], pa.string()),
        "label": pa.array(given.labels),
        "class": pa.array(given.classes, pa.string()).take(pa.array(given.labels)),
        "broken": pa.array([broken.get(row) for row in range(len(given))], pa.string()),
    }
    if SPLIT in given.columns:
        columns[SPLIT] = to_arrow(np.asarray(given.columns[SPLIT]))
    for check in health.checks:
        columns[check.name.replace(" ", "_")] = spread(check.flagged)
    if health.outliers is not None:
        columns["outlier_distance"] = spread(health.outliers.distance)
    for name in (*ImageMeasures._fields, BITS):
        if name in dataset.columns:
            columns[name] = spread(np.asarray(dataset.columns[name]))
    for name in (GROUP, EXACT):
        if name in dataset.columns:
            columns[name] = spread(to_arrow(dataset.ids[np.asarray(dataset.columns[name])]))
    return pa.table(columns)


def summary(health: Health) -> dict[str, Any]:
    """Sum up all but single samples, every figure beside what it is measured against."""
    classes = health.dataset.classes
    evidence = health.evidence
    return {
        "format": 1,
        "samples": len(health.given),
        "broken": len(health.broken),
        "without_finding": health.sound,
        "evidence": {
            "features": evidence.features or None,
            "predicted_as_labelled": _share(evidence.predicted),
            "in_sample": evidence.in_sample,
            "share_of_largest_class": evidence.largest,
            "neighbors_with_the_label": evidence.neighbors_agree,
            "neighbors_with_the_label_by_chance": evidence.by_chance,
        },
        "checks": {
            check.name: {
                "samples": int(check.flagged.sum()),
                "share": float(check.flagged.mean()),
                "measure": check.measure,
                "threshold": check.threshold,
            }
            for check in health.checks
        },
        "duplicate_radius": None if health.duplicates is None else health.duplicates.radius,
        "leaks": [leak._asdict() for leak in health.leaks],
        "classes": [one._asdict() | {"predicted": _share(one.predicted)} for one in health.classes],
        "confusions": [
            {
                "label": classes[pair.label],
                "predicted": classes[pair.predicted],
                **(_share(pair.share) or {}),
                "times_an_even_spread": pair.times,
            }
            for pair in health.confusions
        ],
        "overlaps": [
            {
                "classes": [classes[pair.one], classes[pair.other]],
                "share": pair.share,
                "by_chance": pair.chance,
            }
            for pair in health.overlaps
        ],
        "orders": [test._asdict() | {"ratio": test.ratio} for test in health.orders],
    }


def write_files(health: Health, folder: Path) -> None:
    """Write both into a run directory, each whole or not at all.

    Raises:
        WorkError: the disk refuses.
    """
    with atomic_file(folder / TABLE) as part:
        pq.write_table(samples_table(health), part)
    with atomic_file(folder / SUMMARY) as part:
        write_json(part, summary(health))


def _share(found: Share | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "samples": found.part,
        "of": found.whole,
        "share": found.value,
        "interval_95": [found.low, found.high],
    }
