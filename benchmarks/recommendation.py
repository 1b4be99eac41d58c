"""Does the detector that `adc recommend` chooses win on the mistakes of people?

Labels of people, with the truth known: CIFAR-10N (worst of three, and one of three annotators) and
CIFAR-10H (an annotator drawn for each test image), with features of MobileNetV2 and, as weak
evidence, of image patches. `adc recommend` sees the labels alone; every candidate is then measured
against the truth. Regret is what the choice lacks of the best candidate in hindsight. On one core
it takes about a quarter of an hour.

    python benchmarks/recommendation.py --data ../shared/data [--cache runs/recommendation]
"""

import argparse
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from cifar10_features import mobilenet_features
from cifar10n import cifar10_images, labels_of
from scipy.stats import spearmanr

from adc_core import Dataset, Encoder, Findings, ImageArray, create
from adc_core.reporting import mean_rank
from adc_plugins_detect.trial.candidates import (
    EVIDENCE,
    USUAL,
    ground_of,
    installed_detectors,
    prepared,
    with_neighbors,
)
from adc_plugins_detect.trial.choice import Choice, choose
from adc_plugins_detect.trial.evidence import by_evidence
from adc_plugins_detect.trial.trials import TOGETHER, Quality, quality, run_trials

TRAIN, TEST = 5000, 4000


def label_sets(data: Path, cache: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Name, labels of people, truth and features."""
    deep = mobilenet_features(data, cache, "train", TRAIN)
    shallow = patches(cifar10_images(data)[:TRAIN], cache)
    for column, name in (("worse_label", "worst"), ("random_label1", "random1")):
        given, truth = (one[:TRAIN] for one in labels_of(data, column))
        yield f"CIFAR-10N {name}", given, truth, deep
        yield f"CIFAR-10N {name}, patches", given, truth, shallow
    truth = np.load(data / "cifar10" / "labels.npz")["test_label"][:TEST].astype(np.int64)
    with np.load(data / "cifar10h" / "cifar10h.npz") as arrays:
        counts = arrays["counts"][:TEST].astype(float)
    steps = counts.cumsum(axis=1)
    drawn = np.random.default_rng(0).random(TEST)[:, None] * steps[:, -1:]
    yield (
        "CIFAR-10H",
        (drawn >= steps).sum(axis=1),
        truth,
        mobilenet_features(data, cache, "test", TEST),
    )


def patches(pixels: np.ndarray, cache: Path) -> np.ndarray:
    """Features of image patches, kept."""
    path = cache / "patches.npy"
    if not path.exists():
        np.save(path, create(Encoder, {"use": "patches"}).encode(ImageArray(pixels)))
    return np.load(path)


def measured(dataset: Dataset, truth: np.ndarray, names: tuple[str, ...]) -> dict[str, Quality]:
    """Measure every candidate on the labels of people."""
    detectors = installed_detectors(EVIDENCE)
    complete = prepared()(with_neighbors(dataset, detectors.values()))
    found: dict[str, Findings] = {}
    for name in {one for several in names for one in several.split(TOGETHER)}:
        found[name] = detectors[name].detect(complete)
    wrong = dataset.labels != truth
    return {
        name: quality(wrong, mean_rank([found[one] for one in name.split(TOGETHER)]))
        for name in names
    }


def main() -> None:
    """Print a table of regrets, and all candidates of each label set."""
    data = Path(os.environ.get("ADC_DATA", Path(__file__).parents[1] / "../shared/data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data, help="folder of the real data")
    parser.add_argument("--cache", type=Path, default=Path("runs/recommendation"))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    detectors = installed_detectors(EVIDENCE)
    for name, given, truth, features in label_sets(arguments.data, arguments.cache):
        start = time.perf_counter()
        dataset = Dataset(labels=given, features=features, classes=tuple(map(str, range(10))))
        ground = ground_of(dataset, detectors, rate=None)
        groups = by_evidence(detectors)
        trials = run_trials(
            ground.base, detectors, ground.kinds, prepared(), arguments.seeds, groups
        )
        choice = choose(trials, USUAL)
        seconds = time.perf_counter() - start
        real = measured(dataset, truth, trials.names)
        print(f"\n{name}: {(given != truth).mean():.3f} wrong, simulated {ground.rate:.3f}; ")
        rest = (ground.base.labels != truth[ground.base.ids.astype(np.int64)]).mean()
        print(
            f"{ground.left_out} left out, {rest:.3f} of the rest wrong; {seconds:.0f} s; {choice}"
        )
        show(real, dict(zip(trials.names, trials.average_precision, strict=True)), choice)


def show(real: dict[str, Quality], tried: dict[str, np.ndarray], choice: Choice) -> None:
    """Print the regret of the choice and of the usual detector, then every candidate."""
    best = max(real, key=lambda one: real[one].average_precision)
    most = max(one.f1 for one in real.values())
    roles = {"tried best": choice.best, "recommended": choice.recommended, "usual": USUAL}
    for role, one in (roles | {"hindsight": best}).items():
        lacks = real[best].average_precision - real[one].average_precision, most - real[one].f1
        print(f"  {role:11} {_cells(real[one])}, regret {_cells(lacks)}  {one}")
    alone = [one for one in real if TOGETHER not in one]
    order = spearmanr([tried[one].mean() for one in alone], [real[one][0] for one in alone])
    mean = np.mean([real[one].average_precision for one in alone])
    print(f"  rank correlation {order.statistic:.2f} of single ones; their mean AP {mean:.3f}")
    for one in sorted(real, key=lambda one: -real[one].average_precision):
        print(f"    {_cells(real[one])} | {_cells(tried[one].mean(axis=1))} | {one}")


def _cells(values: Iterable[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    main()
