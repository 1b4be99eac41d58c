"""Write the digits of the studies beside this file: `python make_digits.py runs/rater-digits`.

They are the 1,797 of scikit-learn. For the study of imbalance raters label them first and the
samples are chosen afterwards, so that the raters are the same for both datasets; for the study of
pretraining a network learns five other digits.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from adc_core import Dataset, read_dataset
from adc_plugins_learn import CrossEntropy
from adc_plugins_review import RaterPool

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
EASY, HARD = (0, 2, 4, 6), (1, 3, 8, 9)
SOME = 700
"""Samples of each dataset of even and odd digits."""


def write(path: Path, rows: np.ndarray, labels: list[str]) -> None:
    """Write a manifest of some digits."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "path", "label"])
        for row, label in zip(rows.tolist(), labels, strict=True):
            writer.writerow([f"{row:04}", f"images/{row:04}.png", label])


def main(folder: Path, epochs: int = 10) -> None:
    """Write images, manifests and weights that were trained for some epochs into a new folder."""
    (folder / "images").mkdir(parents=True)
    pixels, digit = load_digits(return_X_y=True)
    gray = (pixels.reshape(-1, 8, 8) * 15.9).astype(np.uint8)
    for row, image in enumerate(gray):
        Image.fromarray(image).resize((16, 16)).save(folder / "images" / f"{row:04}.png")
    rng = np.random.default_rng(0)
    tested = rng.random(len(digit)) < 0.3

    def both(name: str, classes: tuple[int, ...], most: int | None = None) -> None:
        known = np.isin(digit, classes)
        for suffix, rows in (("", known & ~tested), ("-test", known & tested)):
            some = np.flatnonzero(rows)[: None if suffix else most]
            write(folder / f"{name}{suffix}.csv", some, [NAMES[digit[row]] for row in some])

    both("easy", EASY)
    both("hard", HARD)
    both("few", (0, 1, 2, 3, 4), most=200)
    both("others", (5, 6, 7, 8, 9))
    network = CrossEntropy(image_size=16, epochs=epochs, horizontal_flip=False, device="cpu")
    network.learn(read_dataset(folder / "others.csv")).save(folder / "pretrained")

    parity = np.array(["even", "odd"])
    odd = digit % 2
    learned = np.flatnonzero(~tested)
    given = Dataset(labels=odd[learned], classes=tuple(parity), features=pixels[learned])
    said = RaterPool(raters=5, pool_size=20, error=0.3, expert_share=0).corrupt(given).labels
    write(folder / "parity-truth.csv", learned, parity[odd[learned]].tolist())
    for name, share in (("balanced", 0.5), ("imbalanced", 0.8)):
        for suffix, among, count in (
            ("", learned, SOME),
            ("-test", np.flatnonzero(tested), SOME // 2),
        ):
            many = round(share * count)
            parts = (np.flatnonzero(odd[among] == 1)[:many],
                     np.flatnonzero(odd[among] == 0)[: count - many])  # fmt: skip
            place = np.sort(np.concatenate(parts))
            labels = odd[among[place]] if suffix else said[place]
            write(folder / f"{name}{suffix}.csv", among[place], parity[labels].tolist())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
