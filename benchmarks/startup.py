"""How long `adc list` takes, beside what it cannot do without and beside other programs.

The floor is `python -c "import pydantic, pluggy"`. Every command runs in a fresh process, in turn;
the best of several runs counts, in CPU seconds. The crowded rows repeat it with 500 further
distributions installed, 100 of which offer a detector.

    python benchmarks/startup.py [--runs 7]
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ADC = str(Path(sys.executable).with_name("adc"))
COMMANDS = {
    "import pydantic, pluggy": [
        sys.executable,
        "-c",
        "import pydantic, pluggy; pydantic.BaseModel",
    ],
    "adc list": [ADC, "list"],
    "adc --help": [ADC, "--help"],
    "pytest --version": [sys.executable, "-m", "pytest", "--version"],
    "pip --version": [sys.executable, "-m", "pip", "--version"],
}


def cpu_seconds(command: list[str], extra_path: str) -> float:
    """User and system time of one process."""
    environment = {**os.environ, "PYTHONPATH": extra_path}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def crowd(folder: Path) -> None:
    """Install 500 distributions, as their metadata."""
    for number in range(500):
        about = folder / f"crowd_{number}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: crowd-{number}\nVersion: 1.0\n"
        )
        if number < 100:
            entry = f"[adc.detectors]\ncrowd-{number} = crowd_{number}:Detector\n"
            (about / "entry_points.txt").write_text(entry)
            module = f'class Detector:\n    """Finds nothing, number {number}."""\n'
            (folder / f"crowd_{number}.py").write_text(module)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        crowd(Path(folder))
        cases = {(name, ""): command for name, command in COMMANDS.items()}
        cases |= {("adc list", folder): COMMANDS["adc list"]}
        best = dict.fromkeys(cases, float("inf"))
        for _ in range(runs):
            for case, command in cases.items():
                best[case] = min(best[case], cpu_seconds(command, case[1]))
    floor = best["import pydantic, pluggy", ""]
    print(f"{'command':36}{'CPU s':>8}{'ratio to floor':>16}")
    for (name, path), seconds in best.items():
        where = f"{name}, 500 more packages" if path else name
        print(f"{where:36}{seconds:8.3f}{seconds / floor:16.2f}")


if __name__ == "__main__":
    main()
