"""How fast images are collected: the `downloader` beside img2dataset, one server, one list.

4,000 JPEG files of 300 to 800 pixels a side, made here from 1/f noise and strokes, are served by
50 hosts of loopback. Each client runs as a program of its own, 64 requests at once, two processes;
every image is shrunk to a shorter side of 256 pixels and written into tar files. CPU is what the
program and its children used, start-up included, per 1,000 images; memory is the highest sum of
resident pages of the process tree; the floor is the same kernel on bytes in memory. pandas, which
pyarrow imports wherever it finds it, is hidden from ours: an installation of ADC has none.

    python -m venv peer && peer/bin/pip install img2dataset
    python benchmarks/collection_speed.py --img2dataset peer/bin/img2dataset

It needs `trustme` for the certificates, and `opencv-python-headless` for the decoder `opencv`.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
RESULT = HERE / "results" / "collection_speed.txt"
HOSTS = [f"127.0.0.{number}" for number in range(1, 51)]
IN_FLIGHT, PROCESSES, SIZE, PER_SHARD = 64, 2, 256, 1000
FIELD = 1600

COLLECT = """
import sys

class NoPandas:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, NoPandas())
from adc_core import Design, Query
from adc_core import work_context
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.searchers.manifest import ManifestSearcher

folder, manifest, decoder, count, *hosts = sys.argv[1:]
design = Design(
    classes=("a", "b"),
    queries=[Query(text=name, class_name=name) for name in ("a", "b")],
    samples_per_query=int(count),
)
collector = Downloader(
    image_size=SIZE, decoder=decoder, max_connections=IN_FLIGHT, processes=PROCESSES,
    shard_size=PER_SHARD, allow_hosts=hosts,
)
with work_context(folder):
    print(len(collector.collect(design, [ManifestSearcher(path=manifest)])))
"""


@dataclass(frozen=True)
class Cost:
    """What one run took: CPU and wall seconds, and MB."""

    cpu: float
    wall: float
    memory: float


def noise(seed: int) -> np.ndarray:
    """A field of coloured 1/f noise."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(FIELD)[:, None], np.fft.rfftfreq(FIELD)[None])
    frequency[0, 0] = 1
    fields = []
    for _ in range(4):
        spectrum = np.fft.rfft2(rng.standard_normal((FIELD, FIELD))) / frequency**1.33
        field = np.fft.irfft2(spectrum, s=(FIELD, FIELD))
        fields.append((field - field.mean()) / field.std())
    light, *colors = fields
    pixels = np.stack([128 + 45 * light + 12 * color for color in colors], axis=-1)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def make_images(folder: Path, count: int, part: int) -> None:
    """Every second image, from the first or the second."""
    field = noise(part)
    for number in range(part, count, PROCESSES):
        rng = np.random.default_rng([7, number])
        width, height = (int(side) for side in rng.integers(300, 801, 2))
        left, top = (int(rng.integers(0, FIELD - side)) for side in (width, height))
        image = Image.fromarray(field[top : top + height, left : left + width])
        draw = ImageDraw.Draw(image)
        for _ in range(10):
            line = [int(place) for place in rng.integers(0, 800, 4)]
            color = tuple(int(level) for level in rng.integers(0, 256, 3))
            draw.line(line, fill=color, width=int(rng.integers(1, 20)))
        image.save(
            folder / f"{number}.jpg",
            quality=int(rng.integers(70, 93)),
            progressive=bool(rng.random() < 0.2),
            subsampling="4:4:4" if rng.random() < 0.2 else "4:2:0",
        )


def kernel(decoder: str, paths: list[Path]) -> float:
    """CPU seconds that verifying takes, from memory."""
    from adc_plugins_search.download.images.verify import ImageRules, verify

    rules = ImageRules(size=SIZE, min_side=32, max_pixels=64_000_000, decoder=decoder)
    bodies = [path.read_bytes() for path in paths]
    verify(bodies[0], rules, "")
    started = time.process_time()
    for body in bodies:
        verify(body, rules, "")
    return time.process_time() - started


def floor(decoder: str, images: Path) -> float:
    """CPU seconds for a thousand images, in as many processes as the clients have."""
    paths = sorted(images.iterdir())
    halves = [paths[part::PROCESSES] for part in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        return sum(pool.map(partial(kernel, decoder), halves)) / len(paths) * 1000


def resident(root: int) -> float:
    """MB of resident pages of a process and its children; shared pages count for each."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
        except OSError:  # it has ended
            continue
    tree = {root}
    while more := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return sum(pages.get(process, 0) for process in tree) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a program to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    most = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            most[0] = max(most[0], resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert process.stdout
    output = process.stdout.read().decode(errors="replace")
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    ended.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed:\n{output[-2000:]}")
    return Cost(used.ru_utime + used.ru_stime, wall, most[0])


@contextmanager
def server(program: str, *arguments: Path) -> Iterator[int]:
    """One of the servers of this folder in a process of its own; gives its port."""
    command = [sys.executable, str(HERE / program), *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def certificates(folder: Path) -> tuple[Path, Path]:
    """A bundle of authorities as systems have it, with ours in it; and the server's own."""
    import certifi
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert(*HOSTS)
    bundle, own = folder / "bundle.pem", folder / "server.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    issued.private_key_and_cert_chain_pem.write_to_path(own)
    return bundle, own


def ours(decoder: str, folder: Path, urls: list[str], hosts: list[str]) -> list[str]:
    """The command that collects with the downloader."""
    manifest = folder / "list.csv"
    rows = [f"{url},{'ab'[number % 2]}" for number, url in enumerate(urls)]
    manifest.write_text("\n".join(["url,label", *rows]) + "\n")
    program = COLLECT
    for name in ("SIZE", "IN_FLIGHT", "PROCESSES", "PER_SHARD"):
        program = program.replace(name, str(globals()[name]))
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    return [
        *(sys.executable, "-c", program, str(work), str(manifest), decoder),
        *(str(len(urls)), *hosts),
    ]


def theirs(program: str, folder: Path, urls: list[str]) -> list[str]:
    """The command that collects with img2dataset."""
    (folder / "list.txt").write_text("\n".join(urls) + "\n")
    out = folder / "img2dataset"
    shutil.rmtree(out, ignore_errors=True)
    options = {
        "url_list": folder / "list.txt",
        "output_folder": out,
        "output_format": "webdataset",
        "image_size": SIZE,
        "resize_mode": "keep_ratio",
        "resize_only_if_bigger": True,
        "processes_count": PROCESSES,
        "thread_count": IN_FLIGHT // PROCESSES,
        "number_sample_per_shard": PER_SHARD,
    }
    return [program, *(f"--{name}={value}" for name, value in options.items())]


def main() -> None:
    """Measure and write the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--img2dataset", default=shutil.which("img2dataset"), help="its program")
    options.add_argument("--images", type=int, default=4000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", help="a part of a configuration's name")
    options.add_argument("--no-write", action="store_true", help=f"leave {RESULT.name} as it is")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="adc-collection-") as name:
        lines = list(compare(Path(name), chosen))
    if not chosen.no_write:
        RESULT.write_text("\n".join(lines) + "\n")


def compare(folder: Path, chosen: argparse.Namespace) -> Iterator[str]:
    """Print and yield the lines of the table."""
    images = folder / "images"
    images.mkdir()
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(partial(make_images, images, chosen.images), range(PROCESSES)))
    sizes = [path.stat().st_size for path in images.iterdir()]
    floors: dict[str, list[float]] = {"pillow": [], "opencv": []}
    bundle, certificate = certificates(folder)
    runs: dict[str, list[Cost]] = {}
    program = "collection_server.py"
    with server(program, images) as http, server(program, images, certificate) as tls:
        for number in range(chosen.rounds):
            for decoder, seconds in floors.items():
                seconds.append(floor(decoder, images))
            # Once will do for TLS: the factor is large, and img2dataset takes minutes.
            for scheme, port in (("http", http), ("TLS", tls))[: 1 if number else 2]:
                hosts = [f"{host}:{port}" for host in HOSTS]
                protocol = "https" if scheme == "TLS" else "http"
                urls = [
                    f"{protocol}://{hosts[image % len(hosts)]}/{image}.jpg"
                    for image in range(chosen.images)
                ]
                environment = {"SSL_CERT_FILE": str(bundle)} if scheme == "TLS" else {}
                commands = {
                    "downloader, pillow": ours("pillow", folder, urls, hosts),
                    "downloader, opencv": ours("opencv", folder, urls, hosts),
                }
                if chosen.img2dataset:
                    commands["img2dataset"] = theirs(chosen.img2dataset, folder, urls)
                for client, command in commands.items():
                    if chosen.only and chosen.only not in f"{client} {scheme}":
                        continue
                    shutil.rmtree(folder / "work", ignore_errors=True)
                    runs.setdefault(f"{client} {scheme}", []).append(measure(command, environment))
                    check(client, folder, chosen.images)
    yield from table(chosen, runs, floors, sizes)


def check(client: str, folder: Path, images: int) -> None:
    """Whether every image has arrived."""
    import tarfile

    root = folder / ("img2dataset" if client == "img2dataset" else "work/images")
    found = 0
    for path in root.glob("*.tar"):
        with tarfile.open(path) as tar:
            found += sum(name.endswith(".jpg") for name in tar.getnames())
    if found != images:
        raise SystemExit(f"{client} has stored {found} of {images} images")


def table(
    chosen: argparse.Namespace,
    runs: dict[str, list[Cost]],
    floors: dict[str, list[float]],
    sizes: list[int],
) -> Iterator[str]:
    """The lines of the table, printed as they come."""

    def say(line: str) -> str:
        print(line, flush=True)
        return line

    kilobytes = statistics.mean(sizes) / 1000
    yield say(
        f"{chosen.images} JPEG files, {kilobytes:.1f} kB on average, from {len(HOSTS)} hosts; "
        f"{IN_FLIGHT} requests at once, {PROCESSES} processes; the least seconds and the "
        f"most memory of {chosen.rounds} rounds over http, of one over TLS; a shared machine"
    )
    yield say(f"Python {platform.python_version()}, {os.cpu_count()} processors")
    yield say(f"{'':28}{'CPU s':>9}{'images':>9}{'peak':>8}   ratios to img2dataset")
    yield say(f"{'':28}{'/1,000':>9}{'/s':>9}{'MB':>8}   {'CPU':>7}{'speed':>7}{'memory':>8}")
    # Whatever else runs on the machine adds to the seconds, never takes from them.
    best = {
        name: Cost(
            min(cost.cpu for cost in costs),
            min(cost.wall for cost in costs),
            max(cost.memory for cost in costs),
        )
        for name, costs in runs.items()
    }
    for name, cost in best.items():
        other = best.get(f"img2dataset {name.rpartition(' ')[2]}")
        ratios = ""
        if other and other is not cost:
            ratios = (
                f"   {cost.cpu / other.cpu:7.2f}{other.wall / cost.wall:7.2f}"
                f"{cost.memory / other.memory:8.2f}"
            )
        each = cost.cpu / chosen.images * 1000
        speed = chosen.images / cost.wall
        yield say(f"{name:28}{each:9.2f}{speed:9.0f}{cost.memory:8.0f}{ratios}")
    for decoder, seconds in floors.items():
        yield say(f"{f'floor of {decoder}':28}{min(seconds):9.2f}")


if __name__ == "__main__":
    main()
