"""A folder of one's own with wrong labels, and a run that repairs it, as a user would have them."""

import csv
import sys
from pathlib import Path

import numpy as np
from adc_process import run_adc
from PIL import Image

FORMS = ("image-folder", "webdataset", "hugging-face")
CLASSES = ("high", "low & flat", "middle")
ROWS = 120
WRONG = range(0, ROWS, 12)
"""Rows that lie in the folder of the next class."""

NONE = range(5, ROWS, 30)
"""Rows that show none of the classes."""

PIPELINE = """
dataset: photos
encoder: pixels
enrichers: [linear-probe]
detectors: [simifeat, confident-learning]
curators: [{use: relabel, min_confidence: 0.7}, {use: docta, otherwise: drop, rounds: 5}]
"""

ADC = str(Path(sys.executable).with_name("adc"))


def adc(folder, *words, code=0):
    """Run `adc` as users do; return what it wrote to standard output and error."""
    done = run_adc(*words, cwd=folder)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def paint(folder):
    """Write `photos/CLASS/sub/name`, where names repeat among the classes; true class by path."""
    rng, truth, number = np.random.default_rng(7), {}, [0, 0, 0]
    for row in range(ROWS):
        shown = row % 3
        given = (shown + 1) % 3 if row in WRONG else shown
        pixels = rng.integers(0, 90, (12, 12, 3), np.uint8)
        pixels[4 * shown : 4 * shown + 4] += np.uint8(120)
        if row in NONE:
            pixels = rng.integers(0, 210, (12, 12, 3), np.uint8)
        sub = ("", "shop.a/", "shop.b/")[row % 7 % 3]
        number[given] += 1
        name = f"{CLASSES[given]}/{sub}img.{number[given]:02}{('.png', '.JPG')[row % 2]}"
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        truth[name] = CLASSES[shown]
    return truth


def content(folder):
    """Every file below a folder, with its bytes; and folders that hold none."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.is_file() or not any(path.iterdir())
    }


def read_list(file):
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def write_list(file, rows, **dialect):
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]), **dialect)
        writer.writeheader()
        writer.writerows(rows)
