"""What `adc health` finds of planted defects, what it says of clean images, and what it costs.

Real CIFAR-10 images are written as a folder with planted defects; the shares that are found, and
the share of the other images that each check flags, are printed, with CPU seconds and peak memory
of the whole command. The thresholds of image quality are also applied to all 60,000 CIFAR-10 and
10,000 MNIST images. With --cleanvision the same folder is given to cleanvision's defaults.

    python benchmarks/health.py --data ../shared/data [--rows 4000]
        [--cleanvision PYTHON]   (the interpreter of an environment that has it)
"""

import argparse
import gzip
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image, ImageFilter

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

EXPECTED = {
    "exact": "exact_copy",
    "resized": "near_copy",
    "jpeg": "near_copy",
    "other": "copy_with_another_label",
    "black": "dark",
    "white": "bright",
    "plain": "low_information",
    "noise": "noise",
    "blurred": "blurred",
    "grey": "grey",
    "tiny": "odd_size",
    "wide": "odd_aspect",
    "cut": "broken",
    "junk": "broken",
}
"""Planted defect, as file names begin, to the column of health.parquet that shall be true."""

CLEANVISION = {
    "exact": "exact_duplicates", "resized": "near_duplicates", "jpeg": "near_duplicates",
    "other": "near_duplicates", "black": "dark", "white": "light", "plain": "low_information",
    "blurred": "blurry", "grey": "grayscale", "tiny": "odd_size", "wide": "odd_aspect_ratio",
}  # fmt: skip
"""The same for cleanvision's issues; it has none for noise, and stops at broken files."""

_CLEANVISION = """
import json, sys
from cleanvision import Imagelab
lab = Imagelab(data_path=sys.argv[1], verbose=False)
lab.find_issues(verbose=False)
found = {c[3:-6]: lab.issues.index[lab.issues[c]].tolist()
         for c in lab.issues.columns if c.startswith("is_")}
json.dump(found, open(sys.argv[2], "w"))
"""


def cifar(data: Path, part: str, rows: int) -> np.ndarray:
    """The first images of a part, from mosaics of a thousand."""
    tiles = []
    for path in sorted((data / "cifar10").glob(f"{part}_*.avif"))[: -(-rows // 1000)]:
        with Image.open(path) as mosaic:
            pixels = np.asarray(mosaic.convert("RGB"))
        height, width = pixels.shape[0] // 32, pixels.shape[1] // 32
        tiles.append(pixels.reshape(height, 32, width, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3))
    return np.concatenate(tiles)[:rows]


def mnist(data: Path) -> np.ndarray:
    """The 10,000 test images of MNIST."""
    (path,) = (data / "mnist_label_errors").glob("*images*.gz")
    content = gzip.decompress(path.read_bytes())
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)


def write_folder(folder: Path, data: Path, rows: int) -> None:
    """Clean images under their true labels in two splits, and the planted ones among them."""
    rng = np.random.default_rng(5)
    pixels = cifar(data, "train", rows)
    with np.load(data / "cifar10n" / "cifar10n.npz") as arrays:
        labels = arrays["clean_label"][:rows]

    def put(split: str, label: int, name: str, image: Image.Image, **how: object) -> None:
        path = folder / split / CLASSES[label] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **how)

    images = [Image.fromarray(values) for values in pixels]
    for row, image in enumerate(images):
        put("test" if row % 5 == 0 else "train", labels[row], f"{row:05}.png", image)
    chosen = iter(rng.permutation(rows).tolist())
    for _ in range(10):
        row = next(chosen)
        put("test", labels[row], f"exact{row:05}.png", images[row])
        row = next(chosen)
        put("train", labels[row], f"resized{row:05}.png", images[row].resize((24, 24), 3))
        row = next(chosen)
        put("train", labels[row], f"jpeg{row:05}.jpg", images[row], quality=60)
        row = next(chosen)
        other = (labels[row] + 3) % 10
        put("train", other, f"other{row:05}.png", images[row].resize((48, 48), 3))
        row = next(chosen)
        blurred = images[row].filter(ImageFilter.GaussianBlur(2))
        put("train", labels[row], f"blurred{row:05}.png", blurred)
        row = next(chosen)
        put("train", labels[row], f"grey{row:05}.png", images[row].convert("L"))
        row = next(chosen)
        put("train", labels[row], f"tiny{row:05}.png", images[row].resize((10, 10)))
        row = next(chosen)
        put("train", labels[row], f"wide{row:05}.png", images[row].resize((160, 32)))
    for number in range(5):
        put("train", 3, f"black{number}.png", Image.new("RGB", (32, 32), (number, 0, 0)))
        put("train", 3, f"white{number}.png", Image.new("RGB", (32, 32), (255, 255 - number, 255)))
        put(
            "train",
            3,
            f"plain{number}.png",
            Image.new("RGB", (32, 32), (90 + 10 * number, 120, 60)),
        )
        noise = rng.integers(0, 256, (32, 32, 3), np.uint8)
        put("train", 3, f"noise{number}.png", Image.fromarray(noise))
        content = io.BytesIO()
        images[number].resize((64, 64)).save(content, "JPEG")
        place = folder / "train" / CLASSES[3]
        (place / f"cut{number}.jpg").write_bytes(content.getvalue()[:-300])
        (place / f"junk{number}.jpg").write_bytes(b"<html>")


def timed(words: list[str], folder: Path) -> tuple[float, float]:
    """CPU seconds of a command, and the peak of its memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, after.ru_maxrss / 1024


def planted(path: str | Path) -> str:
    """What was planted in a file, or nothing."""
    return Path(path).stem.rstrip("0123456789")


def told(found: dict[str, set[str]], paths: list[str], expected: dict[str, str]) -> None:
    """Print what was found of each planted defect, and of the other images by each check."""
    kinds = Counter(map(planted, paths))
    clean = {path for path in paths if not planted(path)}
    print(f"  {'planted':<10}{'check':<26}found")
    for kind, check in expected.items():
        hits = sum(planted(path) == kind for path in found.get(check, ()))
        print(f"  {kind:<10}{check:<26}{hits} of {kinds[kind]}")
    print(f"  of {len(clean):,} images as they are:")
    for check in dict.fromkeys(expected.values()):
        hits = len(found.get(check, set()) & clean)
        print(f"  {'':<10}{check:<26}{hits} ({100 * hits / len(clean):.2f} %)")


def real_images(data: Path) -> None:
    """Print how many real images each threshold flags."""
    from adc_core import ImageArray
    from adc_plugins_detect.health.image_issues import image_issues
    from adc_plugins_detect.image_measures.measures import measure_images

    whole = np.concatenate([cifar(data, "train", 50_000), cifar(data, "test", 10_000)])
    for name, pixels in (("CIFAR-10", whole), ("MNIST", mnist(data))):
        flags = image_issues(measure_images(ImageArray(pixels)))
        shown = ", ".join(f"{issue} {int(found.sum())}" for issue, found in flags.items())
        print(f"{name}, {len(pixels):,} images: {shown}")


def main() -> None:
    """Plant, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("ADC_DATA", Path(__file__).parents[1] / "../shared/data"))
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--cleanvision", metavar="PYTHON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_folder(place / "photos", arguments.data, arguments.rows)
        # The greatest memory of any child so far is kept: the command that is compared runs first.
        if arguments.cleanvision:
            # It stops at a broken file, so it is given the folder without them.
            broken = [p for p in (place / "photos").rglob("*") if planted(p) in ("cut", "junk")]
            aside = {path: path.read_bytes() for path in broken}
            for path in broken:
                path.unlink()
            words = [arguments.cleanvision, "-c", _CLEANVISION, "photos", "found.json"]
            seconds, memory = timed(words, place)
            lists = json.loads((place / "found.json").read_text())
            for path, content in aside.items():
                path.write_bytes(content)
            print(f"cleanvision: {seconds:.1f} CPU s, {memory:.0f} MB")
            paths = [str(path) for path in (place / "photos").rglob("*.*")]
            told({check: set(found) for check, found in lists.items()}, paths, CLEANVISION)
        adc = shutil.which("adc", path=str(Path(sys.executable).parent))
        for again in ("", ", again"):
            seconds, memory = timed([str(adc), "health", "photos"], place)
            print(f"adc health{again}: {seconds:.1f} CPU s, {memory:.0f} MB or less")
        table = pq.read_table(place / "runs" / "photos-health" / "health.parquet")
        paths = table["image"].to_pylist()
        found = {
            check: {
                path for path, flag in zip(paths, table[check].to_pylist(), strict=True) if flag
            }
            for check in {*EXPECTED.values(), "outlier"}
        }
        told(found, paths, EXPECTED)
    real_images(arguments.data)


if __name__ == "__main__":
    main()
