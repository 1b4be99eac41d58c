"""A small rehearsal, as a user types it: the garments' gallery with `adc collect` beside it."""

import json
import socket
import sys
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import yaml
from adc_process import run_adc, start_adc

from adc_core import read_dataset
from adc_plugins_rehearse.conditions import WITHOUT_IMAGE
from adc_plugins_rehearse.flaws import Flaws
from adc_plugins_rehearse.garments.catalog import GarmentCatalog

ADC = str(Path(sys.executable).with_name("adc"))
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
NOISE = 0.3
KNOBS = {"values_per_attribute": 2, "answers": 20, "classes": ["sweater", "knitwear", "hoodie"]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished rehearsal of some 480 images."""
    folder, port = tmp_path_factory.mktemp("rehearsal"), free_port()
    pipeline = {
        "brief": {"subject": "garments", "classes": KNOBS["classes"], "samples_per_query": 20},
        "designer": {"use": "vocabulary", "values_per_attribute": KNOBS["values_per_attribute"]},
        "searchers": [{"use": "google", "base_url": f"http://127.0.0.1:{port}/customsearch/v1"}],
        "collector": {
            "use": "downloader",
            "image_size": 48,
            "allow_hosts": [f"{host}:{port}" for host in HOSTS],
        },
    }
    (folder / "garments.yaml").write_text(yaml.safe_dump(pipeline))
    words = [
        *("gallery", "--port", str(port), "--catalog", "garments", "--hosts", "3"),
        *("--noise", str(NOISE), "--values-per-attribute", "2", "--answers", "20"),
        *("--classes", ",".join(KNOBS["classes"]), "--export", "answers"),
        *("--", ADC, "collect", "garments.yaml", "--out", "run"),
    ]
    done = run_adc(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_true_noise_is_what_the_knob_says(rehearsal: Path) -> None:
    dataset = read_dataset(rehearsal / "run/collector")
    truth = pyarrow.csv.read_csv(rehearsal / "answers/truth.csv").to_pydict()
    label_of = dict(zip(truth["url"], truth["label"], strict=True))
    wrong = [
        label_of[url] != dataset.classes[label]
        for url, label in zip(dataset.sources["url"].to_pylist(), dataset.labels, strict=True)
    ]
    assert len(wrong) > 380
    assert abs(np.mean(wrong) - NOISE) < 4 * (NOISE * (1 - NOISE) / len(wrong)) ** 0.5


def test_every_image_is_kept_or_refused_for_its_condition(rehearsal: Path) -> None:
    catalog = GarmentCatalog(flaws=Flaws(noise=NOISE), **KNOBS)
    offers = {offer.path: offer for offer in catalog.offers()}
    refused = pq.read_table(rehearsal / "run/collector/refused.parquet").to_pylist()
    reason_of = {row["url"].split("/", 3)[3]: row["reason"] for row in refused}
    gone = {path for path, offer in offers.items() if offer.condition in WITHOUT_IMAGE}
    assert {path for path, reason in reason_of.items() if reason != "duplicate"} == gone
    kept = read_dataset(rehearsal / "run/collector").sources["url"].to_pylist()
    assert {url.split("/", 3)[3] for url in kept} | set(reason_of) == set(offers)


def test_the_images_come_from_all_hosts(rehearsal: Path) -> None:
    urls = read_dataset(rehearsal / "run/collector").sources["url"].to_pylist()
    assert {url.split("/")[2].split(":")[0] for url in urls} == set(HOSTS)


def test_the_hosts_are_told() -> None:
    words = ["gallery", "--port", "0", "--catalog", "garments", "--hosts", "2"]
    with start_adc(*words) as process:
        lines = [process.stdout.readline() for _ in range(5)]
        process.terminate()
        assert process.wait(timeout=30) == 0
    port = int(lines[0].split()[4].split(":")[2].split("/")[0])
    assert lines[3] == "and in the pipeline file, for the downloader:\n"
    assert json.loads(lines[4].removeprefix("allow_hosts: ")) == [
        f"127.0.0.1:{port}", f"127.0.0.2:{port}",
    ]  # fmt: skip
