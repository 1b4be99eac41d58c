"""Where wrong labels come from: figures of each engine, host, license and attribute."""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Dataset, Measurement, Metric, Run
from adc_core.arrays import Array, from_arrow
from adc_core.images import GROUP
from adc_core.storage import UNKNOWN
from adc_plugins_detect.health.class_health import share

_COLUMNS = ("engine", "host", "license")


def columns_of_sources(dataset: Dataset) -> dict[str, Array]:
    """Return N texts of each kind of source that a dataset knows: its sources and its attributes.

    The host is that of `url`. A value that is not known is "unknown"; a kind of which nothing is
    known is left out.
    """
    found: dict[str, Array] = {}
    if dataset.sources is not None:
        names = dataset.sources.column_names
        texts = {name: _texts(dataset, name) for name in ("engine", "license") if name in names}
        if "url" in names:
            texts["host"] = np.array([_host(url) for url in _texts(dataset, "url").tolist()])
        found = {name: texts[name] for name in _COLUMNS if name in texts}
    found |= {name: values.astype(np.str_) for name, values in dataset.attributes.items()}
    filled = {name: np.where(values == "", "unknown", values) for name, values in found.items()}
    return {name: values for name, values in filled.items() if (values != "unknown").any()}


def _texts(dataset: Dataset, name: str) -> Array:
    assert dataset.sources is not None
    texts: Array = from_arrow(dataset.sources[name].cast("string").fill_null("")).astype(np.str_)
    return texts


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class BySource(Metric):
    """Measures each engine, host, license and value of an attribute by itself.

    Samples, the share that each detector flags, and the share with a copy from elsewhere, where
    the enricher `duplicates` has looked; where the truth is known, the share of wrong labels with
    its 95 % interval (Wilson), and how far it is above what the source's classes have elsewhere
    too, for some classes are harder than others; where a test set names its sources, the accuracy
    of each training on its images. Sources with fewer samples than `min_count` are left out.

    Traps: what is measured is what was found, not what a source could give; an attribute is what
    a query asked for, and as noisy as a label.
    """

    min_count: int = Field(default=10, ge=1, description="no figure of fewer samples")

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every source; all but the engines are details."""
        found: list[Measurement] = []
        for kind, values in columns_of_sources(run.collected).items():
            for value in self._frequent(values):
                members = values == value
                for metric, figure, better in _of_labels(run, members):
                    found.append(_measurement(metric, f"{kind} {value}", figure, better, kind))
        if run.test is not None:
            for kind, values in columns_of_sources(run.test).items():
                for value in self._frequent(values):
                    members = values == value
                    for training in run.trainings:
                        if training.predictions is not None:
                            right = training.predictions.labels == run.test.labels
                            found.append(
                                _measurement(
                                    f"accuracy of {training.subject} by source",
                                    f"{kind} {value}",
                                    float(right[members].mean()),
                                    "higher",
                                    kind,
                                )
                            )
        return tuple(found)

    def _frequent(self, values: Array) -> list[str]:
        names, counts = np.unique(values, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [str(names[place]) for place in order if counts[place] >= self.min_count]


def _of_labels(
    run: Run, members: NDArray[np.bool_]
) -> Iterator[tuple[str, float | None, Literal["higher", "lower"]]]:
    dataset = run.collected
    yield "samples by source", float(members.sum()), "higher"
    if run.truth is not None:
        known = run.truth != UNKNOWN
        wrong = known & (dataset.labels != run.truth)
        judged = members & known
        there = share(int((wrong & members).sum()), int(judged.sum()))
        of_classes, some = _of_its_classes(dataset, known, wrong, judged), there.whole > 0
        beyond = None if there.value is None else there.value - of_classes
        yield "wrong labels by source", there.value, "lower"
        yield "wrong labels by source, at least", there.low if some else None, "lower"
        yield "wrong labels by source, at most", there.high if some else None, "lower"
        yield "wrong labels by source, beyond its classes'", beyond, "lower"
    for name, findings in run.findings.items():
        aligned = findings.for_ids(dataset)
        covered = members & aligned.covered
        flagged = float(aligned.flagged[covered].mean()) if covered.any() else None
        yield f"flagged by {name} by source", flagged, "lower"
    if GROUP in dataset.columns:
        group = dataset.columns[GROUP]
        outside = np.isin(group, group[~members])
        yield "copies from elsewhere by source", float(outside[members].mean()), "lower"


def _of_its_classes(
    dataset: Dataset, known: Array, wrong: Array, judged: NDArray[np.bool_]
) -> float:
    """Compute the share of wrong labels that a source would have if its classes were like all."""
    K = len(dataset.classes)
    counts = np.bincount(dataset.labels[known], minlength=K)
    rates = np.bincount(dataset.labels[wrong], minlength=K) / np.maximum(counts, 1)
    return float(rates[dataset.labels[judged]].mean()) if judged.any() else 0.0


def _measurement(
    metric: str, subject: str, value: float | None, better: Literal["higher", "lower"], kind: str
) -> Measurement:
    return Measurement(
        metric=metric, subject=subject, value=value, better=better, detail=kind != "engine"
    )
