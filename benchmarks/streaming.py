"""Training on images that are streamed, beside images in memory: speed and memory.

Images are JPEGs of 256 pixels in a temporary folder. The floor of streaming is to decode them;
peak memory is that of the process and of those that decode for it, shared pages counted for each.

    python benchmarks/streaming.py [--counts 2000 8000] [--size 64] [--num-workers 1]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def draw(folder: Path, count: int) -> None:
    """Smooth noise, which compresses like a photograph."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for row in range(count):
        small = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
        small.resize((256, 256), Image.Resampling.BICUBIC).save(folder / f"{row}.jpg", quality=90)


def measure(kind: str, folder: Path, count: int, size: int, num_workers: int) -> None:
    """Prints a line of JSON: seconds and CPU seconds of one epoch."""
    import torch

    from adc_core import Dataset, ImageFiles
    from adc_plugins_learn import CrossEntropy

    torch.set_num_threads(1)
    images = ImageFiles(folder, [f"{row}.jpg" for row in range(count)])
    start, used = time.perf_counter(), os.times()
    if kind == "decode":
        for first in range(0, count, 256):
            images.resized(size, np.arange(first, min(first + 256, count)), threads=1)
    else:
        dataset = Dataset(labels=np.arange(count) % 10, images=images)
        options = {
            "image_size": size,
            "epochs": 1,
            "image_loading": kind,
            "num_workers": num_workers,
        }
        CrossEntropy(**options).learn(dataset)
    now = os.times()
    cpu = sum(now[:4]) - sum(used[:4])
    print(json.dumps({"wall": time.perf_counter() - start, "cpu": cpu}))


def peak_of(process: subprocess.Popen[str]) -> tuple[str, float]:
    """What a process printed, and the most memory that it and its children held together, in MB."""
    most = 0
    while process.poll() is None:
        most = max(most, sum(resident(pid) for pid in [process.pid, *children(process.pid)]))
        time.sleep(0.05)
    assert process.stdout is not None
    return process.stdout.read(), most / 1e3


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    paths = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for path in paths for child in path.read_text().split()]


def resident(process: int) -> int:
    """The memory that a process holds, in kB."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def main() -> None:
    """Every case in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", nargs="+", type=int, default=[2000, 8000])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--num-workers", type=int, default=1)
    parser.add_argument("--child", nargs=2, metavar=("KIND", "FOLDER"))
    arguments = parser.parse_args()
    if arguments.child:
        kind, folder = arguments.child
        measure(kind, Path(folder), arguments.counts[0], arguments.size, arguments.num_workers)
        return
    print(f"{'':22}{'images':>10}{'CPU s':>9}{'images/s':>12}{'peak MB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), max(arguments.counts))
        for count in arguments.counts:
            for kind in ("decode", "in-memory", "streaming"):
                command = [sys.executable, __file__, "--child", kind, folder]
                command += ["--counts", str(count), "--size", str(arguments.size)]
                command += ["--num-workers", str(arguments.num_workers)]
                with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                    printed, peak = peak_of(process)
                told = json.loads(printed.splitlines()[-1])
                rate = count / told["wall"]
                print(f"{kind:22}{count:>10,}{told['cpu']:>9.1f}{rate:>12.0f}{peak:>9.0f}")


if __name__ == "__main__":
    main()
