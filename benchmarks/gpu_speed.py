"""What a step costs on a GPU: its kernels, a loop written by hand, and ours.

For batches of 128 and 512 and three kinds of method (one network, two networks, semi-supervised):

    kernels   milliseconds that kernels and copies fill, by torch's profiler; nothing is faster
    bare      a loop as one writes it by hand on the same augmented images; nothing waits for the
              device; for cross-entropy and co-teaching
    ours      `Learner.learn`, between two steps in the middle of a training

All with bfloat16 and channels_last. Milliseconds of a step, and ours by the other two.

    python benchmarks/gpu_speed.py [--backbone preact-resnet18] [--batches 128 512] [--seconds 4]
    python benchmarks/gpu_speed.py --device cpu --backbone tiny-cnn --batches 32 --seconds 0.2
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from adc_core import Dataset, Learner, create, work_context
from adc_plugins_learn import build_backbone, co_teaching_losses, cross_entropy

CLASSES, SIZE, REACH = 10, 32, 4
FORGET = 0.4
METHODS: dict[str, dict[str, Any]] = {
    "cross-entropy": {},
    "co-teaching": {"forget_rate": FORGET, "gradual_epochs": 1},
    "dividemix": {"warm_up": 0},
}


class EnoughError(Exception):
    """What was to be measured is over."""


class Clock:
    """Counts steps of a training, and ends it: listens to its progress.

    Args:
        device: waited for at both ends.
        seconds: how long to measure, after as long a beginning.
        profiler: started and stopped with the measurement.
    """

    def __init__(self, device: torch.device, seconds: float, profiler: Any = None) -> None:
        self.device, self.seconds, self.profiler = device, seconds, profiler
        self.begun: float | None = None
        self.born = time.perf_counter()
        self.first = self.last = 0
        self.taken = 0.0

    def __call__(self, done: int, total: int | None, unit: str) -> None:
        """Begin after some steps, end after some more."""
        now = time.perf_counter()
        if self.begun is None and done > 5 and now - self.born > self.seconds:
            wait(self.device)
            self.begun, self.first = time.perf_counter(), done
            if self.profiler:
                self.profiler.start()
        elif self.begun is not None and now - self.begun > self.seconds and done > self.first:
            wait(self.device)
            self.taken, self.last = time.perf_counter() - self.begun, done
            if self.profiler:
                self.profiler.stop()
            raise EnoughError

    @property
    def milliseconds(self) -> float:
        """Of a step."""
        return 1000 * self.taken / (self.last - self.first)


def wait(device: torch.device) -> None:
    """Wait for all that was launched."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ours(learner: Learner, dataset: Dataset, clock: Clock) -> Clock:
    """Train until the clock has seen enough."""
    with tempfile.TemporaryDirectory() as folder, work_context(folder, clock):
        try:
            learner.learn(dataset)
        except EnoughError:
            return clock
    raise SystemExit("the training ended before it was measured: give more images")


def kernels(learner: Learner, dataset: Dataset, device: torch.device, seconds: float) -> float:
    """Milliseconds of a step that kernels and copies fill; nan where there is no GPU."""
    if device.type != "cuda":
        return float("nan")
    profiler = profile(activities=[ProfilerActivity.CUDA])
    clock = ours(learner, dataset, Clock(device, seconds / 4, profiler))
    filled = sum(event.self_device_time_total for event in profiler.key_averages())
    return filled / 1000 / (clock.last - clock.first)


def augmented(pixels: Tensor, rows: Tensor) -> Tensor:
    """Crop after padding and mirror, as the recipes of CIFAR do, on the device."""
    batch = pixels[rows].permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    padded = nn.functional.pad(batch, (REACH,) * 4)
    count, side = len(rows), torch.arange(SIZE, device=pixels.device)
    moves = torch.randint(0, 2 * REACH + 1, (2, count, 1), device=pixels.device)
    which = torch.arange(count, device=pixels.device)[:, None, None]
    y, x = (moves[axis] + side for axis in range(2))
    cut = padded.permute(0, 2, 3, 1)[which, y[:, :, None], x[:, None, :]]
    mirrored = torch.rand(count, 1, 1, 1, device=pixels.device) < 0.5
    return torch.where(mirrored, cut.flip(2), cut).permute(0, 3, 1, 2)


def bare(
    name: str, backbone: str, batch: int, data: tuple[Tensor, Tensor], seconds: float
) -> float:
    """Milliseconds of a step of a loop written by hand; nan for a method without one here."""
    pixels, labels = data
    device = pixels.device
    networks = [
        build_backbone(backbone, CLASSES).to(device).train().to(memory_format=torch.channels_last)
        for _ in range({"cross-entropy": 1, "co-teaching": 2}.get(name, 0))
    ]
    if not networks:
        return float("nan")
    parameters = [p for network in networks for p in network.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)

    def step() -> None:
        rows = torch.randint(0, len(pixels), (batch,), device=device)
        images = augmented(pixels, rows)
        with torch.autocast(device.type, torch.bfloat16):
            logits = [network(images).float() for network in networks]
        if name == "cross-entropy":
            loss = cross_entropy(logits[0], labels[rows]).mean()
        else:
            loss = sum(co_teaching_losses(logits[0], logits[1], labels[rows], FORGET))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return timed(step, device, seconds)


def timed(step: Callable[[], None], device: torch.device, seconds: float) -> float:
    """Milliseconds of a step, after a few."""
    for _ in range(5):
        step()
    wait(device)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        for _ in range(5):
            step()
        wait(device)
        count += 5
    return 1000 * (time.perf_counter() - started) / count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backbone", default="preact-resnet18")
    parser.add_argument("--batches", type=int, nargs="+", default=[128, 512])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no GPU is at hand: --device cpu shows that the program runs")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (options.images, SIZE, SIZE, 3), dtype=np.uint8)
    dataset = Dataset(labels=np.arange(options.images) % CLASSES, images=pixels)
    labels = torch.from_numpy(dataset.labels.copy()).to(device)
    data = torch.from_numpy(pixels).to(device), labels
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{where}, torch {torch.__version__}, {options.backbone}, bfloat16, channels_last")
    print(f"{'ms a step':32}{'kernels':>9}{'bare':>9}{'ours':>9}{'/ kernels':>11}{'/ bare':>9}")
    for batch in options.batches:
        for name, more in METHODS.items():
            shared = {"backbone": options.backbone, "batch_size": batch, "epochs": 1000}
            fast = {"precision": "bfloat16", "channels_last": True, "device": options.device}
            learner = create(
                Learner, {"use": name, **shared, **fast, **more, "max_translation": REACH}
            )
            filled = kernels(learner, dataset, device, options.seconds)
            by_hand = bare(name, options.backbone, batch, data, options.seconds)
            own = ours(learner, dataset, Clock(device, options.seconds)).milliseconds
            print(
                f"{name + f', batches of {batch}':32}{filled:9.2f}{by_hand:9.2f}{own:9.2f}"
                f"{own / filled:11.2f}{own / by_hand:9.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
