"""Whatever moment a run with votes or an export is killed at: it ends in the same bytes."""

import hashlib
import random
import signal
import time

import pytest
from adc_process import start_adc

from adc_core.cli import main
from adc_core.storage import save_dataset
from adc_core.testing.toys import toy_dataset
from adc_plugins_review.actions.make_plan import plan_review

PIPELINE = """
dataset: toys
enrichers: [{use: votes, path: review/votes.parquet}]
detectors: [dawid-skene]
curators: [{use: votes, min_votes: 1}]
"""
DATED = {"run.json", "report.html", ".lock"}


def sums(folder):
    """SHA-256 of every file below a folder but those that say when it was made."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in DATED
    }


def kill_when(words, folder, more_than):
    """Kill a command once it has made so many files; tell whether it was still working."""
    with start_adc(*words) as process:
        while process.poll() is None and sum(1 for _ in folder.rglob("*")) <= more_than:
            time.sleep(0.001)
        process.kill()
    return process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def voted(tmp_path_factory):
    """A review of the toys with imported votes."""
    folder, toys = tmp_path_factory.mktemp("voted"), toy_dataset().replace(votes=None)
    save_dataset(toys, folder / "toys")
    lines = [
        f"{one},r{rater:02},{toys.classes[label]},{('yes', 'no')[(row + rater) % 3 == 0]}"
        for row, (one, label) in enumerate(zip(toys.ids, toys.labels, strict=True))
        for rater in range(1, 3)
    ]
    (folder / "given.csv").write_text("\n".join(["item,rater,label,answer", *lines]) + "\n")
    plan_review(folder / "toys", {"out": folder, "budget": 60})
    assert main(["review", str(folder), "import", str(folder / "given.csv")]) == 0
    return folder


def test_a_run_that_is_killed_ends_as_one_that_is_not(voted, tmp_path):
    (voted / "pipeline.yaml").write_text(PIPELINE)
    command = ["run", str(voted / "pipeline.yaml"), "--out"]
    assert main([*command, str(tmp_path / "one")]) == 0
    expected = sums(tmp_path / "one")
    assert any(name.startswith("curators/votes/") for name in expected)
    killed, chance, two = [], random.Random(3), tmp_path / "two"
    two.mkdir()
    for part in (0.0, 0.5):
        moment = (part + chance.random() / 2) * len(expected)
        killed.append(kill_when([*command, two], two, moment))
    assert any(killed), "it was finished each time"
    assert main([*command, str(two)]) == 0
    assert sums(two) == expected


def test_an_export_that_is_killed_leaves_a_whole_table_or_none(voted, tmp_path):
    export, to = ["review", str(voted), "export", "--to"], tmp_path / "to"
    assert main([*export, str(tmp_path / "one.csv")]) == 0
    expected, place = (tmp_path / "one.csv").read_bytes(), to / "two.csv"
    to.mkdir()
    kill_when([*export, place], to, 0)  # as soon as there is a part of it
    assert not place.exists() or place.read_bytes() == expected
    assert main([*export, str(place)]) == 0
    assert place.read_bytes() == expected
