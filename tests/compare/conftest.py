"""A small dataset without images, and comparisons of detectors on it: seconds, and no torch."""

import numpy as np
import pytest

from adc_core import Dataset, save_dataset

DETECTORS = """
pipeline:
  dataset: data
  enrichers: [ridge-probe]
  metrics: [detection]
axes:
  noise:
    symmetric: {simulators: [{use: symmetric, rate: 0.3}]}
    pair: {simulators: [{use: pair-flip, rate: 0.3}]}
  detectors: [self-confidence, confident-learning]
table: {columns: [noise], metrics: [F1, precision]}
"""


@pytest.fixture
def folder(tmp_path):
    """Give a folder with `data`, 120 samples of three classes, and `detectors.yaml`."""
    return filled(tmp_path)


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    """Give one like it to all tests of a file."""
    return filled(tmp_path_factory.mktemp("comparison"))


def filled(folder):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    dataset = Dataset(
        ids=[str(number) for number in range(120)],
        labels=labels,
        classes=("a", "b", "c"),
        features=(np.eye(3)[labels] * 4 + rng.normal(size=(120, 3))).astype(np.float32),
    )
    save_dataset(dataset, folder / "data")
    (folder / "detectors.yaml").write_text(DETECTORS)
    return folder
