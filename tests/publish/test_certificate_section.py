"""The certificate of a review on the report's page: only of the dataset that it is about."""

import json

import pytest

from adc_core import read_run
from adc_plugins_publish.html_report.certificate import certificate_lines


@pytest.fixture
def run(repaired):
    return read_run(repaired / "runs/p")


def written(folder, text):
    (folder / "review").mkdir()
    (folder / "review" / "certificate.json").write_text(text)
    return folder


def test_only_the_certificate_of_this_dataset_is_shown(run, tmp_path):
    assert certificate_lines(tmp_path, run) == []
    left = run.curated.fingerprint_of("ids", "labels")
    text = ["residual label noise ≤ 1 %", "  600 samples"]
    stored = {"text": text, "left": left, "rule": "one-then-two", "min_votes": None}
    assert certificate_lines(written(tmp_path, json.dumps(stored)), run) == text
    stored["left"] = run.collected.fingerprint_of("ids", "labels")
    (tmp_path / "review" / "certificate.json").write_text(json.dumps(stored))
    (line,) = certificate_lines(tmp_path, run)
    assert "of another dataset" in line and "{use: votes, rule: one-then-two} leaves" in line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"text": 7, "left": ""}',
        '{"text": [], "left": "", "min_votes": 1}',
        "[" * 100_000,
    ],
)
def test_a_damaged_one_is_no_part_of_the_page(run, tmp_path, text):
    assert certificate_lines(written(tmp_path, text), run) == []
