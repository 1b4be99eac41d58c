"""A server that is killed at any moment loses no vote that it acknowledged, and doubles none."""

import http.client
import json
import re
import secrets
import signal
import socket
import sqlite3
import threading
import time

import pyarrow.parquet as pq
from adc_process import run_adc, start_adc

from adc_core.storage import save_dataset
from adc_core.testing.toys import toy_dataset
from adc_plugins_review.campaign.plan import REVIEW


def plan(folder, *options):
    """Plan a review of the toys."""
    save_dataset(toy_dataset().replace(votes=None), folder / "toys")
    done = run_adc("review", folder / "toys", "plan", "--out", folder, *options)
    assert done.returncode == 0, done.stderr


def start(folder, port):
    """Serve; return the process and the workers' links once it listens."""
    process = start_adc("review", folder, "--port", port, "--no-browser", "--workers", 4)
    links = []
    for line in process.stdout:
        if found := re.match(r"r\d+: .*(/w/\S+)", line):
            links.append(found[1])
        if line.startswith("Ctrl-C"):
            return process, links
    raise AssertionError("the server did not start")


def post(port, path, body):
    """Send until there is an answer, as the page does."""
    headers = {"Content-Type": "application/json", "X-ADC-Review": "1"}
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            content = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            time.sleep(0.05)
            continue
        finally:
            connection.close()
        if answer.status in (429, 503):
            time.sleep(0.2)
            continue
        return answer.status, content


def test_three_kills_lose_no_vote_and_double_none(tmp_path):
    plan(tmp_path, "--budget", 240, "--votes", 3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process, links = start(tmp_path, port)
    acknowledged, wrong = [], []

    def person(number, link):
        answers = ("yes", "no", "unsure")
        while True:
            _, content = post(port, f"{link}/batch", {"task": "vote"})
            if not content.get("batch"):
                return
            for item in content["items"]:
                body = {"key": secrets.token_hex(16), "n": item["n"], "ms": 900,
                        "answer": answers[number % 3]}  # fmt: skip
                status, _ = post(port, f"{link}/vote", body)
                (acknowledged if status == 200 else wrong).append(body["key"])
            post(port, f"{link}/submit", {"batch": content["batch"]})

    threads = [threading.Thread(target=person, args=pair) for pair in enumerate(links)]
    for thread in threads:
        thread.start()
    for votes in (40, 100, 170):
        while len(acknowledged) < votes and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        process.kill()
        process.communicate()
        process, again = start(tmp_path, port)
        assert again == links, "the links are the same after a restart"
    for thread in threads:
        thread.join(120)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    process.communicate()
    assert not wrong
    database = sqlite3.connect(tmp_path / REVIEW / "votes.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    keys = [row[0].partition(":")[2] for row in database.execute("SELECT client_key FROM event")]
    database.close()
    assert sorted(keys) == sorted(acknowledged)
    table = pq.read_table(tmp_path / REVIEW / "votes.parquet")
    assert len(table) == len(acknowledged) >= 240


def test_a_second_server_is_refused(tmp_path):
    plan(tmp_path, "--budget", 20)
    process, _ = start(tmp_path, 0)
    second = run_adc("review", tmp_path, "--port", 0, "--no-browser")
    process.terminate()
    assert process.wait(30) == 0
    process.communicate()
    assert second.returncode == 1
    assert second.stderr == (
        f"adc: another process serves {tmp_path / REVIEW}: end it, or use its links\n"
    )


def test_other_machines_are_let_in_only_under_a_name(tmp_path):
    save_dataset(toy_dataset().replace(votes=None), tmp_path / "toys")
    words = ("review", tmp_path / "toys", "serve", "--out", tmp_path, "--host", "0.0.0.0")
    refused = run_adc(*words)
    assert refused.returncode == 2
    assert refused.stderr == (
        "adc: --host 0.0.0.0 is reached by other machines: say with --public-url how\n"
    )
