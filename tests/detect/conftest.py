"""Worked numbers and planted noise for the tests of detectors."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.datasets import load_digits

from adc_core.records.evidence import Dynamics
from adc_plugins_detect.enrichers.ridge_probe import ridge_probe


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


class Digits(NamedTuple):
    """1,797 scanned digits, some with a wrong label, and what a probe says of them."""

    truth: np.ndarray
    labels: np.ndarray
    features: np.ndarray
    probabilities: np.ndarray

    @property
    def wrong(self):
        return self.labels != self.truth


def planted_labels(truth, kind, share):
    random = np.random.default_rng(0)
    wrong = random.random(len(truth)) < share
    if kind == "uniform":
        return np.where(wrong, (truth + random.integers(1, 10, len(truth))) % 10, truth)
    if kind == "pairs":
        return np.where(wrong, (truth + 1) % 10, truth)
    wrong = (random.random(len(truth)) < 5 * share) & np.isin(truth, (3, 5))
    return np.where(wrong, 8, truth)  # the eight swallows threes and fives


@pytest.fixture(scope="session")
def digits():
    """Digits by kind and share of wrong labels."""
    features, truth = load_digits(return_X_y=True)
    made = {}

    def digits(kind="uniform", share=0.0):
        if (kind, share) not in made:
            labels = planted_labels(truth, kind, share)
            values = ridge_probe(labels, features).values
            made[kind, share] = Digits(truth, labels, features, values)
        return made[kind, share]

    return digits
