"""A long collection from the web at its worst: each address ends as it must, memory stays flat.

Seven in ten of the addresses are small good images, three in ten are faults, every kind of
`soak_kinds.py` among them. The table shows how many of each kind ended how; one that ended
otherwise, twice or not at all is wrong. With `--kills` the same collection is made once more and
killed that many times at random moments, half of them together with its workers; in the end its
dataset and its lists of hits and refusals must be those of the collection that nobody disturbed.

    python benchmarks/soak.py [--count 20000] [--kills 20]
"""

import argparse
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import pyarrow.parquet as pq
from collection_speed import resident, server
from soak_answers import HOSTS, MAX_BYTES
from soak_kinds import KEPT, KINDS, addresses, choose, outcomes

HERE = Path(__file__).parent
RESULT = HERE / "results" / "soak.txt"
GROWTH = 1.2
"""The most that memory may reach in the last quarter, as a multiple of that in the first."""
ENOUGH = 2000
"""Addresses below which a quarter is too short to tell."""

COLLECT = """
import sys
from adc_core import Design, Query
from adc_core import work_context
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.searchers.manifest import ManifestSearcher

folder, manifest, count, processes, shard_size, timeout, *hosts = sys.argv[1:]
design = Design(
    classes=("a", "b"),
    queries=[Query(text=name, class_name=name) for name in ("a", "b")],
    samples_per_query=int(count),
)
collector = Downloader(
    processes=int(processes), shard_size=int(shard_size), allow_hosts=hosts, max_connections=128,
    max_connections_per_host=16, max_bytes=MAX_BYTES, min_side=8, retries=2, backoff=0.1,
    timeout=float(timeout), read_timeout=float(timeout) / 2, max_wait=60, interval=0,
    contact="soak@example.org",
)
with work_context(folder, lambda done, total, unit: print(unit, done, flush=True)):
    print("result", collector.collect(design, [ManifestSearcher(path=manifest)]).fingerprint)
""".replace("MAX_BYTES", str(MAX_BYTES))


@dataclass
class Run:
    """One run of the collecting program, to its end or to its death.

    Attributes:
        result: the dataset's fingerprint; empty where it was killed.
        seconds: how long it ran.
        memory: the most MB in each quarter of the addresses.
    """

    result: str = ""
    seconds: float = 0.0
    memory: list[float] = field(default_factory=lambda: [0.0] * 4)


def children_of(root: int) -> set[int]:
    """The processes below a process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    found: set[int] = set()
    while more := {one for one, parent in parents.items() if parent in found | {root}} - found:
        found |= more
    return found


class Collecting:
    """Runs the collecting program over one list, as often as is asked.

    Args:
        arguments: what the program is called with, but for the folder.
        count: how many addresses there are.
        patience: seconds without progress after which it is said to hang.
    """

    def __init__(self, arguments: list[str], count: int, patience: float) -> None:
        self._arguments = arguments
        self._count = count
        self._patience = patience

    def run(self, folder: Path, kill: "Kill | None" = None) -> Run:
        """Run to the end, or until it is killed.

        Raises:
            SystemExit: it fails, or hangs.
        """
        run, started = Run(), time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", COLLECT, str(folder), *self._arguments],
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        told: SimpleQueue[str] = SimpleQueue()
        Thread(target=_listen, args=(process, told), daemon=True).start()
        done, first = 0, -1
        heard = looked = time.monotonic()
        while True:
            try:
                line = told.get(timeout=0.1)
            except Empty:
                line = " "
            if not line:
                break
            now = time.monotonic()
            unit, _, number = line.strip().partition(" ")
            if unit == "result":
                run.result = number
            if unit == "image":
                done = int(number)
                first = done if first < 0 else first
            if unit:
                heard = now
            elif now - heard > self._patience:
                _end(process, together=True)
                raise SystemExit(f"no progress after {done} of {self._count} addresses: it hangs")
            if now - looked > 0.2:
                looked = now
                quarter = min(3, 4 * done // self._count)
                run.memory[quarter] = max(run.memory[quarter], resident(process.pid))
            if kill and kill.due(time.perf_counter() - started, done - first if unit else -1):
                _end(process, kill.together)
                return run
        if process.wait():
            raise SystemExit(f"the collection failed: exit code {process.returncode}")
        run.seconds = time.perf_counter() - started
        return run


def _listen(process: "subprocess.Popen[str]", told: SimpleQueue[str]) -> None:
    assert process.stdout
    for line in process.stdout:
        told.put(line)
    told.put("")


def _end(process: "subprocess.Popen[str]", together: bool) -> None:
    """Kill a program: with its workers, or so that they have to notice by themselves."""
    os.kill(process.pid, signal.SIGSTOP)  # it shall start no others meanwhile
    for one in children_of(process.pid) if together else ():
        os.kill(one, signal.SIGKILL)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class Kill:
    """When to kill: so many seconds after the start, or so many addresses."""

    seconds: float
    addresses: float
    together: bool

    def due(self, seconds: float, ended: int) -> bool:
        """Whether it is time."""
        return seconds > self.seconds or ended >= self.addresses


def plan(kills: int, count: int, rng: random.Random) -> Iterator[Kill]:
    """Every third in the first seconds, the others spread over the collection."""
    for number in range(kills):
        together = rng.random() < 0.5
        if number % 3 == 2:
            yield Kill(rng.uniform(0, 4), float("inf"), together)
        else:
            yield Kill(float("inf"), rng.uniform(0, 1.5 * count / kills), together)


def soak(folder: Path, chosen: argparse.Namespace) -> Iterator[str]:
    """Collect, and yield the lines of the table; raises SystemExit where anything is wrong."""
    rng = random.Random(chosen.seed)
    kinds = choose(chosen.count, rng)
    with server("soak_server.py") as port:
        unused = port + 1 if port < 65_535 else port - 1
        urls = addresses(kinds, port, unused, rng)
        rows = [f"{url},{rng.choice('ab') if row else 'a'}" for row, url in enumerate(urls)]
        manifest = folder / "list.csv"
        manifest.write_text("\n".join(["url,label", *rows]) + "\n")
        allowed = [f"{host}:{each}" for host in HOSTS for each in (port, unused)]
        numbers = chosen.count, chosen.processes, chosen.shard_size, chosen.timeout
        arguments = [str(manifest), *map(str, numbers), *allowed]
        collecting = Collecting(arguments, chosen.count, chosen.patience)
        whole = collecting.run(folder / "whole")
        counts, wrong = outcomes(folder / "whole", urls)
        yield (
            f"{chosen.count} addresses, {chosen.count - kinds.count('good')} of them faulty, on "
            f"{len(HOSTS)} hosts; {chosen.processes} processes, shards of {chosen.shard_size}; "
            f"Python {platform.python_version()}, {os.cpu_count()} processors, shared"
        )
        yield f"{'kind':20}{'expected':18}{'ended':>24}{'count':>8}"
        for (name, ended), number in sorted(counts.items(), key=lambda each: _place(*each[0])):
            yield f"{name:20}{KINDS[name].expected or KEPT:18}{ended:>24}{number:8}"
        yield f"wrong or missing: {len(wrong)}"
        yield from wrong[:20]
        yield f"seconds: {whole.seconds:.0f}"
        quarters = " ".join(f"{each:.0f}" for each in whole.memory)
        yield f"most MB in each quarter, coordinator and workers: {quarters}"
        if chosen.kills:
            killed = _disturbed(collecting, folder / "killed", chosen, rng)
            wrong += _differences(whole, killed, folder)
            yield f"killed {chosen.kills} times and resumed: {wrong[-1] if wrong else 'the same'}"
    if wrong:
        raise SystemExit("an address ended otherwise than it must")
    if chosen.count >= ENOUGH and whole.memory[-1] > GROWTH * whole.memory[0]:
        raise SystemExit("memory has grown")


def _place(name: str, ended: str) -> tuple[int, str]:
    return list(KINDS).index(name), ended


def _disturbed(
    collecting: Collecting, folder: Path, chosen: argparse.Namespace, rng: random.Random
) -> Run:
    left = list(plan(chosen.kills, chosen.count, rng))
    while left:
        run = collecting.run(folder, left[-1])
        if run.result:  # it was quicker; the next one shall die while it starts
            left[-1] = Kill(rng.uniform(0, 2), float("inf"), left[-1].together)
        else:
            left.pop()
    return collecting.run(folder)


def _differences(whole: Run, killed: Run, folder: Path) -> Iterator[str]:
    if whole.result != killed.result:
        yield "another dataset"
    for name in ("refused.parquet", "hits.parquet"):
        if pq.read_table(folder / "whole" / name) != pq.read_table(folder / "killed" / name):
            yield f"another {name}"
    if parts := [path.name for path in (folder / "killed" / "images").glob("*.part")]:
        yield f"left behind: {', '.join(parts)}"


def main() -> None:
    """Collect, print the table and write it."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--count", type=int, default=20_000, help="addresses")
    options.add_argument("--kills", type=int, default=0, help="kills of a second collection")
    options.add_argument("--processes", type=int, default=2, help="workers of the downloader")
    options.add_argument("--shard-size", type=int, default=200, help="images in a tar file")
    options.add_argument("--timeout", type=float, default=8, help="seconds for one request")
    options.add_argument("--patience", type=float, default=120, help="seconds without progress")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    chosen = options.parse_args()
    lines = [f"python benchmarks/soak.py {' '.join(sys.argv[1:])}"]
    with tempfile.TemporaryDirectory(prefix="adc-soak-") as name:
        for line in soak(Path(name), chosen):
            print(line, flush=True)
            lines.append(line)
    if chosen.write:
        RESULT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
