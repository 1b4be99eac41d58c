"""Label sets of known noise for the benchmarks: people's, simulated ones, and all right."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cifar10n import cifar10_images, given_probabilities, labels_of

from adc_core import ImageArray
from adc_plugins_detect import ridge_probe
from adc_plugins_detect.encoders.patches import PatchEncoder

CIFAR_PARTS = (0, 20_000)
"""First rows of the parts of 4,000 CIFAR-10 images that are looked at with their pixels."""

PART = 4000


class LabelSet(NamedTuple):
    """Labels whose errors are known, and what a model says of them.

    Attributes:
        name: images and labels.
        given: N labels.
        truth: N true labels.
        probabilities: N × K out of sample.
    """

    name: str
    given: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray


def mnist_images(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """10,000 × 28 × 28 test images, and their labels, of which fifteen or so are wrong."""
    folder = data / "mnist_label_errors"
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
    return images, labels


def symmetric(truth: np.ndarray, rate: float, seed: int = 0, K: int = 10) -> np.ndarray:
    """Labels of which a share is any other class."""
    random = np.random.default_rng(seed)
    wrong = random.random(len(truth)) < rate
    return np.where(wrong, (truth + random.integers(1, K, len(truth))) % K, truth)


def cifar_labels(data: Path, first: int) -> dict[str, np.ndarray]:
    """Labels for one part: all right, people's, half of people's errors, simulated."""
    random1, truth = (labels[first : first + PART] for labels in labels_of(data, "random_label1"))
    worst = labels_of(data, "worse_label")[0][first : first + PART]
    half = np.random.default_rng(1).random(PART) < 0.5
    return {
        "all right": truth,
        "half of random": np.where(half, random1, truth),
        "random": random1,
        "worst": worst,
        "symmetric .2": symmetric(truth, 0.2),
    }


def mnist_labels(truth: np.ndarray) -> dict[str, np.ndarray]:
    """Labels for digits: as they are, simulated of several kinds."""
    random = np.random.default_rng(2)
    rates = np.array([0.02, 0.5, 0.05, 0.02, 0.6, 0.1, 0.02, 0.3, 0.02, 0.1])
    return {
        "all right": truth,
        "symmetric .05": symmetric(truth, 0.05),
        "symmetric .16": symmetric(truth, 0.16),
        "symmetric .4": symmetric(truth, 0.4),
        "next class .2": np.where(random.random(len(truth)) < 0.2, (truth + 1) % 10, truth),
        "one class swallows .15": np.where(random.random(len(truth)) < 0.15, 8, truth),
        "classes differ": np.where(
            random.random(len(truth)) < rates[truth],
            (truth + random.integers(1, 10, len(truth))) % 10,
            truth,
        ),
    }


def label_sets(data: Path) -> Iterator[LabelSet]:
    """Label sets with patches of the images, and with probabilities that came with the data."""
    pixels = cifar10_images(data)
    for first in CIFAR_PARTS:
        features = PatchEncoder().encode(ImageArray(pixels[first : first + PART]))
        truth = labels_of(data, "worse_label")[1][first : first + PART]
        for name, given in cifar_labels(data, first).items():
            values = ridge_probe(given, features, n_classes=10).values
            yield LabelSet(f"CIFAR-10 from {first}, {name}", given, truth, values)
    images, labels = mnist_images(data)
    chosen = np.random.default_rng(0).permutation(len(labels))[:2000]
    features = PatchEncoder().encode(ImageArray(images[chosen]))
    for name, given in mnist_labels(labels[chosen]).items():
        values = ridge_probe(given, features, n_classes=10).values
        yield LabelSet(f"MNIST, {name}", given, labels[chosen], values)
    worst, truth = labels_of(data, "worse_label")
    random1, _ = labels_of(data, "random_label1")
    for network, values in given_probabilities(data).items():
        for name, given in {"worst": worst, "random*": random1, "all right*": truth}.items():
            yield LabelSet(f"{network}, {name}", given, truth, values)
    with np.load(data / "mnist_label_errors" / "mnist_test.npz") as arrays:
        given, values = arrays["given_label"].astype(np.int64), arrays["pred_probs"]
    yield LabelSet("MNIST test, cross-validated", given, given, values)
