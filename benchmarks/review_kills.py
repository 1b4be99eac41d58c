"""Kill what reads votes at random moments: in the end there are the same bytes.

    python benchmarks/review_kills.py [--moments 10] [--seed 0]

`adc run` with votes, `adc review export` and `adc certify` are each killed ten times, at moments
from the start to how long it takes undisturbed. A killed command leaves its former result or none;
then it runs to the end, and every file is compared but for dates.
"""

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from adc_core.storage import save_dataset
from adc_core.testing.toys import toy_dataset

PIPELINE = """
dataset: toys
enrichers: [{use: votes, path: run/review/votes.csv}]
detectors: [predicted-differs]
curators: [{use: votes, rule: one-then-two}]
"""
DATED = {"run.json", "report.html", ".lock"}


def main():
    """Kill each command, and say how often that was in the midst of its work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        commands = {
            "run": ["run", "toys.yaml", "--out", "run"],
            "review export": ["review", "run", "export", "--to", "run/review/votes-out.csv"],
            "certify": ["certify", "run", "--votes", "run/review/votes.csv"],
        }
        for title, words in commands.items():
            once, again = folder / "once", folder / "again"
            for copy in (once, again):
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(folder / "made", copy)
            begun = time.perf_counter()
            adc(once, words).check_returncode()
            took = time.perf_counter() - begun
            killed = 0
            for _ in range(arguments.moments):
                process = subprocess.Popen(
                    [sys.executable, "-m", "adc_core.cli", *words], cwd=again,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                time.sleep(chance.uniform(0.2, 1) * took)
                killed += process.poll() is None
                process.kill()
                process.wait()
            adc(again, words).check_returncode()
            same = sums(once) == sums(again)
            print(f"adc {title}: killed {killed} of {arguments.moments} times within {took:.1f} s, "
                  f"{len(sums(once))} files {'the same' if same else 'DIFFER'}")  # fmt: skip


def prepare(folder):
    """Make a run, a plan and the votes of three people who see the truth."""
    made = folder / "made"
    made.mkdir()
    toys = toy_dataset().replace(votes=None)
    save_dataset(toys, made / "toys")
    (made / "toys.yaml").write_text(PIPELINE)
    adc(made, ["run", "toys.yaml", "--out", "run"]).check_returncode()
    adc(made, ["review", "run", "plan", "--budget", "80", "--repair", "0"]).check_returncode()
    plan = json.loads((made / "run" / "review" / "plan.json").read_text())
    wrong = np.random.default_rng(0).random(len(toys)) < 0.1
    lines = [
        f"{toys.ids[row]},r{rater:02},{toys.classes[toys.labels[row]]},"
        f"{'no' if wrong[row] else 'yes'}"
        for row in plan["audit"]
        for rater in range(1, 4)
    ]
    text = "\n".join(["item,rater,label,answer", *lines]) + "\n"
    (made / "run" / "review" / "votes.csv").write_text(text)
    adc(made, ["review", "run", "import", "run/review/votes.csv"]).check_returncode()


def adc(folder, words):
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "adc_core.cli", *words], cwd=folder, stdout=subprocess.DEVNULL
    )


def sums(folder):
    """Return the SHA-256 of every file, of certificates without their date."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name in DATED or "sqlite" in path.name:
            continue
        content = path.read_bytes()
        if path.name == "certificate.json":
            content = json.dumps(json.loads(content) | {"created": ""}).encode()
        found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found


if __name__ == "__main__":
    main()
