"""The table of abstracts: what it names is there, and so are the tests that it points to."""

import importlib
import re
from pathlib import Path

from adc_core.components.known_packages import PACKAGE_OF

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "related-work.md").read_text().splitlines()
    if re.match(r"\| \d+ \|", line)
]
COMPONENTS = {name for _, name in PACKAGE_OF}
FUNCTIONS = {
    name
    for package in ("adc_plugins_detect", "adc_plugins_learn", "adc_plugins_review")
    for name in importlib.import_module(package).__all__
}


def test_every_abstract_has_a_row():
    assert [int(row[0]) for row in ROWS] == list(range(1, 54))


def test_names_are_those_of_components_and_functions():
    for number, _, here, _ in ROWS:
        for name in re.findall(r"`([^`]+)`", here):
            known = COMPONENTS | FUNCTIONS | {"debate", "unsure", "adc export --together"}
            assert name in known, f"row {number} names {name}"


def test_what_is_in_has_a_test_and_what_is_out_has_a_reason():
    for number, _, here, tests in ROWS:
        paths = re.findall(r"`([^`]+)`", tests)
        assert bool(paths) != here.startswith("out: "), f"row {number}"
        for path in paths:
            assert (ROOT / path).is_file(), f"row {number}: {path}"
