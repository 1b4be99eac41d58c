"""How many people a review serves: 50 workers vote without pauses, and the server is killed.

    python benchmarks/review_load.py [--workers 50] [--kills 6] [--items 100000] [--soak 10]

Server and clients share the machine. Each worker asks for a batch, fetches its 20 images and sends
20 answers, each again until it is acknowledged. Then the database is compared with what was
acknowledged. Then one person floods the server while another one votes. With `--items`, how long
dealing takes in a campaign of that size; with `--soak`, what the server holds in memory, minute by
minute, while 30 people vote without pauses: nothing else is measured then.
"""

import argparse
import asyncio
import contextlib
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp
import numpy as np
from PIL import Image

from adc_core import Dataset

HEADERS = {"X-ADC-Review": "1", "Content-Type": "application/json"}


def main():
    """Measure load without and with kills, and a large campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES")
    arguments = parser.parse_args()
    if arguments.soak:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(soak(Path(folder), arguments.soak))
        return
    print(f"python {sys.version.split()[0]}, aiohttp {aiohttp.__version__}, "
          f"sqlite {sqlite3.sqlite_version}, 2 cores shared by server and clients")  # fmt: skip
    for kills in (0, arguments.kills):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(load(Path(folder), arguments.workers, kills))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(flood(Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        large(Path(folder), arguments.items)
    dashboard()


def make(folder, samples, budget):
    """Draw photographs of 500 x 375 pixels and plan a review of them."""
    rng = np.random.default_rng(0)
    for number in range(samples):
        path = folder / "data" / f"class {number % 10}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8))
        small.resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=85)
    adc = [sys.executable, "-m", "adc_core.cli", "review", str(folder / "data"), "plan"]
    options = ["--out", str(folder), "--budget", str(budget), "--votes", "3", "--repair", "0"]
    subprocess.run([*adc, *options], check=True, stdout=subprocess.DEVNULL)


class Server:
    """The server as a process of its own, which can be killed and started again."""

    def __init__(self, folder, workers):
        self.folder, self.workers = folder, workers
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    def start(self):
        """Start it and wait until it listens."""
        words = ["review", str(self.folder), "--port", str(self.port), "--no-browser"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "adc_core.cli", *words, "--workers", str(self.workers)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.links = []
        for line in self.process.stdout:
            if found := re.match(r"r\d+: .*(/w/\S+)", line):
                self.links.append(found[1])
            if line.startswith("Ctrl-C"):
                break

    def memory(self):
        """MiB that it had at the most."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def memory_now(self):
        """MiB that it has at the moment."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def kill(self):
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


async def load(folder, workers, kills):
    """Let everybody vote at once; compare what was acknowledged with what was kept."""
    make(folder, 500, 3 * 500)
    server = await asyncio.to_thread(Server, folder, workers)
    acknowledged, times, down = [], [], 0.0
    connector = aiohttp.TCPConnector(limit=0)
    begun = time.perf_counter()
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{server.port}", headers=HEADERS, connector=connector
    ) as session:

        async def send(path, body=None):
            while True:
                started = time.perf_counter()
                try:
                    method = "GET" if body is None else "POST"
                    async with session.request(method, path, json=body) as answer:
                        content = await answer.read()
                        if answer.status in (429, 503):
                            await asyncio.sleep(0.2)
                            continue
                        if path.endswith("/vote") and answer.status == 200:
                            times.append(time.perf_counter() - started)
                        return answer.status, content if body is None else await answer.json()
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)

        async def work(link):
            _, batch = await send(f"{link}/batch", {"task": "vote"})
            for item in batch["items"]:
                await send(item["image"])
                body = {"key": secrets.token_hex(16), "n": item["n"], "answer": "yes", "ms": 900}
                status, _ = await send(f"{link}/vote", body)
                if status == 200:
                    acknowledged.append(body["key"])

        tasks = [asyncio.create_task(work(link)) for link in server.links]
        for number in range(kills):
            while len(acknowledged) < (number + 1) * 20 * workers / (kills + 1):
                await asyncio.sleep(0.01)
            stopped = time.perf_counter()
            server.kill()
            await asyncio.to_thread(server.start)
            down += time.perf_counter() - stopped
        await asyncio.gather(*tasks)
    seconds = time.perf_counter() - begun
    memory = server.memory()
    server.process.send_signal(signal.SIGINT)
    server.process.wait()
    database = sqlite3.connect(folder / "review" / "votes.sqlite")
    keys = Counter(
        one[0].partition(":")[2] for one in database.execute("SELECT client_key FROM event")
    )
    sound = database.execute("PRAGMA integrity_check").fetchone()[0]
    over = database.execute("SELECT count(*) FROM item WHERE votes > 3").fetchone()[0]
    database.close()
    up = seconds - down
    print(
        f"{workers} workers x 20 votes, {kills} kills: {seconds:.1f} s ({down:.1f} s of them the "
        f"restarts), {len(acknowledged) / up:.0f} votes/s while it was up\n"
        f"  a vote: p50 {1000 * np.median(times):.0f} ms, p95 "
        f"{1000 * np.percentile(times, 95):.0f} ms; {memory:.0f} MiB at the most\n"
        f"  acknowledged {len(acknowledged)}, kept {len(keys)}, lost "
        f"{len(set(acknowledged) - set(keys))}, doubled {sum(c > 1 for c in keys.values())}, "
        f"samples with a vote too many {over}, integrity {sound}"
    )


async def soak(folder, minutes, workers=30, samples=10_000):
    """Let people vote without pauses, three on each sample, until the time or the work is over."""
    make(folder, samples, 3 * samples)
    server = await asyncio.to_thread(Server, folder, workers)
    end, sent = time.perf_counter() + 60 * minutes, []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{server.port}", headers=HEADERS, connector=connector
    ) as session:

        async def post(path, body):
            while True:
                async with session.post(path, json=body) as answer:
                    if answer.status not in (429, 503):
                        return answer.status, await answer.json()
                await asyncio.sleep(0.2)

        async def work(link):
            while time.perf_counter() < end:
                _, batch = await post(f"{link}/batch", {"task": "vote"})
                for item in batch.get("items", []):
                    async with session.get(item["image"]) as answer:
                        await answer.read()
                    body = {"key": secrets.token_hex(16), "n": item["n"], "answer": "yes"}
                    status, _ = await post(f"{link}/vote", body)
                    if status == 200:
                        sent.append(body["key"])
                if not batch.get("items"):
                    return
                await post(f"{link}/submit", {"batch": batch["batch"]})

        voting = asyncio.gather(*(work(link) for link in server.links))
        print(f"{workers} workers on {samples:,} samples, three votes each")
        while not voting.done():
            print(f"  {len(sent):6,} votes, {server.memory_now():.0f} MiB", flush=True)
            await asyncio.wait([voting], timeout=60)
        await voting
    print(
        f"  {len(sent):6,} votes, {server.memory_now():.0f} MiB, at the most {server.memory():.0f}"
    )
    server.process.send_signal(signal.SIGINT)
    server.process.wait()
    with contextlib.closing(sqlite3.connect(folder / "review" / "votes.sqlite")) as database:
        kept = {
            one[0].partition(":")[2] for one in database.execute("SELECT client_key FROM event")
        }
    print(f"  acknowledged {len(sent):,}, lost {len(set(sent) - kept)}")


async def flood(folder, requests=2_000, votes=40):
    """Let one person send 2,000 requests at once, again and again, while another one votes."""
    make(folder, 100, 300)
    server = await asyncio.to_thread(Server, folder, 2)
    url, (bad, good) = f"http://127.0.0.1:{server.port}", server.links[:2]
    sent, times, over = 0, [], asyncio.Event()

    async def hammer(session, number):
        nonlocal sent
        body = {"key": secrets.token_hex(16), "n": 1000 + number % 20, "answer": "no"}
        with contextlib.suppress(aiohttp.ClientError):
            async with session.post(f"{bad}/vote", json=body) as answer:
                await answer.read()
        sent += 1

    async def hammer_on():
        connector = aiohttp.TCPConnector(limit=300)
        async with aiohttp.ClientSession(url, headers=HEADERS, connector=connector) as session:
            while not over.is_set():
                await asyncio.gather(*(hammer(session, number) for number in range(requests)))

    # Of another address: this one has all the connections that it may have.
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(url, headers=HEADERS, connector=connector) as session:
        begun = time.perf_counter()
        flooding = asyncio.create_task(hammer_on())
        for number in range(votes):
            if number % 20 == 0:
                async with session.post(f"{good}/batch", json={"task": "vote"}) as answer:
                    batch = await answer.json()
            n = batch["items"][number % 20]["n"]
            body = {"key": secrets.token_hex(16), "n": n, "answer": "yes"}
            started = time.perf_counter()
            async with session.post(f"{good}/vote", json=body) as answer:
                assert answer.status == 200, answer.status
            times.append(time.perf_counter() - started)
            if number % 20 == 19:
                await session.post(f"{good}/submit", json={"batch": batch["batch"]})
            await asyncio.sleep(0.1)
        over.set()
        seconds = time.perf_counter() - begun
        rate = sent / seconds
        await flooding
    print(
        f"one person sends {rate:,.0f} requests a second over 300 connections for {seconds:.0f} s, "
        f"another one votes\n"
        f"  a vote: p50 {1000 * np.median(times):.0f} ms, p95 "
        f"{1000 * np.percentile(times, 95):.0f} ms; {server.memory():.0f} MiB at the most"
    )
    server.process.send_signal(signal.SIGINT)
    server.process.wait()


def dashboard(votes=10_000, people=50):
    """Compute what the dashboard shows of 10,000 votes, three of them on a sample."""
    from adc_plugins_review.campaign.agreement import Answers, KeptFigures

    rng = np.random.default_rng(0)
    item = np.repeat(np.arange(votes // 3), 3)
    rater = np.concatenate([rng.choice(people, 3, replace=False) for _ in range(votes // 3)])
    wrong = (rng.random(votes // 3) < 0.1)[item] != (rng.random(len(item)) < 0.1)
    answers = Answers(item, rater, item % 10, np.where(wrong, -1, 1))
    kept, times = KeptFigures(), []
    for _ in range(2):
        started = time.perf_counter()
        kept.of(answers)
        times.append(time.perf_counter() - started)
    print(
        f"agreement of 10 classes with 1,000 draws each, and discernment of {people} people, of "
        f"{len(item):,} votes: {1000 * times[0]:.0f} ms; {1000 * times[1]:.1f} ms until somebody "
        "answers"
    )


def large(folder, items):
    """Deal from a large queue of which three quarters are done."""
    from adc_plugins_review.campaign.answers import Answer, vote
    from adc_plugins_review.campaign.dealing import PLACES, deal, submit
    from adc_plugins_review.campaign.plan import ReviewPlan
    from adc_plugins_review.campaign.progress import task_progress
    from adc_plugins_review.campaign.raters import add_rater
    from adc_plugins_review.campaign.store import Store
    from adc_plugins_review.certificate.alpha import Alpha

    dataset = Dataset(labels=np.arange(items) % 10)
    plan = ReviewPlan(
        created="now", dataset="x", samples=items, classes=dataset.classes, votes="3",
        audit=tuple(range(items)), alpha=Alpha(),
    )  # fmt: skip
    started = time.perf_counter()
    store = Store(folder, plan, dataset)
    print(f"{items:,} samples: the database is made in {time.perf_counter() - started:.1f} s")
    # Three quarters of the queue have all their votes: dealing must not walk past them.
    with store.transaction() as db:
        db.execute("UPDATE item SET votes = 3, verdict = 1 WHERE place < ?", (items * 3 // 4,))
    times = []
    for _ in range(30):
        person = add_rater(store)
        started = time.perf_counter()
        batch = deal(store, person, "vote")
        times.append(time.perf_counter() - started)
        for item in batch.items[:2]:
            vote(store, person, secrets.token_hex(16), item.n // PLACES, item.n % PLACES, Answer(1))
        submit(store, person, batch.id)
    started = time.perf_counter()
    task_progress(store)
    print(
        f"  dealing: median {1000 * np.median(times):.1f} ms, longest {1000 * max(times):.1f} ms; "
        f"the dashboard's numbers {1000 * (time.perf_counter() - started):.0f} ms"
    )
    store.close()


if __name__ == "__main__":
    main()
