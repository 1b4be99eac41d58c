"""The detectors that can be tried on a dataset, and the dataset on which they are."""

from collections.abc import Callable, Iterable
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import (
    Dataset,
    Detector,
    Enricher,
    Findings,
    InputError,
    create,
    registry,
    work_context,
)
from adc_core.arrays import Array
from adc_core.components import required_neighbors, shown_to
from adc_core.reporting import mean_rank
from adc_plugins_detect.confident.joint import confident_joint
from adc_plugins_detect.enrichers.ridge_probe import ridge_probe
from adc_plugins_detect.inputs import needed
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.noise.rate import noise_rate
from adc_plugins_detect.scoring import highest
from adc_plugins_detect.trial.noise import LEAST_RATE, MOST_RATE, Noise, kinds_of_noise

USUAL = "self-confidence"
"""What `adc detect` uses."""

FEWEST = 50
"""Fewer samples cannot tell detectors apart."""

EVIDENCE = ("features", "neighbors", "probabilities")

_THE_SAME = ("adc-plugins-detect/cleanlab",)
"""Not tried: `confident-learning` ranks alike, and needs no other package."""

_FEWEST_LEFT_OUT = 0.05
"""At least this share is left out: some labels are wrong even where few seem so."""


class Ground(NamedTuple):
    """What noise is simulated on.

    Attributes:
        base: M samples whose labels count as right, with features and neighbors.
        kinds: of noise.
        rate: share of labels that each makes wrong.
        left_out: how many samples were the most suspicious.
    """

    base: Dataset
    kinds: dict[str, Noise]
    rate: float
    left_out: int


def installed_detectors(have: Iterable[str]) -> dict[str, Detector]:
    """Create every installed detector that reads only the columns there are, by its name.

    Those with an option that has no default are left out, and of one name in several packages
    each has its full name.

    Args:
        have: names of columns.
    """
    known = set(have)
    entries = registry.entries("detectors")
    names = [entry.name for entry in entries]
    found: dict[str, Detector] = {}
    for entry in entries:
        if entry.full_name in _THE_SAME:
            continue
        try:
            detector = create(Detector, {"use": entry.full_name})
        except ValueError:  # needs an option or a package that is not there
            continue
        if detector.required_columns and known.issuperset(detector.required_columns):
            name = entry.name if names.count(entry.name) == 1 else entry.full_name
            found[name] = detector
    return found


def some_samples(dataset: Dataset, count: int, seed: int) -> Dataset:
    """Draw samples with features at random, in their order; all where there are no more.

    Raises:
        InputError: there are too few to tell detectors apart.
    """
    if len(dataset) < FEWEST:
        raise InputError(f"{len(dataset)} samples cannot tell detectors apart: {FEWEST} are needed")
    rows = np.arange(len(dataset))
    if len(dataset) > count:
        rows = np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))
    return dataset.take(rows).replace(probabilities=None, dynamics=None)


def prepared(dynamics: Enricher | None = None) -> Callable[[Dataset], Dataset]:
    """Return what adds the evidence that depends on labels: probabilities, and maybe dynamics."""

    def prepare(dataset: Dataset) -> Dataset:
        features = needed(dataset.features, "features", "an encoder")
        made = ridge_probe(dataset.labels, features, n_classes=len(dataset.classes))
        complete = dataset.replace(probabilities=made)
        if dynamics is None:
            return complete
        with TemporaryDirectory() as folder, work_context(folder):  # one training resumes no other
            return dynamics.enrich(complete)

    return prepare


def with_neighbors(dataset: Dataset, detectors: Iterable[Detector]) -> Dataset:
    """Add as many neighbors as the detectors read at most."""
    k = max((required_neighbors(detector) for detector in detectors), default=0)
    if not k:
        return dataset
    features = needed(dataset.features, "features", "an encoder")
    return dataset.replace(neighbors=nearest_neighbors(features, min(k, len(dataset) - 1)))


def ground_of(
    dataset: Dataset, detectors: dict[str, Detector], *, trusted: bool = False, rate: float | None
) -> Ground:
    """Leave out the most suspicious samples, and estimate from all what noise to simulate.

    Suspicious is what all detectors together find so, lest the labels that one of them takes for
    wrong be missing when it is tried. As many are left out as are wrong at the high end of the
    estimate, 5 % at least and 40 % at most.

    Args:
        dataset: N samples with features.
        detectors: who judges; those that fail do not.
        trusted: all labels are known to be right: none is left out.
        rate: share of wrong labels to simulate; by default what is estimated, in 2…40 %.
    """
    whole = prepared()(with_neighbors(dataset, detectors.values()))
    assert whole.probabilities is not None
    values = whole.probabilities.values
    estimate = noise_rate(dataset.labels, probabilities=values)
    transition = confident_joint(dataset.labels, values).transition()
    share = 0.0 if trusted else float(np.clip(estimate.high, _FEWEST_LEFT_OUT, MOST_RATE))
    kept = ~_suspicious(whole, detectors, share)
    base = with_neighbors(dataset.take(np.flatnonzero(kept)), detectors.values())
    judged = prepared()(base).probabilities
    assert judged is not None
    simulated = float(np.clip(estimate.point, LEAST_RATE, MOST_RATE)) if rate is None else rate
    kinds = kinds_of_noise(base, judged.values, transition, simulated)
    return Ground(base, kinds, simulated, int((~kept).sum()))


def _suspicious(
    dataset: Dataset, detectors: dict[str, Detector], share: float
) -> NDArray[np.bool_]:
    count = round(share * len(dataset))
    if not count:
        return np.zeros(len(dataset), np.bool_)
    found: list[Findings] = []
    for detector in detectors.values():
        if set(detector.required_columns) <= set(EVIDENCE):
            try:
                judged = detector.detect(shown_to(detector, dataset))
                found.append(judged.for_ids(dataset))
            except Exception:  # it will be left out of the trials, with the reason
                continue
    if not found:
        return highest(_self_doubt(dataset), count)
    return highest(np.nan_to_num(mean_rank(found), nan=0), count)


def _self_doubt(dataset: Dataset) -> Array:
    assert dataset.probabilities is not None
    return 1 - dataset.probabilities.values[np.arange(len(dataset)), dataset.labels]
