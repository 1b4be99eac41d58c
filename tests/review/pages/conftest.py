"""Reviews to test on: a small dataset with its plan, and a server in a thread of its own."""

import asyncio
import contextlib
import http.client
import json
import secrets
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from adc_core import save_dataset
from adc_core.cli import main
from adc_core.testing.toys import toy_dataset, toy_findings, toy_truth
from adc_plugins_review.actions.make_plan import PlanOptions, make_plan
from adc_plugins_review.campaign.plan import REVIEW, write_plan
from adc_plugins_review.campaign.raters import add_rater, owner_token, token_of
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.campaign.store import Store
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.server import Address, running

OWN = {"X-ADC-Review": "1", "Content-Type": "application/json"}

PIPELINE = """
dataset: toys
truth: truth.csv
enrichers: [{use: votes, path: run/review/votes.parquet}]
detectors: [{use: simifeat, k: 5}]
curators: [{use: votes, rule: one-then-two}]
"""


@dataclass
class Review:
    """A review on disk; `store` opens its database."""

    source: Source
    plan: object

    @property
    def folder(self):
        return self.source.folder / REVIEW

    def store(self, **options):
        return Store(self.folder, self.plan, self.source.dataset, **options)


@pytest.fixture
def make_review(tmp_path):
    """Make a review of the toys, with the options of a plan; `changes` go to the dataset."""

    def make(changes=None, gold=0, **options):
        dataset = toy_dataset().replace(votes=None).replace(**(changes or {}))
        truth = toy_truth()
        source = Source(
            tmp_path,
            dataset,
            {"toy": toy_findings()},
            collected=dataset,
            rows=np.arange(len(dataset)),
            truth=truth,
        )
        if gold:
            path = tmp_path / "gold.csv"
            names = [dataset.classes[one] for one in truth[-gold:]]
            lines = [f"{i},{n}" for i, n in zip(dataset.ids[-gold:], names, strict=True)]
            path.write_text("\n".join(["id,label", *lines]) + "\n")
            options["gold_file"] = path
        plan = make_plan(source, PlanOptions(**options))
        write_plan(plan, tmp_path / REVIEW)
        return Review(source, plan)

    return make


@dataclass
class Answered:
    """What a server sent."""

    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Served:
    """A server and the links of its review."""

    port: int
    desk: Desk
    owner: str
    workers: list

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method, path, body=None, headers=None, host=None):
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = dict(headers or {})
        if host is not None:
            sent["Host"] = host
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        got = Answered(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return got

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, value):
        """Send as the page's script does."""
        if "key" not in value and path.endswith(("/vote", "/select", "/relabel")):
            value = {"key": secrets.token_hex(16), **value}
        return self.ask("POST", path, json.dumps(value), OWN)

    def form(self, path, text, **headers):
        """Send as a form of the page does."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, text, kind | {"Origin": self.url} | headers)

    def deal(self, worker=0, task="vote"):
        return self.post(f"{self.workers[worker]}/batch", {"task": task}).json()


@pytest.fixture
def serving():
    """Serve a review while a block runs: `with serving(review, workers=2) as served:`."""
    return _serving


@contextlib.contextmanager
def _serving(review, workers=2, trusted=False, **address):
    """Serve a review while the block runs."""
    desk = Desk(review.source, review.plan, address.get("public_url") or "")
    with_store = review.store()
    for _ in range(workers):
        add_rater(with_store, trusted=trusted)
    owner = f"/o/{owner_token(with_store)}"
    links = [f"/w/{token_of(with_store, number + 1)}" for number in range(workers)]
    with_store.close()
    loop = asyncio.new_event_loop()
    ready, stop, port = threading.Event(), asyncio.Event(), []

    async def serve():
        async with running(desk, Address(port=0, **address)) as number:
            port.append(number)
            if not desk.public_url:
                desk.public_url = f"http://127.0.0.1:{number}"
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield Served(port[0], desk, owner, links)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
        desk.close()


@pytest.fixture(scope="session")
def review_vectors():
    """Numbers that were computed by a program that shares no code with the package."""
    return json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A folder with a dataset, its truth, and the finished run of a pipeline over it."""
    folder = tmp_path_factory.mktemp("finished")
    dataset = toy_dataset().replace(votes=None)
    save_dataset(dataset, folder / "toys")
    names = np.array(dataset.classes)[toy_truth()]
    lines = [f"{one},{name}" for one, name in zip(dataset.ids, names, strict=True)]
    (folder / "truth.csv").write_text("\n".join(["id,label", *lines]) + "\n")
    (folder / "gold.csv").write_text("\n".join(["id,label", *lines[-30:]]) + "\n")
    (folder / "pipeline.yaml").write_text(PIPELINE)
    with contextlib.chdir(folder):
        assert main(["run", "pipeline.yaml", "--out", "run"]) == 0
    return folder


@pytest.fixture
def folder(finished_run, tmp_path):
    """A copy of the folder of a finished run."""
    shutil.copytree(finished_run, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def adc(folder, monkeypatch, capsys):
    """The command in this process, in the folder: what it says."""
    monkeypatch.chdir(folder)

    def run(*words, fails=False):
        capsys.readouterr()
        code = main(words)
        said = "".join(capsys.readouterr())
        assert (code != 0) == fails, said
        return said

    return run
