"""Worked numbers and planted noise for the tests of detectors."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from adc_core.evidence import Dynamics


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """Worked numbers of every method, by section."""
    return json.loads(Path(__file__).with_name("vectors.json").read_text())


class Planted(NamedTuple):
    """Clusters with known wrong labels."""

    features: np.ndarray
    truth: np.ndarray
    labels: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        return self.labels != self.truth


@pytest.fixture(scope="session")
def planted() -> Planted:
    """2,000 points in 4 clusters of 16 dimensions, 30 % of the labels wrong."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 2000)
    features = 6 * np.eye(4, 16)[truth] + 0.6 * random.normal(size=(2000, 16))
    wrong = random.random(2000) < 0.3
    labels = np.where(wrong, (truth + random.integers(1, 4, 2000)) % 4, truth)
    return Planted(features, truth, labels)


class Trained(NamedTuple):
    """What a training would have seen of labels, some of them wrong."""

    labels: np.ndarray
    wrong: np.ndarray
    dynamics: Dynamics


@pytest.fixture(scope="session")
def trained() -> Trained:
    """1,000 samples of two classes over 6 epochs: margins of right labels grow, others fall."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 1000)
    wrong = random.random(1000) < 0.3
    slope = np.where(wrong, -0.7, 0.7) * random.uniform(0.7, 1.3, 1000)
    margin = slope[:, None] * np.arange(1, 7) + random.normal(0, 0.3, (1000, 6))
    return Trained(
        labels,
        wrong,
        Dynamics(
            epochs=np.arange(1, 7),
            given_probability=1 / (1 + np.exp(-margin)),
            margin=margin,
            loss=np.log1p(np.exp(-margin)),
            correct=margin > 0,
        ),
    )
