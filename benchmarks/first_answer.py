"""What a newcomer's first command answers on a folder, beside cleanlab's on the same model.

    python benchmarks/first_answer.py --data ../shared/data [--images 4000] [--options=--fast]

Makes folders of CIFAR-10 images with labels of people and of MNIST digits, types
`adc detect photos`, and says which share of the most suspicious labels is really wrong, what was
said of evidence and rate, and what it cost. cleanlab judges the probabilities that the command has
made.
"""

import argparse
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from cifar10n import cifar10_images, labels_of
from cleanlab.filter import find_label_issues
from label_sets import mnist_images, symmetric
from PIL import Image

from adc_core import read_run


def write_folder(folder: Path, images: np.ndarray, given: np.ndarray) -> None:
    """Write images as `CLASS/NUMBER.png`."""
    for row, (pixels, label) in enumerate(zip(images, given, strict=True)):
        path = folder / f"class {label}" / f"{row:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def answer(name: str, images: np.ndarray, given: np.ndarray, truth: np.ndarray, options: str):
    """Type the command on one folder and print what came of it."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, "photos")
        write_folder(folder, images, given)
        command = [sys.executable, "-m", "adc_core.cli", "detect", "photos", *shlex.split(options)]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        run = read_run(Path(work, "runs", "photos-detect"))
        table = pq.read_table(Path(work, "runs", "photos-detect", "findings.parquet"))
    row = np.array([int(Path(name).stem) for name in table["id"].to_pylist()])
    wrong = (given != truth)[row]
    order = np.argsort(table["rank"].to_numpy())
    values = run.collected.probabilities.values.astype(np.float64)
    values /= values.sum(axis=1, keepdims=True)
    labels = run.collected.labels
    peer = find_label_issues(labels, values, return_indices_ranked_by="self_confidence", n_jobs=1)
    said = [line for line in done.stdout.splitlines() if line.startswith(("evidence", "wrong"))]
    print(
        f"{name}: truly wrong {wrong.mean():.1%}\n"
        f"  adc detect: top 30 {wrong[order[:30]].mean():.2f}, top 100 "
        f"{wrong[order[:100]].mean():.2f}; flagged {table['flagged'].to_numpy().mean():.1%}\n"
        f"  cleanlab:   top 30 {wrong[peer[:30]].mean():.2f}, top 100 "
        f"{wrong[peer[:100]].mean():.2f}; flagged {len(peer) / len(wrong):.1%}\n"
        f"  {'; '.join(said)}\n"
        f"  {done.stderr.splitlines()[0] if done.stderr else ''}\n"
        f"  {seconds:.0f} s, {cpu:.0f} CPU s, at most {after.ru_maxrss >> 10} MB in one process",
        flush=True,
    )


def main() -> None:
    """Ask about every folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = Path(os.environ.get("ADC_DATA", Path(__file__).parents[1] / "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--options", default="", help="of adc detect")
    given = parser.parse_args()
    n = given.images
    pixels = cifar10_images(given.data)[:n]
    random1, truth = (labels[:n] for labels in labels_of(given.data, "random_label1"))
    worst = labels_of(given.data, "worse_label")[0][:n]
    half = np.where(np.random.default_rng(1).random(n) < 0.5, random1, truth)
    columns = {"all right": truth, "half of random": half, "random": random1, "worst": worst}
    for name, labels in columns.items():
        answer(f"CIFAR-10, {name}", pixels, labels, truth, given.options)
    digits, labels = mnist_images(given.data)
    digits, labels = digits[:2000], labels[:2000]
    answer("MNIST, as it is", digits, labels, labels, given.options)
    answer("MNIST, symmetric .16", digits, symmetric(labels, 0.16), labels, given.options)


if __name__ == "__main__":
    main()
