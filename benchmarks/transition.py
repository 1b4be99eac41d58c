"""How right is a learner's own estimate of the transition matrix, and what does it bring?

Part of CIFAR-10N's worst labels, a small network, few epochs. For each source of the matrix: how
far its rows are from the true ones (half the sum of differences, the mean over classes), its mean
diagonal, and the accuracy of forward correction on right labels at the last epoch. Beside it,
cross-entropy alone and forward correction with the true matrix: the ceiling.

    python benchmarks/transition.py [--images 5000] [--epochs 10] [--seeds 0 1] [--threads 1]
"""

import argparse
import time
import warnings
from typing import Any

import cifar10n
import numpy as np
import torch

from adc_core import Dataset, ImageArray, work_context
from adc_plugins_learn import CrossEntropy, ForwardCorrection
from adc_plugins_learn.methods.transition import count_transition
from adc_plugins_learn.training.strategy import Switch

FRACTIONS = (0.05, 0.1, 0.25, 0.5, 1.0)
SOURCES = ("counted", "frozen", "composed", "raw")


class Watched(ForwardCorrection):
    """Keeps its strategy, which has the matrix."""

    def strategy(self, dataset: Dataset) -> Switch:
        """Return the method, and remember it."""
        kept.append(super().strategy(dataset))
        return kept[-1]


kept: list[Any] = []


def true_matrix(truth: np.ndarray, given: np.ndarray) -> np.ndarray:
    """K × K, row: true class."""
    counts = np.zeros((10, 10))
    np.add.at(counts, (truth, given), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def row_error(matrix: np.ndarray, T: np.ndarray) -> float:
    """Half the sum of differences in a row, the mean over rows."""
    return float(np.abs(matrix - T).sum(axis=1).mean() / 2)


def by_fraction(probabilities: np.ndarray, labels: np.ndarray, T: np.ndarray) -> str:
    """The row error of counting other parts of a class, by the network of cross-entropy."""
    arrays = torch.tensor(probabilities), torch.tensor(labels)
    errors = {part: row_error(count_transition(*arrays, part).numpy(), T) for part in FRACTIONS}
    return "counted of: " + ", ".join(f"{part:g} {error:.3f}" for part, error in errors.items())


def measure(arguments: argparse.Namespace) -> None:
    """A line for each source and seed."""
    images = cifar10n.cifar10_images(arguments.data)
    given, truth = cifar10n.labels_of(arguments.data, "worse_label")
    with np.load(arguments.data / "cifar10" / "labels.npz") as arrays:
        right = arrays["test_label"][: arguments.test].astype(np.int64)
    shown = ImageArray(cifar10n.cifar10_images(arguments.data, "test")[: arguments.test])
    print(
        f"{'matrix':12}{'seed':>5}{'row error':>11}{'diagonal':>10}{'accuracy':>10}{'seconds':>9}"
    )
    for seed in arguments.seeds:
        chosen = np.random.default_rng(seed).permutation(len(given))[: arguments.images]
        dataset = Dataset(labels=given[chosen], images=ImageArray(images[chosen]))
        T = true_matrix(truth[chosen], given[chosen])
        options = {"epochs": arguments.epochs, "seed": seed, "backbone": arguments.backbone}
        rows = tuple(map(tuple, T.tolist()))
        learners = {
            "none": CrossEntropy(**options),
            "true": Watched(**options, transition=rows),
            **{source: Watched(**options, source=source) for source in SOURCES},
        }
        for name, learner in learners.items():
            start = time.process_time()
            with work_context(arguments.cache / f"transition-{name}-{seed}-{arguments.images}"):
                model = learner.learn(dataset)
            accuracy = np.mean(model.predict(shown).labels == right)
            if name == "none":
                print(by_fraction(model.predict(dataset.images).probabilities, dataset.labels, T))
            matrix = np.eye(10) if name == "none" else kept[-1].then.matrix.numpy()
            error = row_error(matrix, T)
            print(
                f"{name:12}{seed:>5}{error:>11.3f}{np.diag(matrix).mean():>10.3f}"
                f"{100 * accuracy:>10.1f}{time.process_time() - start:>9.0f}",
                flush=True,
            )


def main() -> None:
    """Measure on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    cifar10n.add_arguments(parser)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--test", type=int, default=2000, help="test images")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--backbone", default="small-cnn")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(arguments.threads)
    measure(arguments)


if __name__ == "__main__":
    main()
