"""What a step of every learner costs beside a bare PyTorch loop of cross-entropy.

The bare loop is written by hand: the same network, batches and optimizer, on images that were
normalized beforehand, with no augmentation, training dynamics or checkpoint. The floor is forward
and backward of one batch alone. All run in turn in one process and one thread; the best of several
rounds counts, in CPU seconds. A method is measured after its warm-up, and what it does between
epochs (passes over the training set, checkpoints) is shared out among the steps; a step of
`dividemix` is a batch of the training set, one epoch of warm-up and one of mixing averaged.

    python benchmarks/training_speed.py [--backbone small-cnn] [--rounds 6] [--learners jocor …]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from adc_core import Dataset, Learner, registry, work_context
from adc_plugins_learn import build_backbone
from adc_plugins_learn.training.data.normalize import channel_statistics, to_input

IMAGES, SIZE, CLASSES, BATCH, EPOCHS = 640, 32, 10, 64, 2
STEPS = EPOCHS * IMAGES // BATCH


def floor(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """CPU seconds of forward and backward of one batch."""
    images, labels = images[:BATCH], labels[:BATCH]
    started = time.process_time()
    for _ in range(STEPS):
        nn.functional.cross_entropy(network(images), labels).backward()
        network.zero_grad()
    return (time.process_time() - started) / STEPS


def bare_loop(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """CPU seconds of a step as one would write it by hand."""
    optimizer = torch.optim.SGD(
        network.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    started = time.process_time()
    for _ in range(EPOCHS):
        for rows in torch.randperm(IMAGES).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[rows]), labels[rows]).backward()
            optimizer.step()
    return (time.process_time() - started) / STEPS


def method(name: str, settings: dict[str, Any]) -> Learner:
    """A learner by name, without warm-up where it has one."""
    found = registry.load(Learner, name)
    options = {"warm_up": 0} if "warm_up" in found.model_fields else {}
    return found(**settings, **options)


def step_of(learner: Learner, dataset: Dataset) -> float:
    """CPU seconds of a step of ours, from the end of the first step to the finished model."""
    times: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        work_context(folder, lambda *_: times.append(time.process_time())),
    ):
        learner.learn(dataset)
        return (time.process_time() - times[0]) / (STEPS - 1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backbone", default="small-cnn")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--learners", nargs="*", help="which; without it all")
    options = parser.parse_args()
    torch.set_num_threads(1)

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (IMAGES, SIZE, SIZE, 3), dtype=np.uint8)
    dataset = Dataset(labels=np.arange(IMAGES) % CLASSES, images=pixels)
    labels = torch.from_numpy(dataset.labels.copy())
    images = to_input(torch.from_numpy(pixels), *channel_statistics([torch.from_numpy(pixels)]))

    settings = {
        "backbone": options.backbone,
        "image_size": SIZE,
        "batch_size": BATCH,
        "device": "cpu",
    }
    plain = {**settings, "epochs": EPOCHS, "max_translation": 0, "horizontal_flip": False}
    names = options.learners or sorted(entry.name for entry in registry.entries("learners"))
    augmented = method("cross-entropy", {**settings, "epochs": EPOCHS})

    def network() -> nn.Module:
        return build_backbone(options.backbone, CLASSES).train()

    cases: dict[str, Callable[[], float]] = {
        "forward and backward alone": lambda: floor(network(), images, labels),
        "bare loop": lambda: bare_loop(network(), images, labels),
        "cross-entropy, augmented": lambda: step_of(augmented, dataset),
    }
    for name in names:
        cases[name] = partial(step_of, method(name, plain), dataset)
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(options.rounds):
        for name, case in cases.items():
            best[name] = min(best[name], case())
    bare = best["bare loop"]
    print(f"{options.backbone}, {BATCH} images of {SIZE} pixels, one thread")
    print(f"{'a step of':34}{'CPU ms':>8}{'ratio to bare':>16}")
    for name, seconds in best.items():
        print(f"{name:34}{1000 * seconds:8.1f}{seconds / bare:16.2f}")


if __name__ == "__main__":
    main()
