"""A whole run on a folder of images: killed, gone on with, and with nothing paid twice."""

import json
import os
import time

import pyarrow.parquet as pq
import pytest
from adc_process import run_adc, start_adc
from PIL import Image
from seeing_server import NAMES, Seeing, squares

PIPELINE = """
dataset: cloth
detectors:
- {use: visual-questions, questions: 1, price_in: 0.15, price_out: 0.6}
"""


@pytest.fixture
def folder(tmp_path):
    """A folder of 60 images, eight of them under a wrong label, and a pipeline."""
    images, labels, mask = squares(60, 8)
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        path = tmp_path / "cloth" / NAMES[label] / f"{number:02}{'x' if mask[number] else ''}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    (tmp_path / "ask.yaml").write_text(PIPELINE)
    return tmp_path


def test_a_killed_run_goes_on_where_it_was(chat, folder):
    seeing = Seeing()

    def slowly(request):
        time.sleep(0.02)
        return seeing(request)

    chat.model = slowly
    words = ("run", "ask.yaml", "--out", "run", "--block", "adc-plugins-publish/html-report")
    with start_adc(*words, cwd=folder, env=dict(os.environ)) as started:
        while len(chat.requests) < 25:
            time.sleep(0.01)
            assert started.poll() is None
        started.kill()
        started.wait()
    # A request that was under way when it was killed has no answer on disk, and is asked again.
    time.sleep(0.1)
    kept = sum(path.read_text().count("\n") for path in (folder / "run").rglob("turns.jsonl"))
    before = len(chat.requests)
    result = run_adc(*words, cwd=folder, env=dict(os.environ))
    assert result.returncode == 0, result.stderr
    assert len(chat.requests) - before == 3 + 60 + 5 - kept
    rows = pq.read_table(folder / "run" / "findings.parquet").to_pylist()
    assert [row["flagged"] for row in rows] == [row["id"].endswith("x.png") for row in rows]
    summary = folder / "run" / "detectors" / "visual-questions" / "asked.json"
    said = json.loads(summary.read_text())
    assert said["requests"] == len(chat.requests) - before
    assert said["cost"] == pytest.approx((900 * 0.15 + 12 * 0.6) / 1e6 * (said["requests"]))
