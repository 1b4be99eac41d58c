"""Raw against repaired labels: the same training and test set, five seeds.

    python benchmarks/repair.py --data ../shared/data [--seeds 5]

`expected-gain` repairs by the evidence of `adc detect --fast` (patches and a ridge probe); then a
small network is trained on the labels as given, as repaired, and as they truly are.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from cifar10n import cifar10_images
from label_sets import PART, cifar_labels, mnist_images, mnist_labels

from adc_core import Dataset, ImageArray
from adc_plugins_detect import ridge_probe
from adc_plugins_detect.curators.expected_gain import ExpectedGain
from adc_plugins_detect.encoders.patches import PatchEncoder
from adc_plugins_learn import CrossEntropy

EPOCHS = 12


_KNOWN: dict[bytes, float] = {}
"""Accuracies of trainings that were done already: the same labels and seed give the same."""


def accuracy(dataset: Dataset, test: Dataset, seed: int, flip: bool) -> float:
    """Train on a dataset and measure on the test set."""
    dataset = dataset.replace(probabilities=None)
    key = f"{dataset.fingerprint} {dataset.images.fingerprint} {seed}".encode()
    if key not in _KNOWN:
        learner = CrossEntropy(
            backbone="tiny-cnn", epochs=EPOCHS, channels_last=True, seed=seed, horizontal_flip=flip
        )
        predicted = learner.learn(dataset).predict(test.images).labels
        _KNOWN[key] = float((predicted == test.labels).mean())
    return _KNOWN[key]


def compare(name: str, dataset: Dataset, truth: np.ndarray, test: Dataset, seeds: int, flip: bool):
    """Repair one dataset and print the accuracies with labels as given, repaired and true."""
    curation = ExpectedGain().curate(dataset, ())
    curated = curation.dataset
    place = {one: row for row, one in enumerate(dataset.ids.tolist())}
    of = truth[[place[one] for one in curated.ids.tolist()]]
    clean = dataset.relabeled(truth)
    figures = np.array(
        [
            [accuracy(one, test, seed, flip) for one in (dataset, curated, clean)]
            for seed in range(seeds)
        ]
    )
    gain = figures[:, 1] - figures[:, 0]
    print(
        f"{name:22} wrong labels {(dataset.labels != truth).mean():.3f} -> "
        f"{(curated.labels != of).mean():.3f}, {curation.count('relabel')} relabelled, "
        f"{curation.count('drop')} dropped; accuracy raw {figures[:, 0].mean():.4f}, curated "
        f"{figures[:, 1].mean():.4f}: {gain.mean():+.4f} ± {gain.std(ddof=1) / seeds**0.5:.4f}; "
        f"with true labels {figures[:, 2].mean():.4f}",
        flush=True,
    )


def main() -> None:
    """Compare on all label sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = Path(os.environ.get("ADC_DATA", Path(__file__).parents[1] / "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    images, labels = mnist_images(given.data)
    images = np.pad(np.repeat(images[..., None], 3, axis=3), ((0, 0), (2, 2), (2, 2), (0, 0)))
    features = PatchEncoder().encode(ImageArray(images[:2000]))
    test = Dataset(labels=labels[5000:7000], images=images[5000:7000])
    for name in ("symmetric .16", "all right", "next class .2"):
        noisy = mnist_labels(labels[:2000])[name]
        dataset = Dataset(
            labels=noisy, images=images[:2000], probabilities=ridge_probe(noisy, features)
        )
        compare(f"MNIST, {name}", dataset, labels[:2000], test, given.seeds, flip=False)
    pixels, held_out = cifar10_images(given.data)[:PART], cifar10_images(given.data, "test")[:2000]
    with np.load(given.data / "cifar10" / "labels.npz") as arrays:
        test = Dataset(labels=arrays["test_label"][:2000].astype(np.int64), images=held_out)
    features = PatchEncoder().encode(ImageArray(pixels))
    sets = cifar_labels(given.data, 0)
    for name in ("all right", "random", "worst"):
        noisy = sets[name]
        dataset = Dataset(labels=noisy, images=pixels, probabilities=ridge_probe(noisy, features))
        compare(f"CIFAR-10, {name}", dataset, sets["all right"], test, given.seeds, flip=True)


if __name__ == "__main__":
    main()
