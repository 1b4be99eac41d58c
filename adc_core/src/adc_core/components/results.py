"""What components hand back, checked before it is kept: a stage that is sealed can be trusted."""

from typing import Any, TypeVar

import numpy as np

from adc_core.arrays.validation import Array
from adc_core.components.plugin_faults import ResultFault
from adc_core.records.corruption import Corruption
from adc_core.records.curation import Curation
from adc_core.records.dataset import EVIDENCE, Dataset
from adc_core.records.findings import Findings
from adc_core.records.model import Model, Predictions
from adc_core.records.run import Measurement

T = TypeVar("T")


def expect(found: Any, kind: type[T], method: str) -> T:
    """Return what a method returned, if it is of the expected kind.

    Raises:
        ResultFault: it is something else.
    """
    if not isinstance(found, kind):
        raise ResultFault(f"{method} returned {_called(found)} instead of a {kind.__name__}")
    return found


def features_of(found: Any, count: int) -> Array:
    """Check N × D features that an encoder returned.

    Raises:
        ResultFault: it is no matrix of numbers with a row for each of `count` images.
    """
    array = expect(found, np.ndarray, "encode")
    if array.ndim != 2 or array.dtype.kind != "f":
        raise ResultFault(
            f"encode returned {array.dtype} of shape {array.shape} instead of a matrix of floats"
        )
    if len(array) != count:
        raise ResultFault(f"encode returned {len(array):,} rows for {count:,} images")
    return array


def corruption_of(found: Any, dataset: Dataset) -> Corruption:
    """Check the noisy labels that a simulator returned.

    Raises:
        ResultFault: they are of other samples or classes.
    """
    corruption = expect(found, Corruption, "corrupt")
    _same_count(corruption.labels, dataset, "corrupt", "labels")
    _known_classes(corruption.labels, dataset, "corrupt")
    votes = corruption.votes
    if votes is not None and (fault := votes.misfit(len(dataset), len(dataset.classes))):
        raise ResultFault(f"corrupt returned votes that do not fit: {fault}")
    return corruption


def enriched_of(found: Any, dataset: Dataset, provides: tuple[str, ...]) -> Dataset:
    """Check that an enricher returned the same samples with the columns that it provides.

    Raises:
        ResultFault: they are other samples, or a column is missing.
    """
    enriched = expect(found, Dataset, "enrich")
    _same_samples(enriched.ids, dataset, "enrich")
    for name in provides:
        there = enriched.has(name) if name in EVIDENCE else name in enriched.columns
        if not there:
            raise ResultFault(f'enrich returned no column "{name}", which it says to add')
    return enriched


def findings_of(found: Any, dataset: Dataset) -> Findings:
    """Check a judgement that a detector returned; it covers every sample, in the dataset's order.

    Raises:
        ResultFault: it is of other samples or classes.
    """
    findings = expect(found, Findings, "detect")
    _same_samples(findings.ids, dataset, "detect")
    if findings.suggested_labels is not None:
        _known_classes(findings.suggested_labels, dataset, "detect", least=-1)
    return findings


def curation_of(found: Any, dataset: Dataset) -> Curation:
    """Check a repaired dataset that a curator returned; its changes must lead to it.

    Raises:
        ResultFault: its changes lead to other samples or labels.
        InputError: its changes are not of this dataset.
    """
    curation = expect(found, Curation, "curate")
    again = Curation.apply(dataset, curation.changes, curation.notes).dataset
    same = np.array_equal(again.ids, curation.dataset.ids)
    if not same or not np.array_equal(again.labels, curation.dataset.labels):
        raise ResultFault("curate returned a dataset that is not what its changes make")
    return curation


def predictions_of(found: Any, model: Model, count: int) -> Predictions:
    """Check the class probabilities that a model returned, one row per image.

    Raises:
        ResultFault: they are of other images or classes.
    """
    predictions = expect(found, Predictions, "predict")
    if len(predictions.probabilities) != count:
        raise ResultFault(
            f"predict returned {len(predictions.probabilities):,} rows for {count:,} images"
        )
    if tuple(predictions.classes) != tuple(model.classes):
        raise ResultFault("predict returned probabilities of other classes than the model's")
    return predictions


def measurements_of(found: Any) -> tuple[Measurement, ...]:
    """Check the figures that a metric returned.

    Raises:
        ResultFault: they are something else.
    """
    if not isinstance(found, tuple | list):
        raise ResultFault(f"measure returned {_called(found)} instead of a tuple of Measurement")
    return tuple(expect(one, Measurement, "measure") for one in found)


def _same_samples(ids: Array, dataset: Dataset, method: str) -> None:
    _same_count(ids, dataset, method, "samples")
    if (differs := ids != dataset.ids).any():
        row = int(differs.argmax())
        raise ResultFault(
            f"{method} returned {str(ids[row])!r} as sample {row}, which is "
            f"{str(dataset.ids[row])!r}: keep the order"
        )


def _same_count(found: Array, dataset: Dataset, method: str, what: str) -> None:
    if len(found) != len(dataset):
        raise ResultFault(f"{method} returned {len(found):,} {what}, not {len(dataset):,}")


def _known_classes(labels: Array, dataset: Dataset, method: str, least: int = 0) -> None:
    classes = len(dataset.classes)
    if ((labels < least) | (labels >= classes)).any():
        raise ResultFault(f"{method} returned labels outside {least} … {classes - 1}")


def _called(found: Any) -> str:
    kind = type(found)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
