"""Whether a collection's memory grows with it: the `downloader`, from 10,000 to 200,000 images.

Small images, so that hours become minutes: each is a mosaic of 64 pixels a side, no two alike,
served as in `collection_speed.py`. Memory is the highest sum of resident pages of the process tree.

    python benchmarks/collection_memory.py [--img2dataset peer/bin/img2dataset]
"""

import argparse
import io
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from collection_speed import HOSTS, check, measure, ours, server, theirs
from PIL import Image

RESULT = Path(__file__).parent / "results" / "collection_memory.txt"
CELLS, SIDE = 8, 64
PARTS = 2


def make_images(folder: Path, count: int, part: int) -> None:
    """Every second image, from the first or the second."""
    rng = np.random.default_rng([11, part])
    for number in range(part, count, PARTS):
        cells = rng.integers(0, 256, (CELLS, CELLS, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(cells).resize((SIDE, SIDE), Image.Resampling.NEAREST).save(file, "JPEG")
        (folder / f"{number}.jpg").write_bytes(file.getvalue())


def compare(folder: Path, chosen: argparse.Namespace) -> Iterator[str]:
    """Print and yield the lines of the table."""
    images = folder / "images"
    images.mkdir()
    with ProcessPoolExecutor(PARTS) as pool:
        list(pool.map(partial(make_images, images, max(chosen.images)), range(PARTS)))
    yield f"{'':12}{'images':>9}{'peak MB':>9}{'CPU s / 1,000':>15}{'images / s':>12}"
    with server("collection_server.py", images) as port:
        hosts = [f"{host}:{port}" for host in HOSTS]
        for count in chosen.images:
            urls = [f"http://{hosts[n % len(hosts)]}/{n}.jpg" for n in range(count)]
            commands = {"downloader": ours("pillow", folder, urls, hosts)}
            if chosen.img2dataset:
                commands["img2dataset"] = theirs(chosen.img2dataset, folder, urls)
            for client, command in commands.items():
                cost = measure(command, {})
                check(client, folder, count)
                shutil.rmtree(folder / "work", ignore_errors=True)
                yield (
                    f"{client:12}{count:9}{cost.memory:9.0f}{cost.cpu / count * 1000:15.2f}"
                    f"{count / cost.wall:12.0f}"
                )


def main() -> None:
    """Measure and write the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--images", type=int, nargs="+", default=[10_000, 50_000, 200_000])
    options.add_argument("--img2dataset", help="its program")
    options.add_argument("--no-write", action="store_true", help=f"leave {RESULT.name} as it is")
    chosen = options.parse_args()
    lines = []
    with tempfile.TemporaryDirectory(prefix="adc-collection-") as name:
        for line in compare(Path(name), chosen):
            print(line, flush=True)
            lines.append(line)
    if not chosen.no_write:
        RESULT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
