"""Data with known wrong labels, of any size, for the benchmarks of speed."""

from pathlib import Path

import numpy as np


def planted_probabilities(folder: Path, rows: int, classes: int) -> None:
    """Softmax of Gaussian logits, single precision; a fifth of the labels is wrong."""
    random = np.random.default_rng(0)
    truth = random.integers(0, classes, rows)
    wrong = random.random(rows) < 0.2
    labels = np.where(wrong, random.integers(0, classes, rows), truth)
    np.save(folder / "labels.npy", labels)
    shape = (rows, classes)
    out = np.lib.format.open_memmap(folder / "probabilities.npy", "w+", np.float32, shape)
    lift = 3.5 + np.log(classes / 12) / 2
    step = max(1, (1 << 24) // classes)
    for start in range(0, rows, step):
        part = slice(start, min(rows, start + step))
        logits = random.standard_normal((part.stop - start, classes), np.float32)
        logits[np.arange(len(logits)), truth[part]] += lift
        powers = np.exp(logits)
        out[part] = powers / powers.sum(axis=1, keepdims=True)
    out.flush()


def planted_features(folder: Path, rows: int, width: int, classes: int = 10) -> None:
    """Like the features of a network: 24 directions of their own, and noise."""
    random = np.random.default_rng(0)
    truth = random.integers(0, classes, rows)
    wrong = random.random(rows) < 0.2
    labels = np.where(wrong, (truth + random.integers(1, classes, rows)) % classes, truth)
    np.save(folder / "labels.npy", labels)
    np.save(folder / "truth.npy", truth)
    centers = 1.5 * random.standard_normal((classes, 24), np.float32)
    mixing = random.standard_normal((24, width), np.float32)
    shape = (rows, width)
    out = np.lib.format.open_memmap(folder / "features.npy", "w+", np.float32, shape)
    for start in range(0, rows, 1 << 16):
        part = slice(start, min(rows, start + (1 << 16)))
        hidden = centers[truth[part]] + random.standard_normal((part.stop - start, 24), np.float32)
        out[part] = hidden @ mixing
        out[part] += random.standard_normal((part.stop - start, width), np.float32) / 2
    out.flush()
