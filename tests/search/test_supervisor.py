"""Worker processes: the same dataset as one thread makes, whoever is killed."""

import asyncio
import itertools
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from adc_process import run_program, start_program
from aiohttp import web
from PIL import Image
from yarl import URL

from adc_core.components.context import work_context
from adc_core.errors import WorkError
from adc_core.records.dataset import Dataset
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.download.searches.task_for_hit import id_of
from adc_plugins_search.download.workers import fetch_loop
from adc_plugins_search.download.workers.protocol import worker_index_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
Collect = Callable[..., Dataset]


def workers_of(parent: int) -> list[int]:
    """The workers that a process has started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, above = stat.read_text().rpartition(")")[2].split()[:2]
            command = stat.with_name("cmdline").read_bytes()
        except OSError:  # gone meanwhile
            continue
        if int(above) == parent and state != "Z" and b"workers.worker_process" in command:
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def hosts(wide_site) -> list[str]:
    """Eight hosts, of both of two workers."""
    found = [f"127.0.0.{n}:{wide_site.port}" for n in range(1, 20)]
    mine = [host for host in found if worker_index_of(host, 2) == 0][:4]
    other = [host for host in found if worker_index_of(host, 2) == 1][:4]
    assert len(mine) == len(other) == 4
    return mine + other


@pytest.fixture
def collect(tmp_path: Path, hosts: list[str], listed, design_of) -> Collect:
    """Collect addresses by class, in two processes unless told otherwise."""

    def run(urls: dict[str, list[str]], folder: str = "work", **options: Any) -> Dataset:
        heard = options.pop("heard", None)
        options = {"allow_hosts": hosts, "backoff": 0.01, "processes": 2, "min_side": 8} | options
        searcher = listed(urls={name: tuple(each) for name, each in urls.items()})
        with work_context(tmp_path / folder, heard):
            return Downloader(**options).collect(design_of(*urls), [searcher])

    return run


@pytest.fixture
def urls(wide_site, hosts: list[str], image_bytes) -> dict[str, list[str]]:
    """Sixty addresses on eight hosts; some are gone, some redirect to another host."""
    found = []
    for n in range(60):
        wide_site.serve(f"/{n}.jpg", image_bytes(n % 50))
        path = f"/gone{n}.jpg" if n % 13 == 5 else f"/{n}.jpg"
        if n % 7 == 3:
            target = f"http://{hosts[(n + 3) % 8]}{path}"
            wide_site.script(
                f"/hop{n}", lambda to=target: web.Response(status=302, headers={"Location": to})
            )
            path = f"/hop{n}"
        found.append(f"http://{hosts[n % 8]}{path}")
    return {"cat": found[:35], "dog": found[30:]}


def test_however_many_processes_it_is_the_same_dataset(
    urls: dict[str, list[str]], collect: Collect, tmp_path: Path
) -> None:
    whole = collect(urls, "thread", processes=None)
    assert len(whole) == 47
    for processes in (1, 2, 3):
        assert collect(urls, str(processes), processes=processes, shard_size=7) == whole
        for name in ("refused.parquet", "hits.parquet"):
            one, other = (pq.read_table(tmp_path / f / name) for f in ("thread", str(processes)))
            assert one == other
    assert not workers_of(os.getpid())


def test_a_finished_collection_starts_no_process(
    urls: dict[str, list[str]], collect: Collect, wide_site
) -> None:
    first = collect(urls, processes=1)
    wide_site.paths.clear()
    assert collect(urls) == first
    assert not wide_site.paths


def test_a_killed_worker_is_replaced(
    urls: dict[str, list[str]], collect: Collect, wide_site
) -> None:
    """Images in its open shard are fetched again; those of finished shards are not."""
    whole = collect(urls, "whole", processes=None)
    killed: list[int] = []

    def heard(done: int, total: int | None, unit: str) -> None:
        if unit == "image" and done in (5, 20) and (running := workers_of(os.getpid())):
            killed.append(running[0])
            os.kill(running[0], signal.SIGKILL)

    wide_site.paths.clear()
    assert collect(urls, heard=heard, shard_size=4) == whole
    assert killed
    assert max(Counter(wide_site.paths).values()) <= 1 + len(killed)
    assert not workers_of(os.getpid())


def test_an_image_that_kills_its_worker_twice_is_refused(
    urls: dict[str, list[str]], collect: Collect, wide_site, hosts: list[str], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2500, 2500, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "slow.png", compress_level=9)
    wide_site.serve("/slow.png", (tmp_path / "slow.png").read_bytes(), "image/png")
    url = f"http://{hosts[0]}/slow.png"
    stop = threading.Event()
    killed: list[int] = []

    def hunt() -> None:
        """Kill whoever decodes the slow image: as a decoder that crashes would."""
        while not stop.wait(0.01):  # an eighth of a second goes into decoding
            with suppress(OSError):  # files and processes that are gone meanwhile
                for marker in (tmp_path / "work/images").glob("decoding-*.part"):
                    if marker.read_text().strip() != id_of(url):
                        continue
                    for worker in workers_of(os.getpid()):
                        files = [fd.readlink() for fd in Path(f"/proc/{worker}/fd").iterdir()]
                        if marker in files and marker.read_text().strip() == id_of(url):
                            killed.append(worker)
                            os.kill(worker, signal.SIGKILL)

    whole = collect(urls, "whole", processes=None)
    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        dataset = collect({"cat": [url, *urls["cat"]], "dog": urls["dog"]})
    finally:
        stop.set()
        hunter.join()
    assert len(set(killed)) == 2
    assert dataset.ids.tolist() == whole.ids.tolist()
    rows = pq.read_table(tmp_path / "work/refused.parquet").to_pylist()
    (row,) = [row for row in rows if row["url"] == url]
    assert (row["reason"], row["detail"]) == (
        "crashed the decoder",
        "the worker died over it 2 times",
    )


def test_workers_that_die_again_and_again_end_the_work(
    urls: dict[str, list[str]], collect: Collect, wide_site, hosts: list[str]
) -> None:
    async def deadly(_: web.Request) -> web.Response:
        for worker in workers_of(os.getpid()):
            os.kill(worker, signal.SIGKILL)
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    wide_site.on("/deadly", deadly)
    with pytest.raises(WorkError) as raised:
        collect({"cat": [f"http://{hosts[0]}/deadly"], "dog": []}, processes=1)
    assert str(raised.value) == (
        "workers die again and again (exit code -9): is there enough memory? "
        "use fewer `processes`, or fewer `max_connections`"
    )


@pytest.mark.parametrize("processes", [None, 2])
def test_a_shard_that_cannot_be_written_ends_the_work(
    urls: dict[str, list[str]], collect: Collect, tmp_path: Path, processes: int | None
) -> None:
    def heard(done: int, total: int | None, unit: str) -> None:
        if (unit, done) == ("image", 3):
            (tmp_path / "work/images").rename(tmp_path / "work/elsewhere")

    with pytest.raises(WorkError) as raised:
        collect(urls, heard=heard, processes=processes, shard_size=1)
    message = str(raised.value)
    assert message.startswith(str(tmp_path / "work/images/"))
    assert message.endswith(" cannot be written: No such file or directory")
    assert not workers_of(os.getpid())


def test_no_host_is_asked_more_at_once_by_all_workers_together(
    collect: Collect, wide_site, hosts: list[str], image_bytes
) -> None:
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def crowded(body: bytes) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            for key in (request.host, "all"):
                now[key] += 1
                most[key] = max(most[key], now[key])
            await asyncio.sleep(0.02)
            for key in (request.host, "all"):
                now[key] -= 1
            return web.Response(body=body)

        return answer

    found = []
    for n in range(48):
        wide_site.on(f"/{n}.jpg", crowded(image_bytes(n)))
        target = f"http://{hosts[n % 3]}/{n}.jpg"
        wide_site.script(
            f"/hop{n}", lambda to=target: web.Response(status=302, headers={"Location": to})
        )
        # Half of them are led from the other worker's hosts to these three.
        found.append(target if n % 2 else f"http://{hosts[4 + n % 4]}/hop{n}")
    dataset = collect({"cat": found, "dog": []}, max_connections_per_host=2, max_connections=8)
    assert len(dataset) == 48
    assert max(most[host] for host in hosts) == 2
    assert most["all"] <= 8


@pytest.mark.parametrize("processes", [None, 2])
def test_a_network_that_breaks_down_costs_no_image(
    collect: Collect, wide_site, hosts: list[str], image_bytes, processes: int | None
) -> None:
    """After a hundred images no host takes a connection any more, until it is mended."""
    asked, mended = itertools.count(), threading.Event()

    def answering(body: bytes) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            if next(asked) >= 100 and not mended.is_set():
                await wide_site.close()
                assert request.transport
                request.transport.abort()
            return web.Response(body=body)

        return answer

    urls = []
    for n in range(400):
        wide_site.on(f"/{n}.jpg", answering(image_bytes(n)))
        urls.append(f"http://{hosts[n % 8]}/{n}.jpg")
    found = {f"class {n}": urls[100 * n : 100 * n + 100] for n in range(4)}
    with pytest.raises(WorkError) as raised:
        collect(found, processes=processes, retries=0)
    assert "hosts: is the network up? None of them is given up" in str(raised.value)
    assert not workers_of(os.getpid())
    mended.set()
    wide_site.reopen()
    assert len(collect(found, processes=processes, retries=0)) == 400


CHILD = """
import signal, sys
from adc_core.records.design import Design, Query
from adc_core.components.signals import signal_handlers
from adc_core.components.context import work_context
from adc_plugins_search.download.workers import fetch_loop
from adc_plugins_search.collectors.downloader import Downloader
from adc_plugins_search.searchers.manifest import ManifestSearcher

folder, manifest, hosts = sys.argv[1:]
design = Design(
    classes=("cat", "dog"),
    queries=[Query(text=name, class_name=name) for name in ("cat", "dog")],
)
told = lambda done, total, unit: print(unit, done, flush=True)
with signal_handlers(), work_context(folder, told):
    collector = Downloader(allow_hosts=hosts.split(), processes=2, min_side=8)
    print("result", collector.collect(design, [ManifestSearcher(path=manifest)]).fingerprint)
"""


def many_hosts(wide_site, image_bytes, count: int) -> list[str]:
    """One address on each of so many hosts."""
    for n in range(count):
        wide_site.serve(f"/{n}.jpg", image_bytes(n))
    return [f"http://127.0.0.{n + 1}:{wide_site.port}/{n}.jpg" for n in range(count)]


def collecting(folder: Path, urls: list[str]) -> list[str]:
    """The program that collects addresses, all of them allowed, and its arguments."""
    rows = [f"{url},{'dog' if n % 2 else 'cat'}" for n, url in enumerate(urls)]
    (folder / "list.csv").write_text("\n".join(["url,label", *rows]) + "\n")
    allowed = " ".join(sorted({URL(url).authority for url in urls}))
    return [CHILD, str(folder / "work"), str(folder / "list.csv"), allowed]


def test_hosts_are_forgotten_and_met_again(
    collect: Collect, wide_site, image_bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_loop, "MAX_HOSTS", 3)
    urls = many_hosts(wide_site, image_bytes, 24)
    allowed = [URL(url).authority for url in urls]
    for n in range(24):  # each is led to a host that may be forgotten by now
        wide_site.script(
            f"/hop{n}", lambda to=urls[n]: web.Response(status=302, headers={"Location": to})
        )
    hops = [f"http://{allowed[n - 5]}/hop{n}" for n in range(24)]
    dataset = collect({"cat": urls, "dog": hops}, processes=None, allow_hosts=allowed)
    assert len(dataset) == 24


@pytest.mark.parametrize("most", [60, 1000])
def test_more_hosts_than_files_may_be_open(
    wide_site, image_bytes, tmp_path: Path, most: int
) -> None:
    """Workers take what the system allows them; what it denies them is no fault of an image."""
    program, *words = collecting(tmp_path, many_hosts(wide_site, image_bytes, 150))
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (60, {most}))\n"
    done = run_program(limit + program, *words)
    if most == 60:
        assert done.stderr.rstrip().endswith(
            "WorkError: more connections than this system allows open files: raise the limit "
            "(ulimit -n), then run the same again"
        )
        done = run_program(program, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("result ")
    assert not pq.read_table(tmp_path / "work/refused.parquet").num_rows


def test_workers_of_a_killed_collection_end_in_silence(
    wide_site, image_bytes, tmp_path: Path
) -> None:
    command = collecting(tmp_path, many_hosts(wide_site, image_bytes, 150))
    with start_program(*command) as child:
        for told in child.stdout:
            if told == "image 20\n":
                break
        running = workers_of(child.pid)
        child.kill()
        # Workers hold this pipe too: it ends when they do.
        assert child.stderr.read() == ""
    assert len(running) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_loses_nothing(
    wide_site, hosts: list[str], image_bytes, tmp_path: Path, number: int
) -> None:
    release = threading.Event()

    def slow(body: bytes) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.Response:
            while not release.is_set():
                await asyncio.sleep(0.01)
            return web.Response(body=body)

        return answer

    for n in range(40):
        if n < 30:
            wide_site.serve(f"/{n}.jpg", image_bytes(n))
        else:
            wide_site.on(f"/{n}.jpg", slow(image_bytes(n)))
    command = collecting(tmp_path, [f"http://{hosts[n % 8]}/{n}.jpg" for n in range(40)])
    with start_program(*command) as child:
        for told in child.stdout:
            if told == "image 30\n":
                break
        running = workers_of(child.pid)
        assert len(running) == 2
        child.send_signal(number)
        _, errors = child.communicate(timeout=30)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert not any(Path(f"/proc/{worker}").exists() for worker in running)
    release.set()
    wide_site.paths.clear()
    again = run_program(*command)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-1].startswith("result ")
    assert sorted(wide_site.paths) == sorted(f"/{n}.jpg" for n in range(30, 40))
    assert not list((tmp_path / "work/images").glob("*.part"))
