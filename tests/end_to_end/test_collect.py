"""`adc collect` against the real gallery: first a part of the wish, then the whole of it."""

from collections import Counter

import pyarrow.parquet as pq
import pytest
import yaml
from adc_process import run_adc

from adc_core import read_dataset
from adc_plugins_rehearse.digits import DigitCatalog
from adc_plugins_rehearse.protocols.google import ENGINE, KEY
from adc_plugins_rehearse.server import GalleryServer


@pytest.fixture(scope="module")
def gallery():
    with GalleryServer(DigitCatalog(), port=0, slow_seconds=0.01) as server:
        yield server


@pytest.fixture(scope="module")
def collected(gallery, tmp_path_factory):
    """The outputs of a collection, of its repetition, and of one with a class and words more."""
    folder = tmp_path_factory.mktemp("collect")
    outputs = []
    for classes, styles in (
        (["three", "nine"], ["handwritten"]),
        (["three", "nine"], ["handwritten"]),
        (["three", "nine", "four"], ["handwritten", "plain four"]),
    ):
        pipeline = {
            "brief": {"subject": "digits", "classes": classes, "samples_per_query": 40},
            "designer": {"use": "attributes", "style": styles},
            "searchers": [{"use": "google", "base_url": gallery.search_url}],
            "collector": {"use": "downloader", "image_size": 32, "allow_hosts": [gallery.endpoint]},
            "encoder": {"use": "pixels"},
        }
        (folder / "digits.yaml").write_text(yaml.safe_dump(pipeline))
        calls = gallery.google.calls
        environment = {"GOOGLE_API_KEY": KEY, "GOOGLE_CSE_ID": ENGINE, "PATH": "/usr/bin:/bin"}
        done = run_adc("collect", "digits.yaml", cwd=folder, env=environment)
        assert done.returncode == 0, done.stderr
        found = read_dataset(folder / "runs/digits/collector")
        outputs.append((done.stdout, found, gallery.google.calls - calls))
    return folder, outputs


def test_it_stops_after_the_images(collected):
    folder, [(output, dataset, calls), *_] = collected
    assert calls == 2 * 4  # ten results a page
    assert not (folder / "runs/digits/encoder").exists()
    assert f"images: {len(dataset)} in runs/digits/collector\n" in output
    assert output.endswith("next: adc run digits.yaml --out runs/digits\n")


def test_it_says_what_came(collected):
    folder, [(output, dataset, _), *_, (later, _, _)] = collected
    lines = [line.split() for line in output.splitlines()]
    assert ["class", "queries", "images", "empty"] in lines
    three, nine = dataset.class_counts.tolist()
    assert ["three", "1", str(three), "0"] in lines
    assert ["nine", "1", str(nine), "0"] in lines
    assert ["google", str(len(dataset))] in lines
    empty = '"plain four three", "plain four nine", "plain four four"'
    assert f"no image kept of: {empty}\n" in later
    refused = pq.read_table(folder / "runs/digits/collector/refused.parquet")["reason"]
    lines = [line.split() for line in later.splitlines()]
    for reason, count in Counter(refused.to_pylist()).items():
        assert [*reason.split(), str(count)] in lines


def test_the_same_again_asks_nobody(collected):
    _, [(output, first, _), (again, second, calls), _] = collected
    assert calls == 0
    assert first == second
    reused = "reused: all 2 stages: nothing they depend on has changed\n"
    assert reused not in output
    assert again.replace(reused, "") == output


def test_more_words_ask_only_for_themselves(collected, gallery):
    folder, [_, (_, before, _), (_, after, calls)] = collected
    # Of six queries two are known, two name two digits, which finds nothing, and two show fours.
    assert calls == 2 * 4 + 2
    assert set(before.ids.tolist()) <= set(after.ids.tolist())
    hits = pq.read_table(folder / "runs/digits/collector/hits.parquet")
    assert set(hits["id"].to_pylist()) == set(after.ids.tolist())


def test_the_report_says_it_too(collected):
    folder, [*_, (_, dataset, _)] = collected
    page = (folder / "runs/digits/report.html").read_text()
    assert "<th>style</th>" in page
    empty = "“plain four three”, “plain four nine”, “plain four four”"
    assert f"3 queries brought no image that is kept: {empty}" in page
    assert f"<b>{len(dataset)}</b><span>images</span>" in page


def test_nothing_to_collect(tmp_path):
    (tmp_path / "p.yaml").write_text("dataset: images\n")
    done = run_adc("collect", "p.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ("adc: the pipeline has a dataset already: there is nothing to collect\n")
