"""What a step of every learner costs beside a bare PyTorch loop of cross-entropy.

The bare loop is written by hand: the same network, batches and optimizer, on images that were
normalized beforehand, with no augmentation, training dynamics or checkpoint. The floor is forward
and backward of one batch alone. All run in turn in one process and one thread; the best of several
rounds counts, in CPU seconds. A method is measured after its warm-up, and what it does between
epochs (passes over the training set, checkpoints) is shared out among the steps; a step of
`dividemix` is a batch of the training set, one epoch of warm-up and one of mixing averaged.

Then the changes of images of 32 pixels, uint8: ours, which change each of a batch by itself at
once; torchvision's image by image; and torchvision's on the batch, which change all alike.

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
from torchvision.transforms import v2

from adc_core import Dataset, Learner, registry, work_context
from adc_plugins_learn import CrossEntropy, build_backbone
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
    options: dict[str, Any] = {"warm_up": 0} if "warm_up" in found.model_fields else {}
    if "transition" in found.model_fields:  # without a warm-up there is none to estimate it by
        options["transition"] = np.eye(CLASSES).tolist()
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


def augmentations() -> dict[str, tuple[Callable[[Tensor], Any], v2.Transform]]:
    """Name to ours, of a batch, and to torchvision's."""
    generator = torch.Generator().manual_seed(0)
    theirs = {
        "random-crop": v2.RandomCrop(SIZE, padding=4),
        "horizontal-flip": v2.RandomHorizontalFlip(),
        "random-resized-crop": v2.RandomResizedCrop(SIZE, antialias=True),
        "color-jitter": v2.ColorJitter(0.4, 0.4, 0.4),
        "cutout": v2.RandomErasing(p=1, scale=(0.25, 0.25), ratio=(1, 1)),
    }
    steps = CrossEntropy(augment=[*theirs]).augment
    assert steps is not None
    ours = [partial(step.change(), generator=generator) for step in steps]
    return dict(zip(theirs, zip(ours, theirs.values(), strict=True), strict=True))


def images_a_second(work: Callable[[], Any], rounds: int) -> float:
    """Images of a batch by CPU seconds, in the best of several rounds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return BATCH / min(times)


def show_augmentations(pixels: Tensor, rounds: int) -> None:
    """Print the second table."""
    print(f"\n{'images a CPU second':26}{'ours':>12}{'image by image':>18}{'all alike':>12}")
    batch = pixels[:BATCH]
    planes = batch.permute(0, 3, 1, 2).contiguous()
    for name, (ours, theirs) in augmentations().items():
        speeds = [
            images_a_second(work, 5 * rounds)
            for work in (
                partial(ours, batch),
                partial(lambda change: torch.stack([change(one) for one in planes]), theirs),
                partial(theirs, planes),
            )
        ]
        print(f"{name:26}{speeds[0]:12,.0f}{speeds[1]:18,.0f}{speeds[2]:12,.0f}")


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
    show_augmentations(torch.from_numpy(pixels), options.rounds)


if __name__ == "__main__":
    main()
