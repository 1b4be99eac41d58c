"""What one sender cannot do to the others: connections, floods, and a full disk."""

import asyncio
import http.client
import json
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import aiohttp
import pytest

from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.web import server
from adc_plugins_review.web.connections import MOST, MOST_OF_ONE
from adc_plugins_review.web.desk import WAITING, Desk

OWN = {"X-ADC-Review": "1", "Content-Type": "application/json"}

other_addresses = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux has all of 127.0.0.0/8"
)


@pytest.fixture
def review(make_review):
    return make_review(budget=100, repair=0)


def connect(port, number, address="127.0.0.1"):
    """Open connections that say nothing; return those that are not closed."""
    opened = [
        socket.create_connection(("127.0.0.1", port), 10, (address, 0)) for _ in range(number)
    ]
    time.sleep(0.3)
    left = []
    for one in opened:
        one.setblocking(False)
        try:
            one.recv(1)
        except BlockingIOError:
            left.append(one)
        except ConnectionResetError:
            pass
        if one not in left:
            one.close()
    return left


def ask(port, path, address):
    """Ask from another address; return the status, or nothing where the connection is closed."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=10, source_address=(address, 0)
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (http.client.HTTPException, OSError):
        return None
    finally:
        connection.close()


@other_addresses
def test_connections_are_limited_for_each_address_and_for_all(review, serving):
    with serving(review) as served:
        held = connect(served.port, MOST_OF_ONE + 20)
        assert len(held) == MOST_OF_ONE
        assert ask(served.port, served.workers[0], "127.0.0.1") is None
        assert ask(served.port, served.workers[0], "127.0.0.2") == 200, "another address"
        for number in range(2, 5):
            held += connect(served.port, MOST_OF_ONE, f"127.0.0.{number}")
        assert len(held) == MOST
        assert ask(served.port, served.workers[0], "127.0.0.5") is None
        for one in held:
            one.close()
        time.sleep(0.2)
        assert served.get(served.workers[0]).status == 200


def test_a_proxy_on_this_machine_may_have_all_of_them(review, serving):
    with serving(review, public_url="https://review.example") as served:
        held = connect(served.port, MOST_OF_ONE + 20)
        assert len(held) == MOST_OF_ONE + 20
        for one in held:
            one.close()


def test_a_silent_connection_is_closed(review, serving, monkeypatch):
    monkeypatch.setattr(server, "KEEP_ALIVE", 0.5)
    with serving(review) as served:
        (silent,) = connect(served.port, 1)
        silent.settimeout(5)
        assert silent.recv(1) == b""
        silent.close()


def test_changes_beyond_a_thousand_have_to_wait(review):
    async def ask_for(desk, number):
        return await asyncio.gather(
            *(desk.write(lambda _: go.wait(20)) for _ in range(number)),
            *([released()] if number else []),
            return_exceptions=True,
        )

    async def released():
        await asyncio.sleep(0)
        go.set()

    go = threading.Event()
    desk = Desk(review.source, review.plan, "")
    try:
        found = asyncio.run(ask_for(desk, WAITING + 7))
    finally:
        desk.close()
    refused = [one for one in found if isinstance(one, Refused)]
    assert found.count(True) == WAITING
    assert [one.status for one in refused] == [503] * 7


@other_addresses
def test_two_thousand_requests_at_once_lose_no_vote_of_anybody(review, serving):
    statuses, kept = Counter(), set()

    async def flood(served, items):
        connector = aiohttp.TCPConnector(limit=300)
        async with aiohttp.ClientSession(served.url, headers=OWN, connector=connector) as session:

            async def send(number):
                body = {"key": secrets.token_hex(16), "n": items[number % 20]["n"], "answer": "no"}
                try:
                    async with session.post(f"{served.workers[0]}/vote", json=body) as answer:
                        statuses[answer.status] += 1
                        if answer.status == 200:
                            kept.add(body["key"])
                except aiohttp.ClientError:
                    statuses["closed"] += 1

            await asyncio.gather(*(send(number) for number in range(2_000)))

    with serving(review) as served:
        items, others = (served.deal(worker)["items"] for worker in range(2))
        thread = threading.Thread(target=lambda: asyncio.run(flood(served, items)))
        thread.start()
        for item in others:
            body = {"key": secrets.token_hex(16), "n": item["n"], "answer": "yes"}
            connection = http.client.HTTPConnection(
                "127.0.0.1", served.port, timeout=20, source_address=("127.0.0.2", 0)
            )
            connection.request("POST", f"{served.workers[1]}/vote", json.dumps(body), OWN)
            assert connection.getresponse().status == 200, "the other one is let in at once"
            connection.close()
            kept.add(body["key"])
        thread.join()
    assert set(statuses) <= {200, 429, "closed"}
    assert statuses["closed"] and statuses[429] > statuses[200]
    store = review.store()
    keys = [row[0].partition(":")[2] for row in store.db.execute("SELECT client_key FROM event")]
    store.close()
    assert sorted(keys) == sorted(kept)


def test_the_server_starts_without_scipy():
    code = "import sys, adc_plugins_review.actions.serve; print('scipy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_a_disk_that_is_really_full(review, serving, capfd):
    resource = pytest.importorskip("resource", reason="this system limits no sizes of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving(review) as served:
        n = served.deal()["items"][0]["n"]
        vote = {"key": secrets.token_hex(16), "n": n, "answer": "yes"}
        log = review.folder / "votes.sqlite-wal"
        # No file may grow beyond what the log of the database has: as if the disk were full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
        try:
            refused = served.post(f"{served.workers[0]}/vote", vote)
            page = served.get(served.workers[0])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (refused.status, page.status) == (503, 200)
        assert served.post(f"{served.workers[0]}/vote", vote).status == 200
    assert "the review cannot be written: look at the disk" in capfd.readouterr().err
    store = review.store()
    assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert store.db.execute("SELECT count(*) FROM vote").fetchone()[0] == 1
    store.close()
