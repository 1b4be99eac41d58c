"""The soak of `benchmarks/soak.py` in short: nothing is lost, nothing hangs, kills do no harm."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")


def test_every_address_ends_as_it_must_and_kills_change_nothing() -> None:
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks" / "soak.py"), "--count", "240"),
            *("--kills", "3", "--timeout", "2", "--shard-size", "40", "--patience", "60"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("240 addresses, 72 of them faulty, on 20 hosts; 2 processes, ")
    assert "wrong or missing: 0" in lines
    assert lines[-1] == "killed 3 times and resumed: the same"
    # Workers that are left alone when their coordinator is killed end without a word.
    assert not done.stderr
