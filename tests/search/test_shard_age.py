"""Shards are closed by age, too: what a dead worker had open is lost."""

import pytest

from adc_core import work_context
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.download.workers import shard_sink


@pytest.fixture
def collect(tmp_path, site, listed, design_of, image_bytes):
    """Collects five images; gives the dataset and the names of its shards."""

    def run(name):
        urls = tuple(site.serve(f"/{n}.jpg", image_bytes(n)) for n in range(5))
        other = site.serve("/dog.jpg", image_bytes(9))
        searcher = listed(urls={"cat": urls, "dog": (other,)})
        with work_context(tmp_path / name):
            dataset = Downloader(allow_hosts=(site.endpoint,), min_side=8).collect(
                design_of("cat", "dog"), [searcher]
            )
        return dataset, sorted(path.name for path in (tmp_path / name / "images").glob("*.tar"))

    return run


def test_an_old_shard_is_closed_though_it_has_room(collect, monkeypatch):
    whole, one = collect("whole")
    monkeypatch.setattr(shard_sink, "_OLDEST_SHARD", -1.0)
    parts, many = collect("parts")
    assert len(one) == 1 and len(many) == 6
    assert parts.fingerprint_of("ids", "labels", "images") == whole.fingerprint_of(
        "ids", "labels", "images"
    )
