"""Which detectors flag the labels of rare classes for being rare: CIFAR-10N with a long tail.

People's labels of CIFAR-10 (17 % wrong). `given`: the tail is one of the given labels, as large a
share of each class wrong as before; `true`: it is one of the true classes, so that mistakes about
large classes fill the small ones, most of whose labels are wrong. Part `features`: MobileNetV2
features, neighbors, and probabilities of a ridge probe; part `dynamics`: ten epochs of a small
network on what the tail leaves, which take minutes on idle cores. Part `oversampling`: 4,000 of
these samples, and probabilities of a linear probe that is taught as many rows of every class.

Printed of each detector: the share that it flags, the share of right labels that it flags in the
head and in the tail (the four largest and three smallest classes by given labels) with the ratio of
both, the recall of wrong labels in both, and F1 of all. A detector that flags far more right labels
of the tail takes the rare for the wrong. Below it the same detector with `threshold` and
`within_classes`, which flags as many in all, the same share of each label.

    python benchmarks/imbalanced_detection.py [features] [dynamics] [oversampling]
        [--data ../shared/data]
        [--ratios 50 100] [--orders given true]
"""

import argparse
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

import cifar10n
import numpy as np
import torch

from adc_core import Dataset, Detector, Findings, ImageArray, Run
from adc_core.components import create
from adc_plugins_detect import (
    Detection,
    LinearProbe,
    LongTail,
    NearestNeighbors,
    RidgeProbe,
    Threshold,
)
from adc_plugins_learn import CrossEntropy, TrainingDynamics, penultimate

Order = Literal["given", "true"]

ON_FEATURES = (
    "self-confidence",
    "confident-learning",
    "confident-learning:prune_by_class",
    "predicted-differs",
    "cores",
    "simifeat",
    "simifeat:vote",
    "deep-knn",
    "neighbor-credibility",
    "class-gaussians",
    "class-gaussians:counts",
)
ON_DYNAMICS = (
    "aum",
    "data-maps",
    "early-stop-ce",
    "forgetting",
    "lstm-dynamics",
    "small-loss",
)
ADJUSTED = ("self-confidence", "confident-learning", "predicted-differs", "cores")
"""Detectors that are shown with adjusted probabilities, too."""

TAU = 0.5

RULES = (None, "random", "smote", "borderline-smote", "adasyn")
TOTAL = 4000
"""Of the part `oversampling`: the probe is taught five times as many rows, in five folds."""


def rows_of(data: Path, ratio: float, order: Order, total: int | None) -> np.ndarray:
    """Choose what the tail leaves of the 50,000."""
    given, truth = cifar10n.labels_of(data, "random_label1")
    first = given if order == "given" else truth
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some classes have a few given labels less than 5,000
        kept = LongTail(ratio=ratio, total=total).corrupt(Dataset(labels=first)).kept
    return np.flatnonzero(kept)


def features_of(data: Path, cache: Path, rows: np.ndarray) -> np.ndarray:
    """MobileNetV2 features of some training images; each is computed once and kept."""
    path = cache / "features_of_rows.npz"
    known, values = np.zeros(0, np.int64), np.zeros((0, 1280), np.float32)
    if path.exists():
        with np.load(path) as arrays:
            known, values = arrays["rows"], arrays["features"]
    missing = np.setdiff1d(rows, known)
    if len(missing):
        network, pixels = cifar10n.mobilenet(data), cifar10n.cifar10_images(data)
        with torch.inference_mode():
            for part in np.array_split(missing, -(-len(missing) // 250)):
                batch = torch.from_numpy(pixels[part]).permute(0, 3, 1, 2).float()
                large = torch.nn.functional.interpolate(batch, cifar10n.SIDE, mode="bicubic")
                found = penultimate(network, large.clamp(0, 255) / 127.5 - 1).numpy()
                known, values = np.append(known, part), np.concatenate([values, found])
                print(f"\rfeatures: {len(known)}", end="", flush=True, file=sys.stderr)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, rows=known, features=values)
    order = np.argsort(known)
    return values[order[np.searchsorted(known, rows, sorter=order)]]


def long_tailed(
    data: Path, cache: Path, ratio: float, order: Order, total: int | None = None
) -> tuple[Dataset, np.ndarray]:
    """Cut a long tail out of CIFAR-10N; return it with its features, and the true labels."""
    given, truth = cifar10n.labels_of(data, "random_label1")
    rows = rows_of(data, ratio, order, total)
    images = ImageArray(cifar10n.cifar10_images(data)[rows])
    features = features_of(data, cache, rows)
    return Dataset(labels=given[rows], images=images, features=features), truth[rows]


def detector_of(name: str) -> Detector:
    """Make a detector with its options as they are, but the rule or prior that is named."""
    use, _, rule = name.partition(":")
    option = "prior" if use == "class-gaussians" else "rule"
    return create(Detector, {"use": use} | ({option: rule} if rule else {}))


def figures_of(dataset: Dataset, truth: np.ndarray, found: Findings) -> dict[str, float]:
    """Measure head and tail as the metric does: what was measured, and of which."""
    measured = Detection().measure(Run(collected=dataset, findings={"it": found}, truth=truth))
    named = {f"{one.metric}, {one.subject}": one.value for one in measured}
    return {
        f"{what}, {part}": named[f"{what} by class size, it, {part}"] or 0.0
        for what in ("right labels flagged", "recall")
        for part in ("head", "tail")
    } | {"F1": named["F1, it"] or 0.0, "flagged": float(found.flagged.mean())}


def show(name: str, figures: dict[str, float]) -> None:
    """Print a line: head and tail of right labels, their ratio, head and tail of recall."""
    head, tail = figures["right labels flagged, head"], figures["right labels flagged, tail"]
    times = f"{tail / head:8.1f}" if head else f"{'-':>8}"
    print(
        f"{name:42}{figures['flagged']:8.3f}{head:8.3f}{tail:8.3f}{times}"
        f"{figures['recall, head']:8.3f}{figures['recall, tail']:8.3f}{figures['F1']:8.3f}",
        flush=True,
    )


def compare(dataset: Dataset, truth: np.ndarray, names: Iterable[str], how: str = "") -> None:
    """Print two lines for each detector: as it is, and within classes."""
    for name in names:
        detector = detector_of(name)
        show(name + how, figures_of(dataset, truth, detector.detect(dataset)))
        within = Threshold(detector=detector, within_classes=True)
        show("  within classes", figures_of(dataset, truth, within.detect(dataset)))


def measure(data: Path, cache: Path, ratio: float, order: Order, parts: Sequence[str]) -> None:
    """Print the tables of one ratio and order."""
    if "oversampling" in parts:
        dataset, truth = long_tailed(data, cache, ratio, order, TOTAL)
        describe(dataset, truth, ratio, order)
        for rule in RULES:
            probed = LinearProbe(oversampling=rule).enrich(dataset)
            compare(probed, truth, ADJUSTED[:3], f", {rule or 'as they are'}")
    if not {"features", "dynamics"} & set(parts):
        return
    dataset, truth = long_tailed(data, cache, ratio, order)
    describe(dataset, truth, ratio, order)
    if "features" in parts:
        dataset = RidgeProbe().enrich(NearestNeighbors(k=101).enrich(dataset))
        compare(dataset, truth, ON_FEATURES)
        adjusted = RidgeProbe(tau=TAU).enrich(dataset)
        compare(adjusted, truth, ADJUSTED, f", tau {TAU}")
    if "dynamics" in parts:
        learner = CrossEntropy(epochs=cifar10n.EPOCHS)
        compare(TrainingDynamics(learner=learner).enrich(dataset), truth, ON_DYNAMICS)


def describe(dataset: Dataset, truth: np.ndarray, ratio: float, order: Order) -> None:
    """Print what a table is about, and its head."""
    wrong = dataset.labels != truth
    counts = dataset.class_counts
    print(f"\nratio {ratio:g}, tail of {order} labels: {len(dataset):,} labels, {wrong.mean():.1%}")
    print("of given label:", *counts)
    rates = [f"{wrong[dataset.labels == k].mean():.2f}" for k in range(len(counts))]
    print("of them wrong: ", *rates)
    columns = ("flagged", "right:h", "right:t", "t / h", "rec:h", "rec:t", "F1")
    print(" " * 42 + "".join(f"{column:>8}" for column in columns))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="features, dynamics, oversampling")
    parser.add_argument("--ratios", type=float, nargs="+", default=[50, 100])
    parser.add_argument("--orders", nargs="+", choices=get_args(Order), default=get_args(Order))
    cifar10n.add_arguments(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.simplefilter("always")
    print("python", " ".join(sys.argv))
    parts = arguments.parts or ("features", "dynamics")
    for ratio in arguments.ratios:
        for order in arguments.orders:
            measure(arguments.data, arguments.cache, ratio, order, parts)


if __name__ == "__main__":
    main()
