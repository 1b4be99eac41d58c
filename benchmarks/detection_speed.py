"""What the detectors cost beside their peers: CPU seconds and peak memory of fresh processes.

Every measured call runs in a process of its own, ours and the peer's in turn, with a fixed number
of threads; the least CPU time of the rounds counts, for other programs only ever add to it. Peak
memory is the whole process: interpreter, libraries, input and work. Each table states the floor:
what must be read or multiplied, and what doing only that costs here.

    python benchmarks/detection_speed.py [PART ...] [--rounds 3] [--threads 1]

Parts: import, confident-learning, neighbors, simifeat, hoc, growth. The peers cleanlab and FAISS
are used where they are installed (`pip install cleanlab faiss-cpu`); for SimiFeat the peer's
figures are those published for the reference code, which may not be copied here.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from detection_calls import Figures
from planted import planted_features, planted_probabilities

CALLS = Path(__file__).with_name("detection_calls.py")


class Bench:
    """Runs children and prints what they cost."""

    def __init__(self, rounds: int, threads: int) -> None:
        self.rounds = rounds
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self.environment = os.environ | dict.fromkeys(names, str(threads))

    def measure(
        self, *tasks: str, arguments: list[str], rounds: int | None = None
    ) -> list[Figures]:
        """Each task's figures, the cheapest of several rounds in which they take turns."""
        best: list[Figures] = [{} for _ in tasks]
        for _ in range(rounds or self.rounds):
            for place, task in enumerate(tasks):
                figures = self._run(task, arguments)
                if not best[place] or figures["cpu"] < best[place]["cpu"]:
                    best[place] = figures
        return best

    def _run(self, task: str, arguments: list[str]) -> Figures:
        command = [sys.executable, CALLS, task, *arguments]
        done = subprocess.run(
            command, env=self.environment, stdout=subprocess.PIPE, text=True, check=True
        )
        figures: Figures = json.loads(done.stdout.splitlines()[-1])
        return figures


def show(name: str, ours: Figures, peers: dict[str, Figures]) -> None:
    """Print figures, ours first, and the peers' as multiples of ours."""
    said = ", ".join(
        f"{key} {value:,.0f}" if value >= 100 else f"{key} {value:.3f}"
        for key, value in ours.items()
    )
    print(f"{name}\n  ours: {said}")
    for peer, figures in peers.items():
        rest = "".join(
            f", {key} {value:,.3f}" for key, value in figures.items() if key not in ("cpu", "MB")
        )
        print(
            f"  {peer}: cpu {figures['cpu']:.3f} = {figures['cpu'] / ours['cpu']:.2f} × ours, "
            f"MB {figures['MB']:,.0f} = {figures['MB'] / ours['MB']:.2f} × ours{rest}",
            flush=True,
        )


def bench_import(bench: Bench) -> None:
    """Interpreter, libraries and package, to the first usable function."""
    ours = "from adc_plugins_detect import confident_learning"
    rows = [
        bench.measure("import", arguments=[statement], rounds=5)[0]
        for statement in (ours, "import cleanlab.filter", "import numpy")
    ]
    show("import", rows[0], {"cleanlab": rows[1], "floor (numpy alone)": rows[2]})


def bench_confident_learning(bench: Bench) -> None:
    """Three sizes beside cleanlab, from a memory map."""
    for rows, classes in ((1_000_000, 12), (50_000, 1000), (50_000, 12_000)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            planted_probabilities(folder, rows, classes)
            tasks = [f"{who}_confident_learning" for who in ("ours", "cleanlab", "floor")]
            figures = bench.measure(
                *tasks, arguments=[name], rounds=1 if classes > 10_000 else None
            )
            differs = np.setxor1d(np.load(folder / "ours.npy"), np.load(folder / "peer.npy"))
            size = rows * classes * 4 / 1e6
            show(
                f"confident learning, {rows:,} × {classes:,} ({size:,.0f} MB): "
                f"{len(differs)} samples flagged by one and not the other",
                figures[0],
                {"cleanlab": figures[1], f"floor (one pass over {size:,.0f} MB)": figures[2]},
            )


def bench_neighbors(bench: Bench) -> None:
    """Exact beside exact, and a million rows by the index."""
    with tempfile.TemporaryDirectory() as name:
        planted_features(Path(name), 50_000, 512)
        tasks = [f"{who}_neighbors" for who in ("ours", "faiss", "sklearn", "floor")]
        figures = bench.measure(*tasks, arguments=[name], rounds=2)
        peers = {"faiss, exact": figures[1], "scikit-learn, exact": figures[2]}
        flops = 50_000**2 * 512 / 1e12
        peers[f"floor (products of all pairs once, {flops:.2f} TFLOP)"] = figures[3]
        show("10 neighbors, 50,000 × 512", figures[0], peers)
    with tempfile.TemporaryDirectory() as name:
        planted_features(Path(name), 1_000_000, 128)
        ours = bench.measure("ours_neighbors", arguments=[name], rounds=1)[0]
        show("10 neighbors by an index, 1,000,000 × 128 (512 MB)", ours, {})


def bench_simifeat(bench: Bench) -> None:
    """The whole job of Docta: graph, HOC and 21 rounds, at its own sizes."""
    published = {10_000: (251, 990), 50_000: (4220, 9600)}
    for rows, (cpu, megabytes) in published.items():
        with tempfile.TemporaryDirectory() as name:
            planted_features(Path(name), rows, 512)
            ours = bench.measure("ours_simifeat", arguments=[name], rounds=1)[0]
            reference = {"cpu": float(cpu), "MB": float(megabytes)}
            show(
                f"SimiFeat and HOC, {rows:,} × 512",
                ours,
                {"reference code (51 rounds), elsewhere": reference},
            )


def bench_hoc(bench: Bench) -> None:
    """HOC for many classes."""
    for classes in (10, 100, 1000):
        ours = bench.measure("ours_hoc", arguments=[str(classes), "50000"], rounds=1)[0]
        show(f"HOC, 50,000 samples, {classes} classes (truth: 0.8 and 0.2)", ours, {})


def bench_growth(bench: Bench) -> None:
    """CPU per sample at three sizes: what grows linearly keeps it."""
    for rows in (10_000, 100_000, 1_000_000):
        with tempfile.TemporaryDirectory() as name:
            planted_probabilities(Path(name), rows, 10)
            ours = bench.measure("ours_growth", arguments=[name], rounds=2)[0]
            cost = ", ".join(
                f"{key} {value / rows * 1e6:.2f}"
                for key, value in ours.items()
                if key not in ("cpu", "MB")
            )
            print(f"µs of CPU per sample, {rows:,} samples: {cost}", flush=True)


PARTS = {
    "import": bench_import,
    "confident-learning": bench_confident_learning,
    "neighbors": bench_neighbors,
    "simifeat": bench_simifeat,
    "hoc": bench_hoc,
    "growth": bench_growth,
}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(["one of", *PARTS]))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    for part in arguments.parts or PARTS:
        PARTS[part](Bench(arguments.rounds, arguments.threads))


if __name__ == "__main__":
    main()
