"""How well the LSTM's own weights read the dynamics of photographs: 10,000 images of CIFAR-10N.

One training for each of two label columns; everything else is judged by the same curves. On two
cores this takes five minutes.

    python benchmarks/lstm_dynamics.py --data ../shared/data [--weights mine.safetensors]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from cifar10n import add_arguments, cifar10_images, labels_of

from adc_core import Dataset, Dynamics, work_context
from adc_plugins_detect import aum, data_maps, lstm_dynamics
from adc_plugins_detect.metrics.detection import rank_figures
from adc_plugins_learn import CrossEntropy

ROWS = 10_000
EPOCHS = 10


def scores(labels: np.ndarray, dynamics: Dynamics, weights: Path | None) -> dict[str, np.ndarray]:
    """Suspicion of every sample by each way of reading the curves."""
    return {
        "lstm-dynamics": lstm_dynamics(labels, dynamics, weights=weights).suspicion,
        "last epoch": 1 - dynamics.given_probability[:, -1],
        "aum": aum(labels, dynamics).suspicion,
        "data-maps": data_maps(labels, dynamics).suspicion,
    }


def main() -> None:
    """Train, judge and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--weights", type=Path, help="of lstm-dynamics (default: the package's)")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        print(f"skipped: {arguments.data} is not there")
        return
    torch.set_num_threads(arguments.threads)
    images = cifar10_images(arguments.data)[:ROWS]
    for column in ("random_label1", "worse_label"):
        given, true = (labels[:ROWS] for labels in labels_of(arguments.data, column))
        with work_context(arguments.cache / "lstm"):
            model = CrossEntropy(epochs=arguments.epochs).learn(
                Dataset(labels=given, images=images)
            )
        wrong = given != true
        print(f"{column}: {wrong.mean():.1%} wrong, {arguments.epochs} epochs")
        for name, suspicion in scores(given, model.dynamics, arguments.weights).items():
            figures = rank_figures(wrong, suspicion)
            print(f"  {name:14} AP {figures.average_precision:.3f}  AUC {figures.roc_auc:.3f}")


if __name__ == "__main__":
    main()
