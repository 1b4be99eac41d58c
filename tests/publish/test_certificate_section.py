"""The certificate of a review on the report's page: only of the dataset that it is about."""

import json

import pytest

from adc_core import read_run
from adc_plugins_publish.html_report.certificate import OF_ANOTHER, certificate_lines


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
    stored = json.dumps({"text": ["residual label noise ≤ 1 %", "  600 samples"], "left": left})
    assert certificate_lines(written(tmp_path, stored), run) == json.loads(stored)["text"]
    stored = stored.replace(left, run.collected.fingerprint_of("ids", "labels"))
    (tmp_path / "review" / "certificate.json").write_text(stored)
    assert certificate_lines(tmp_path, run) == [OF_ANOTHER]


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"text": 7, "left": ""}', "[" * 100_000])
def test_a_damaged_one_is_no_part_of_the_page(run, tmp_path, text):
    assert certificate_lines(written(tmp_path, text), run) == []
