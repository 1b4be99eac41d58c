"""Reading a dataset for trials, and making the evidence that does not depend on labels."""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from adc_core import (
    Dataset,
    Detector,
    Encoder,
    Enricher,
    ImageArray,
    InputError,
    create,
    read_dataset,
    run_pipeline,
)
from adc_core.cli import choose_rung, component_from
from adc_core.runs import Pipeline, installed_listeners


def read_with_features(
    path: Path, encoder: str | None, *, fast: bool, folder: Path
) -> tuple[Dataset, Encoder | None]:
    """Read a dataset, and make features of its images where it has none.

    Args:
        path: whatever `adc detect` takes.
        encoder: the words after `--encoder`.
        fast: image patches alone.
        folder: the run directory that keeps the features.

    Returns:
        The samples that can be used, and the encoder, if any was needed: the user's, or that which
        `adc detect` would take.

    Raises:
        InputError: there is neither an image nor a feature.
    """
    given = read_dataset(path)
    chosen = None if encoder is None else component_from(Encoder, "--encoder", encoder)
    if given.images is None and (given.features is None or chosen is not None):
        lacks = "to encode: leave the encoder out" if chosen else "nor features: give one of them"
        raise InputError(f"{path} has no images {lacks}")
    if chosen is None and given.features is None:
        chosen = choose_rung(given.replace(probabilities=None), fast=fast).encoder
        assert chosen is not None
        print(f"adc: features of the encoder {chosen.name}", file=sys.stderr)
    if chosen is None:
        return given, None
    listeners = installed_listeners(block=("adc-plugins-publish/html-report",))
    run = run_pipeline(Pipeline(dataset=path, encoder=chosen), folder, listeners, given)
    return run.collected, chosen


def digits() -> Dataset:
    """Read scikit-learn's 1,797 scanned digits of 8 × 8 pixels, whose labels are right."""
    pixels, labels = load_digits(return_X_y=True)
    grey = (pixels.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    return Dataset(
        labels=labels,
        features=pixels.astype(np.float32) / 16,
        images=ImageArray(np.repeat(grey, 3, axis=3)),
    )


def training(words: str | None) -> Enricher | None:
    """Make the enricher that trains for dynamics, from the words after `--dynamics`.

    Raises:
        InputError: there is no such learner, or its package is missing.
    """
    if words is None:
        return None
    from adc_core import Learner

    learner = component_from(Learner, "--dynamics", words)
    return create(Enricher, {"use": "adc-plugins-learn/training-dynamics", "learner": learner})


def by_evidence(detectors: Mapping[str, Detector]) -> list[list[str]]:
    """Group detectors by the column that they read last: the names of each group."""
    groups: dict[str, list[str]] = {}
    for name, detector in detectors.items():
        groups.setdefault(str(detector.required_columns[-1]), []).append(name)
    return list(groups.values())
