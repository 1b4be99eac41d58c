"""What a large dataset costs: build, fingerprint, save and read 1,000,000 rows x 512 float32.

The floor writes the same bytes plainly, hashes them, reads and hashes them again. Both run in
fresh processes, in turn; CPU seconds, the best of three runs, so that other users of the disk do
not count; memory is the peak of the process less what the array itself takes.

    python benchmarks/dataset.py [--rows 1000000] [--columns 512]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import numpy as np


def features_of(rows: int, columns: int) -> np.ndarray:
    """Numbers that cost little to draw."""
    block = np.random.default_rng(0).normal(size=(1000, columns)).astype(np.float32)
    return np.tile(block, (rows // 1000, 1))


def ours(rows: int, columns: int, folder: Path) -> dict[str, float]:
    """Build, fingerprint, save and read a dataset."""
    from adc_core import Dataset, read_dataset, save_dataset

    features = features_of(rows, columns)
    labels = np.arange(rows) % 10
    marks = [time.process_time()]
    dataset = Dataset(labels=labels, features=features)
    marks.append(time.process_time())
    first = dataset.fingerprint
    marks.append(time.process_time())
    save_dataset(dataset, folder / "dataset")
    marks.append(time.process_time())
    again = read_dataset(folder / "dataset")
    marks.append(time.process_time())
    assert again.fingerprint == first
    names = ("build", "fingerprint", "save", "read and verify")
    return dict(zip(names, np.diff(marks).tolist(), strict=True))


def floor(rows: int, columns: int, folder: Path) -> dict[str, float]:
    """Write and hash the same bytes plainly, read and hash them again."""
    features = features_of(rows, columns)
    marks = [time.process_time(), time.process_time()]
    first = sha256(features.data).hexdigest()
    marks.append(time.process_time())
    with (folder / "plain").open("wb") as file:
        file.write(features.data)
    marks.append(time.process_time())
    digest = sha256()
    with (folder / "plain").open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    assert digest.hexdigest() == first
    marks.append(time.process_time())
    names = ("build", "fingerprint", "save", "read and verify")
    return dict(zip(names, np.diff(marks).tolist(), strict=True))


def measured(part: str, rows: int, columns: int, folder: Path) -> dict[str, float]:
    """One part in a process of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        os.sync()
        words = [sys.executable, __file__, "--part", part, "--rows", str(rows)]
        words += ["--columns", str(columns), "--folder", place]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=512)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--part", choices=("ours", "floor"))
    given = parser.parse_args()
    if given.part:
        work = ours if given.part == "ours" else floor
        result = work(given.rows, given.columns, given.folder)
        array = given.rows * given.columns * 4
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(result | {"total": sum(result.values()), "peak GB": (peak - array) / 1e9}))
        return
    size = given.rows * given.columns * 4 / 1e9
    print(f"{given.rows:,} rows x {given.columns}, {size:.2f} GB; CPU seconds")
    runs = [
        {
            part: measured(part, given.rows, given.columns, given.folder)
            for part in ("floor", "ours")
        }
        for _ in range(3)
    ]
    best = {
        part: {key: min(run[part][key] for run in runs) for key in runs[0][part]}
        for part in ("floor", "ours")
    }
    print(f"{'':18}{'floor':>9}{'ours':>9}{'ratio':>8}")
    for key, value in best["ours"].items():
        plain = best["floor"][key]
        ratio = f"{value / plain:8.2f}" if plain > 1e-3 else f"{'':>8}"
        print(f"{key:18}{plain:9.2f}{value:9.2f}{ratio}")


if __name__ == "__main__":
    main()
