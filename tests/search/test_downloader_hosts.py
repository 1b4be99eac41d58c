"""Hosts that never give anything are given up, and asked again by the next collection."""

import asyncio
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web

from adc_core.components.context import work_context
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.download.http.host_budget import MAX_LOST_IMAGES

Refusals = list[tuple[str, str]]


@pytest.fixture
def collect(tmp_path: Path, site, other_site, listed, design_of, image_bytes) -> Callable[..., Any]:
    """Collect addresses of one host as cats, beside a good image of another host."""

    def run(urls: list[str], **options: Any) -> tuple[int, Refusals]:
        good = other_site.serve("/good.jpg", image_bytes(1000))
        options = {
            "allow_hosts": (site.endpoint, other_site.endpoint),
            "backoff": 0.01,
            "min_side": 8,
        } | options
        searcher = listed(urls={"cat": tuple(urls), "dog": (good,)})
        with work_context(tmp_path / "work"):
            dataset = Downloader(**options).collect(design_of("cat", "dog"), [searcher])
        rows = pq.read_table(tmp_path / "work/refused.parquet").to_pylist()
        return len(dataset), [(row["reason"], row["detail"]) for row in rows]

    return run


def busy(_: web.Request) -> web.Response:
    return web.Response(status=429, headers={"Retry-After": "1"})


def given_up(site, why: str) -> tuple[str, str]:
    return "host given up", f"{site.endpoint} was given up: {why}"


def test_a_host_that_always_says_not_now_is_given_up(site, collect, image_bytes) -> None:
    async def answer(request: web.Request) -> web.Response:
        return busy(request)

    urls = [site.on(f"/{n}.jpg", answer) for n in range(40)]
    told = f"40 images of 1 host are left out: {given_up(site, 'HTTP 429')[1]}; collect again later"
    with pytest.warns(UserWarning, match=told.replace("(", "[(]")):
        kept, refusals = collect(urls, max_wait=2)
    assert (kept, refusals) == (1, [given_up(site, "HTTP 429")] * 40)
    assert len(site.paths) < 20

    for n in range(40):
        site.serve(f"/{n}.jpg", image_bytes(n))
    assert collect(urls, max_wait=2) == (41, [])


def test_a_host_that_asks_for_too_long_a_pause_is_asked_no_more(site, collect) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "99999"})

    urls = [site.on(f"/{n}.jpg", answer) for n in range(40)]
    with pytest.warns(UserWarning, match="images of 1 host are left out"):
        kept, refusals = collect(urls)
    assert kept == 1
    assert set(refusals) == {("server error", "HTTP 503"), given_up(site, "HTTP 503")}
    assert len(site.paths) < 10


def test_a_host_that_hangs_is_given_up(site, collect) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    urls = [site.on(f"/{n}.jpg", hang) for n in range(40)]
    with pytest.warns(UserWarning, match="images of 1 host are left out"):
        kept, refusals = collect(urls, read_timeout=0.2, retries=1)
    assert kept == 1
    counts = Counter(refusals)
    assert counts["too slow", "no answer in time"] < MAX_LOST_IMAGES + 4
    assert counts.total() == 40
    assert set(counts) == {("too slow", "no answer in time"), given_up(site, "no answer in time")}


def test_a_host_that_answers_now_and_then_is_not_given_up(site, collect, image_bytes) -> None:
    calls = Counter[str]()

    def sometimes(body: bytes) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            calls[request.path] += 1
            return web.Response(status=500) if calls[request.path] < 3 else web.Response(body=body)

        return answer

    urls = [site.on(f"/{n}.jpg", sometimes(image_bytes(n))) for n in range(40)]
    assert collect(urls, max_wait=5) == (41, [])


def test_a_run_asks_again_once_its_collector_folder_is_gone(
    site, other_site, image_bytes, tmp_path: Path
) -> None:
    """As the documentation says; its memory knows what was given up."""

    async def answer(request: web.Request) -> web.Response:
        return busy(request)

    rows = [f"{site.on(f'/{n}.jpg', answer)},cat" for n in range(20)]
    rows.append(f"{other_site.serve('/good.jpg', image_bytes(1000))},dog")
    (tmp_path / "list.csv").write_text("\n".join(["url,label", *rows]) + "\n")
    (tmp_path / "p.yaml").write_text(
        "brief: {subject: pets, classes: [cat, dog]}\n"
        "designer: {use: attributes, attributes: {}}\n"
        "searchers: [{use: manifest, path: list.csv}]\n"
        "collector: {use: downloader, min_side: 8, max_wait: 1, allow_hosts: "
        f"['{site.endpoint}', '{other_site.endpoint}']}}\n"
    )

    def collect() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "adc_core.cli", "collect", "p.yaml", "--out", "run"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    ended = collect()
    assert "host given up" in ended.stdout
    assert "images: 1 in run/collector" in ended.stdout
    told = f"adc: warning: 20 images of 1 host are left out: {site.endpoint} was given up: HTTP 429"
    assert told in ended.stderr
    for n in range(20):
        site.serve(f"/{n}.jpg", image_bytes(n))
    shutil.rmtree(tmp_path / "run" / "collector")
    assert "images: 21 in run/collector" in collect().stdout
    assert other_site.paths == ["/good.jpg"]
