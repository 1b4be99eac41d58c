"""Killed at any moment and called again, a collection ends as if nothing had happened."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from adc_process import Started, start_program
from aiohttp import web

from adc_core.components.context import work_context
from adc_core.records.dataset import Dataset
from adc_core.records.design import Design
from adc_plugins_rehearse.digits import DigitCatalog
from adc_plugins_rehearse.protocols.google import ENGINE, KEY
from adc_plugins_rehearse.server import GalleryServer
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.searchers.google import GoogleSearcher

KEYS = {"GOOGLE_API_KEY": KEY, "GOOGLE_CSE_ID": ENGINE}

# The child tells each step on a line of its own, and its result at the end; it takes its time,
# so that a kill meets it half-way.
CHILD = """
import signal, sys, time
from adc_core.records.design import Design, Query
from adc_core.components.context import work_context
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.searchers.google import GoogleSearcher

# A test run in the background of a shell hands on SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
folder, endpoint, *names = sys.argv[1:]
queries = tuple(Query(text=name, class_name=name) for name in names)
design = Design(classes=tuple(names), queries=queries, samples_per_query=60)
def tell(done, total, unit):
    print(unit, done, flush=True)
    time.sleep(0.005)
with work_context(folder, tell):
    collector = Downloader(
        allow_hosts=(endpoint,), max_connections_per_host=4, max_concurrent_searches=2,
        backoff=0.01, timeout=99, read_timeout=99
    )
    searcher = GoogleSearcher(base_url=f"http://{endpoint}/customsearch/v1")
    print("result", collector.collect(design, [searcher]).fingerprint, flush=True)
"""


@pytest.fixture(scope="module")
def gallery() -> Iterator[GalleryServer]:
    with GalleryServer(DigitCatalog(), port=0, slow_seconds=0.1) as server:
        yield server


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def start(folder: Path, endpoint: str, *names: str) -> Started:
    return start_program(CHILD, folder, endpoint, *names, env=os.environ | KEYS)


def test_kill_and_resume(gallery: GalleryServer, tmp_path: Path, design_of) -> None:
    names = ("three", "five", "eight")
    endpoint = gallery.endpoint
    design = design_of(*names, samples=60)
    before = gallery.google.calls
    with work_context(tmp_path / "whole"):
        searcher = GoogleSearcher(base_url=gallery.search_url)
        whole = Downloader(allow_hosts=(endpoint,), backoff=0.01).collect(design, [searcher])
    needed = gallery.google.calls - before
    assert needed == 18

    chance = random.Random(11)
    work = tmp_path / "killed"
    before = gallery.google.calls
    # The first two while searching, the others while fetching.
    for stop_after in (0, 1, *(3 + chance.randrange(5, 25) for _ in range(4))):
        with start(work, endpoint, *names) as child:
            assert child.stdout
            for line, told in enumerate(child.stdout):
                assert not told.startswith("result"), "it was too quick to be killed"
                if line >= stop_after:
                    time.sleep(chance.random() / 50)
                    break
            child.kill()
            child.communicate()
            assert child.returncode == -signal.SIGKILL
    with start(work, endpoint, *names) as child:
        told, errors = child.communicate(timeout=120)
    assert child.returncode == 0, errors
    assert told.split()[-1] == whole.fingerprint
    refused = (work / "refused.parquet").read_bytes()
    assert refused == (tmp_path / "whole/refused.parquet").read_bytes()
    # Only calls that were under way at a kill are repeated: at most two at each of two kills.
    assert needed <= gallery.google.calls - before <= needed + 4


@pytest.mark.parametrize("stage", ["search", "fetch"])
def test_ctrl_c_does_not_wait_for_slow_servers(site, tmp_path: Path, stage: str) -> None:
    async def silence(_: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    async def results(_: web.Request) -> web.Response:
        items = [{"link": site.url(f"/{n}.jpg")} for n in range(5)]
        return web.json_response({"queries": {}, "items": items})

    site.on("/customsearch/v1", silence if stage == "search" else results)
    for n in range(5):
        site.on(f"/{n}.jpg", silence)
    with start(tmp_path / "work", site.endpoint, "cat", "dog") as child:
        while len(site.paths) < (1 if stage == "search" else 4):
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        # Every timeout that would otherwise end the wait is longer.
        _, errors = child.communicate(timeout=25)
    assert child.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")


@pytest.fixture
def collect(
    tmp_path: Path, site, listed, image_bytes, design_of
) -> Callable[..., tuple[Dataset, Counter[str]]]:
    """Collect six images in one work folder; gives the dataset and what was asked for."""
    urls = [site.serve(f"/{n}.jpg", image_bytes(n, (320, 240))) for n in range(6)]
    design: Design = design_of("cat", "dog")
    searcher = listed(urls={"cat": tuple(urls[:3]), "dog": (*urls[3:], site.url("/gone.jpg"))})

    def run(**options: Any) -> tuple[Dataset, Counter[str]]:
        site.paths.clear()
        with work_context(tmp_path / "work"):
            collector = Downloader(allow_hosts=(site.endpoint,), **options)
            return collector.collect(design, [searcher]), Counter(site.paths)

    return run


def test_what_is_there_is_not_fetched_again(collect) -> None:
    first, asked = collect()
    assert len(asked) == 7
    again, asked = collect()
    assert again == first
    assert not asked


def test_how_fast_does_not_matter(collect) -> None:
    first, _ = collect()
    again, asked = collect(max_connections=1, max_connections_per_host=1, max_concurrent_searches=1)
    assert again == first
    assert not asked


@pytest.mark.parametrize("harm", ["lost", "cut", "flipped"])
def test_a_damaged_shard_costs_what_it_hurts(collect, harm: str) -> None:
    first, _ = collect(shard_size=3)
    images = first.images
    row = int(images.offset.argmax())
    path = images.root / images.names[images.shard[row]]
    body = bytearray(path.read_bytes())
    if harm == "lost":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(body[: int(images.offset[row]) + 1])
    else:
        body[int(images.offset[row]) + 99] ^= 1
        path.write_bytes(body)
    again, asked = collect(shard_size=3)
    assert again == first
    assert len(asked) == (3 if harm == "lost" else 1)


def test_other_rules_fetch_anew(collect) -> None:
    first, _ = collect()
    smaller, asked = collect(image_size=100)
    assert len(asked) == 7
    assert smaller.images[0].shape == (100, 133, 3)
    again, _ = collect()
    assert again == first


def test_what_a_kill_left_is_removed(collect, tmp_path: Path) -> None:
    """A shard that was being written, and one that had its name but was not noted yet."""
    first, _ = collect()
    images = tmp_path / "work/images"
    (images / "123-0-0.tar.part").write_bytes(b"half a shard")
    (images / "00007.tar").write_bytes(b"a whole shard")
    again, asked = collect()
    assert again == first
    assert not asked
    assert [path.name for path in images.iterdir()] == ["00000.tar"]
