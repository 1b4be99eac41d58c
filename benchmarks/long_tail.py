"""Seven methods for long tails on CIFAR-10, alone and with wrong labels: `adc compare` at work.

A reduced study for a CPU: 300 images of the largest class, a small network on images of 16 pixels,
15 epochs without augmentation, three seeds that draw the tail, the noise, the weights and the
order. Beside them composed methods: co-teaching that chooses within each class, with and without
balanced softmax. Its figures compare the methods here with one another. Published accuracies on
CIFAR-10-LT (ResNet-32, 200 epochs, 5,000 images of the largest class) are printed beside where
authors report them. Test images went through a lossy format (38.9 dB). What is finished is kept
in the cache's folder `long-tail`, which can be looked into.

    python benchmarks/long_tail.py [--ratios 10 50 100] [--seeds 0 1 2] [--epochs 15]
        [--head 300] [--parallel 2] [--data ../shared/data]

The published set-up, on a GPU:

    python benchmarks/long_tail.py --head 5000 --epochs 200 --backbone resnet-cifar-32
        --image-size 32 --set augment=null --set learning_rate=0.1 --set schedule=milestones
        --set 'milestones=[160, 180]' --set step_factor=0.01 --set weight_decay=0.0002
"""

import argparse
import os
from pathlib import Path
from typing import Any

import cifar10n
import numpy as np
import yaml
from scipy.stats import t as student

from adc_core import Dataset, ImageArray, save_dataset
from adc_plugins_compare import Compared, Comparison, compare

METHODS: dict[str, dict[str, Any]] = {
    "cross-entropy": {},
    "focal": {"criterion": "focal"},
    "LDAM": {"criterion": "ldam"},
    "balanced softmax": {"criterion": "balanced-softmax"},
    "logit adjustment": {"criterion": "logit-adjustment"},
    "post-hoc": {"posthoc": "logit-adjustment"},
    "drops": {"posthoc": "drops", "validation_fraction": 0.1},
}
COMPOSED: dict[str, dict[str, Any]] = {
    "co-teaching": {"use": "co-teaching", "forget_rate": 0.2},
    "co-teaching within classes": {
        "use": "co-teaching", "forget_rate": 0.2, "within_classes": True,
    },
    "co-teaching with balanced softmax": {
        "use": "co-teaching", "forget_rate": 0.2, "criterion": "balanced-softmax",
    },
}  # fmt: skip
PUBLISHED = {
    "cross-entropy": {"10": 86.39, "100": 70.36},
    "focal": {"10": 86.66, "100": 70.38},
    "LDAM": {"10": 86.96, "100": 73.35},
}
"""Top-1 accuracy in percent as Cao et al. (NeurIPS 2019, table 2) report it; LDAM without DRW."""

METRICS = ("macro accuracy", "δ-worst accuracy, δ = 1")
CLAIMS = ("balanced softmax", "logit adjustment")
"""These must lead cross-entropy on both metrics."""


def write_data(folder: Path, data: Path, head: int, test: int) -> None:
    """Write `head` images of each class with their true labels, and a test set."""
    if (folder / "test").is_dir():
        return
    with np.load(data / "cifar10" / "labels.npz") as arrays:
        names = tuple(str(name) for name in arrays["names"])
        parts = {part: arrays[f"{part}_label"].astype(np.int64) for part in ("train", "test")}
    rows = {
        "train": np.concatenate([np.flatnonzero(parts["train"] == k)[:head] for k in range(10)]),
        "test": np.arange(test),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for part, chosen in rows.items():
        images = ImageArray(cifar10n.cifar10_images(data, part)[chosen])
        ids = [f"{part}/{row:05}" for row in chosen]
        dataset = Dataset(ids=ids, labels=parts[part][chosen], classes=names, images=images)
        save_dataset(dataset, folder / part)


def comparison_of(
    folder: Path, arguments: argparse.Namespace, noise: float, methods: dict[str, dict[str, Any]]
) -> Comparison:
    """Make the comparison of some methods at all ratios, at one rate of noise."""
    options = {
        "epochs": arguments.epochs,
        "backbone": arguments.backbone,
        "image_size": arguments.image_size,
        "augment": [],
    }
    for key, _, value in (text.partition("=") for text in arguments.set):
        options[key] = yaml.safe_load(value)
    options = {key: value for key, value in options.items() if value is not None}
    wrong = [{"use": "symmetric", "rate": noise}] if noise else []
    return Comparison(
        pipeline={
            "dataset": folder / "train",
            "test": folder / "test",
            "train_on": ["raw"],
            "metrics": [
                "many-medium-few",
                {"use": "delta-worst-accuracy", "deltas": [0, 1]},
            ],
        },
        axes={
            "ratio": {
                f"{ratio:g}": {"simulators": [*wrong, {"use": "long-tail", "ratio": ratio}]}
                for ratio in arguments.ratios
            },
            "method": {
                name: {"learners": [{"use": "cross-entropy", **options, **own}]}
                for name, own in methods.items()
            },
        },
        seeds=tuple(arguments.seeds),
        table={"rows": ["method"], "columns": ["ratio"]},
    )


def leads(compared: Compared) -> list[str]:
    """Say how far the claimed methods lead cross-entropy, with 95 % over the seeds."""
    lines = []
    for table in compared.tables:
        if table.title not in METRICS:
            continue
        rows = {name[0]: entries for name, entries in table.rows}
        for name in CLAIMS:
            for place, ratio in enumerate(table.columns):
                mine, base = rows[name][place], rows["cross-entropy"][place]
                assert mine is not None and base is not None
                if len(mine.values) < 2:
                    continue
                lead = 100 * (np.asarray(mine.values) - np.asarray(base.values))
                width = student.ppf(0.975, len(lead) - 1) * lead.std(ddof=1) / len(lead) ** 0.5
                said = f"{lead.mean():+5.1f} ± {width:.1f} points"
                seeds = f"in {np.sum(lead > 0)} of {len(lead)} seeds"
                lines.append(f"{table.title:24} {name:17} ratio {ratio:>3}: {said}, {seeds}")
    return lines


def main() -> None:
    """Run the comparisons and print their tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cifar10n.add_arguments(parser)
    parser.add_argument("--ratios", type=float, nargs="+", default=[10, 50, 100])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--noise", type=float, nargs="+", default=[0, 0.2])
    parser.add_argument("--head", type=int, default=300, help="images of the largest class")
    parser.add_argument("--test", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--backbone", default="small-cnn")
    parser.add_argument("--image-size", type=int, default=16)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    folder = arguments.cache / "long-tail" / f"{arguments.head}"
    write_data(folder, arguments.data, arguments.head, arguments.test)
    for noise in arguments.noise:
        methods = METHODS | (COMPOSED if noise else {})
        comparison = comparison_of(folder, arguments, noise, methods)
        compared = compare(
            comparison,
            folder / f"noise {noise:g}, {arguments.epochs} epochs",
            parallel=arguments.parallel,
            block=["adc-plugins-publish/html-report"],
        )
        print(f"\n{100 * noise:g} % of the labels wrong\n\n{compared}\n")
        print("Lead over cross-entropy, and half its 95 % interval over the seeds:")
        print("\n".join(leads(compared)), flush=True)
        seconds = [outcome.seconds for outcome in compared.outcomes]
        print(f"\n{len(seconds)} cells, {np.mean(seconds):.1f} s each in the last call")
    print("\nPublished, ResNet-32, 200 epochs, no wrong labels (Cao et al. 2019):")
    for name, figures in PUBLISHED.items():
        print(f"{name:17} " + "  ".join(f"ratio {ratio}: {one}" for ratio, one in figures.items()))


if __name__ == "__main__":
    main()
