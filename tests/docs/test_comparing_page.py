"""The page on comparisons, and the README of their package: what they show is right."""

import re
from pathlib import Path

import pytest
import yaml

from adc_plugins_compare import Comparison

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs" / "comparing.md", ROOT / "adc_plugins_compare" / "README.md")
FILES = [
    text
    for page in PAGES
    for text in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("text", FILES)
def test_the_files_are_comparisons(text):
    assert Comparison.model_validate(yaml.safe_load(text)).cells()


def test_the_counts_are_right():
    """Of the first file of each page."""
    first, *_, readme = (Comparison.model_validate(yaml.safe_load(text)) for text in FILES)
    assert f"2 × 3 × 2 × 3 = {len(first.cells())} runs" in PAGES[0].read_text()
    assert len(readme.cells()) == 18
    assert "Six rows, three seeds each: eighteen runs" in PAGES[1].read_text()


def test_the_table_of_files_is_complete():
    named = re.findall(r"`docs/examples/tables/([\w-]+\.yaml)`", PAGES[0].read_text())
    there = [path.name for path in sorted((ROOT / "docs/examples/tables").glob("*.yaml"))]
    assert sorted(named) == there
