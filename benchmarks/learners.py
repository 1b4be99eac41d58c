"""Every learner on the labels that people gave CIFAR-10 images (CIFAR-10N, Wei et al., 2022).

A reduced study for a CPU: part of the training images, a small network, few epochs. Its figures
compare the learners here with one another; the published ones, printed beside, are of ResNet-34,
all 50,000 images and 100 epochs, each with its own schedule. Test images went through a lossy
format (38.9 dB). Each training is a process of its own; what is finished is kept and not repeated.

    python benchmarks/learners.py [NAME …] [--labels worse_label random_label1] [--seeds 0 1]
        [--images 10000] [--epochs 10] [--backbone small-cnn] [--data ../shared/data]

The published setting, on a GPU; any option of a learner is set by `--set`, as YAML:

    python benchmarks/learners.py cross-entropy elr --labels worse_label --images 50000 --test 10000
        --preset cifar-n [--set precision=bfloat16] [--set channels_last=true]

A reduced study that is long enough for memorization (kept in results/learners_memorization.txt):
true labels of which `--labels symmetric-0.4` makes four in ten wrong, small images, not augmented:

    python benchmarks/learners.py cross-entropy generalized-cross-entropy elr co-teaching
        forward-correction dividemix --labels symmetric-0.4 --seeds 0 1 2 --images 2500 --epochs 30
        --set image_size=16 --set augment=[] --set weight_decay=0 …

An option of one learner alone: `--set co-teaching.forget_rate=0.4`. Of two networks each is shown
beside what they predict together.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import cifar10n
import numpy as np
import yaml
from numpy.typing import NDArray

PUBLISHED = {
    "cross-entropy": (85.02, 77.69),
    "forward-correction": (86.88, 79.79),
    "backward-correction": (87.14, 77.61),
    "generalized-cross-entropy": (87.61, 80.66),
    "peer-loss": (89.06, 82.00),
    "f-divergence": (89.70, 82.53),
    "positive-label-smoothing": (89.80, 82.76),
    "negative-label-smoothing": (90.29, 82.99),
    "co-teaching": (90.33, 83.83),
    "jocor": (90.30, 83.37),
    "elr": (91.46, 83.58),
    "elr-plus": (94.43, 91.09),
    "cores": (89.66, 83.60),
    "dividemix": (95.16, 92.56),
}
"""Best test accuracy in percent on random_label1 and worse_label, as CIFAR-10N's authors report
them; co-teaching's first figure is that of Co-teaching on another table (90.69 when repeated)."""


def train(
    name: str, column: str, seed: int, options: dict[str, Any], arguments: argparse.Namespace
) -> None:
    """One training; prints a line of JSON."""
    import torch

    from adc_core import Dataset, ImageArray, Learner, create, work_context
    from adc_core.errors import lines_of

    warnings.simplefilter("ignore")
    torch.set_num_threads(arguments.threads)
    given = labels_named(column, seed, arguments.data)
    chosen = np.random.default_rng(seed).permutation(len(given))[: arguments.images]
    dataset = Dataset(
        labels=given[chosen], images=ImageArray(cifar10n.cifar10_images(arguments.data)[chosen])
    )
    with np.load(arguments.data / "cifar10" / "labels.npz") as arrays:
        truth = arrays["test_label"][: arguments.test].astype(np.int64)
    test = Dataset(
        labels=truth,
        images=ImageArray(cifar10n.cifar10_images(arguments.data, "test")[: arguments.test]),
    )
    try:
        learner = create(Learner, {"use": name, **options, "seed": seed})
    except ValueError as error:
        raise SystemExit("; ".join(lines_of(error))) from None
    start, wall = time.process_time(), time.perf_counter()
    folder = arguments.cache / "learners" / f"{name}-{column}-{seed}"
    steps: list[int] = []

    def tell(done: int, total: int | None, unit: str) -> None:
        steps.append(done)
        print(f"\r{name} {column} {seed}: {unit} {done} of {total}", end="", file=sys.stderr)

    with work_context(folder, tell):
        history = learner.learn(dataset, test).history
    wall = time.perf_counter() - wall
    # The rest was done before an interruption.
    here = (steps[-1] - steps[0] + 1) / steps[-1] if steps else 0
    accuracies = [epoch.validation_accuracy or 0.0 for epoch in history]
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    figures = {
        "last": accuracies[-1],
        "each": list(history[-1].member_accuracies),
        "best": max(accuracies),
        "cpu": time.process_time() - start,
        "MB": int(peak.split()[1]) / 1024,
        "images/s": here * len(dataset) * len(history) / wall,
    }
    print(f"\n{json.dumps(figures)}")


def settings(arguments: argparse.Namespace, learner: str | None = None) -> dict[str, Any]:
    """Options of one or every learner, as they were asked for; a preset decides what was not."""
    plain = {} if arguments.preset else {"epochs": 10, "backbone": "small-cnn"}
    given = {"preset": arguments.preset, "epochs": arguments.epochs, "backbone": arguments.backbone}
    more = {}
    for key, _, value in map(_halves, arguments.set):
        owner, dot, option = key.rpartition(".")
        if learner is None or not dot or owner == learner:
            more[option if learner else key] = yaml.safe_load(value)
    return {**plain, **{key: value for key, value in given.items() if value}, **more}


def labels_named(column: str, seed: int, data: Path) -> NDArray[np.int64]:
    """A column of CIFAR-10N, or the true labels with symmetric noise: symmetric-0.4."""
    noise, _, rate = column.partition("-")
    if noise != "symmetric":
        return cifar10n.labels_of(data, column)[0]
    from adc_core import Dataset, Simulator, create

    with np.load(data / "cifar10" / "labels.npz") as arrays:
        truth = arrays["train_label"].astype(np.int64)
    simulator = create(Simulator, {"use": "symmetric", "rate": float(rate), "seed": seed})
    return simulator.corrupt(Dataset(labels=truth)).labels


def _halves(setting: str) -> tuple[str, str, str]:
    if "=" not in setting:
        raise SystemExit(f"--set {setting}: write key=value")
    return setting.partition("=")


def study(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """All trainings that are asked for: key to figures; finished ones come from the file."""
    asked = json.dumps([settings(arguments), arguments.test], sort_keys=True)
    number = sha256(asked.encode()).hexdigest()[:8]
    path = arguments.cache / f"learners-{arguments.images}-{number}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.exists() else {}
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads)}
    for column in arguments.labels:
        for seed in arguments.seeds:
            for name in arguments.names:
                key = f"{name} {column} {seed}"
                if key in known:
                    continue
                options = json.dumps(settings(arguments, name))
                command = [sys.executable, __file__, "--child", name, column, str(seed), options]
                command += ["--images", str(arguments.images), "--test", str(arguments.test)]
                command += ["--data", str(arguments.data), "--cache", str(arguments.cache)]
                command += ["--threads", str(arguments.threads)]
                done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
                if done.returncode:
                    print(f"{key} failed", file=sys.stderr)
                    continue
                known[key] = json.loads(done.stdout.splitlines()[-1])
                path.write_text(json.dumps(known, indent=1) + "\n")
    return known


def show(known: dict[str, dict[str, float]], arguments: argparse.Namespace) -> None:
    """A table per set of labels."""
    for column in arguments.labels:
        print(
            f"\n{column}: {arguments.images:,} images, {settings(arguments)}, seeds "
            f"{arguments.seeds}; {arguments.test:,} test images, %"
        )
        print(
            f"{'':30}{'last':>14}{'each':>7}{'best':>14}{'CPU':>8}{'MB':>7}{'images/s':>10}"
            f"{'published best':>16}"
        )
        base = [known.get(f"cross-entropy {column} {seed}") for seed in arguments.seeds]
        plain = np.mean([one["cpu"] for one in base if one]) if any(base) else np.nan
        for name in arguments.names:
            runs = [known.get(f"{name} {column} {seed}") for seed in arguments.seeds]
            runs = [run for run in runs if run]
            if not runs:
                continue
            cells = [
                f"{100 * np.mean(values):.1f} ± {100 * np.std(values):.1f}"
                for values in ([run[key] for run in runs] for key in ("last", "best"))
            ]
            cpu = np.mean([run["cpu"] for run in runs]) / plain
            memory = max(run["MB"] for run in runs)
            speed = np.mean([run["images/s"] for run in runs])
            each = [np.mean(run["each"]) for run in runs if run.get("each")]
            alone = f"{100 * np.mean(each):.1f}" if each else ""
            published = PUBLISHED.get(name, (None, None))[column == "worse_label"]
            print(
                f"{name:30}{cells[0]:>14}{alone:>7}{cells[1]:>14}{cpu:>7.2f}×{memory:>7.0f}{speed:>10.0f}"
                f"{published or '':>16}"
            )


def main() -> None:
    """Train what is missing and print the tables."""
    from adc_core import registry

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="learners; by default all that are installed")
    parser.add_argument("--labels", nargs="+", default=["worse_label", "random_label1"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--test", type=int, default=5000, help="test images; there are 10,000")
    parser.add_argument("--epochs", type=int, help="10 without a preset")
    parser.add_argument("--backbone", help="small-cnn without a preset")
    parser.add_argument("--preset", help="cifar-n, adc")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--child", nargs=4, metavar=("NAME", "LABELS", "SEED", "OPTIONS"))
    cifar10n.add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.child:
        name, column, seed, options = arguments.child
        train(name, column, int(seed), json.loads(options), arguments)
        return
    installed = [entry.name for entry in registry.entries("learners")]
    arguments.names = arguments.names or sorted(installed, key=lambda name: name != "cross-entropy")
    show(study(arguments), arguments)


if __name__ == "__main__":
    main()
