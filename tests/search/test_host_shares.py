"""What the largest hosts mean: how long a collection must take, and how many of their images."""

import pyarrow.parquet as pq
import pytest

from adc_core import work_context
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.download.fetch_task import FetchTask
from adc_plugins_search.download.searches import host_shares
from adc_plugins_search.download.searches.host_shares import (
    HostShares,
    duration_message,
    least_duration,
)


def test_the_largest_host_of_others_decides():
    hosts = [("mine:80", 900_000), ("upload.example.org:443", 102_605), ("b.example:443", 7)]
    least = least_duration(hosts, 0.5, lambda host: host == "mine:80")
    assert least == (51_302.0, "upload.example.org:443", 102_605)
    assert duration_message(*least, 0.5) == (
        "this takes at least 14.3 h: upload.example.org:443 has 102,605 of the images, one every "
        "0.5 s; max_images_per_host takes fewer of one host"
    )
    assert duration_message(900, "b", 1801, 0.5).startswith("this takes at least 15 min: ")
    assert duration_message(599, "b", 1199, 0.5) is None
    assert least_duration([("mine:80", 9)], 0.5, lambda _: True) == (0.0, "", 0)


def test_a_host_has_its_first_images():
    shares = HostShares(2)
    tasks = [FetchTask(f"https://a.example/{n}.jpg", f"{n:020}") for n in range(4)]
    judged = []
    for task in tasks:
        refused = shares.judge(task)
        shares.count(task, refused)
        judged.append(refused is None)
    assert judged == [True, True, False, False]
    assert [key for key, _ in shares.refused] == [task.key for task in tasks[2:]]
    assert HostShares(None).judge(tasks[0]) is None


@pytest.fixture
def collect(tmp_path, site, other_site, listed, design_of, image_bytes):
    """Collects six images of one host and two of another."""

    def run(**options):
        urls = [site.serve(f"/{n}.jpg", image_bytes(n)) for n in range(6)]
        others = [other_site.serve(f"/{n}.jpg", image_bytes(100 + n)) for n in range(2)]
        searcher = listed(urls={"cat": (*urls, urls[0]), "dog": tuple(others)})
        options = {"allow_hosts": (site.endpoint, other_site.endpoint), "min_side": 8} | options
        with work_context(tmp_path / "work"):
            dataset = Downloader(**options).collect(design_of("cat", "dog"), [searcher])
        refused = pq.read_table(tmp_path / "work/refused.parquet").to_pylist()
        return len(dataset), [row["reason"] for row in refused if row["reason"] != "duplicate"]

    return run


def test_a_limit_holds_and_a_higher_one_goes_on(collect, site):
    assert collect(max_images_per_host=2) == (4, ["host limit"] * 4)
    asked = len(site.paths)
    assert collect(max_images_per_host=5) == (7, ["host limit"])
    assert len([path for path in site.paths[asked:] if path.endswith(".jpg")]) == 3
    assert collect() == (8, [])
    # What is stored already stays.
    assert collect(max_images_per_host=1) == (8, [])


def test_it_is_said_before_anything_is_fetched(collect, monkeypatch):
    monkeypatch.setattr(host_shares, "_LONG", 1.0)
    monkeypatch.setattr(
        "adc_plugins_search.collectors.downloader.least_duration",
        lambda hosts, interval, _: least_duration(hosts, interval, lambda _host: False),
    )
    with pytest.warns(UserWarning, match=r"this takes at least 0 min: .* has 6 of the images"):
        collect()
