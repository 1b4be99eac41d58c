"""What a worker process does without: there is one for each processor, so its memory counts."""

import io
import subprocess
import sys
import threading
from multiprocessing import Pipe
from pathlib import Path

import pytest
from PIL import Image

from adc_core.errors import WorkError
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.images.verify import ImageRules
from adc_plugins_search.download.workers import supervisor
from adc_plugins_search.download.workers.fetch_loop import FetchLoop
from adc_plugins_search.download.workers.protocol import Job

# A record of TLS 1.2 or 1.3 holds at most 2 ** 14 bytes and 256 of its own, behind 5 of a header.
LONGEST_RECORD = (1 << 14) + 256 + 5

VERIFY = """
import sys
import threading
from multiprocessing import Pipe
from pathlib import Path
from adc_plugins_search.download.workers import worker_process
from adc_plugins_search.download.images.verify import ImageRules, verify

rules = ImageRules(size=32, min_side=8, max_pixels=10_000)
verify(sys.stdin.buffer.read(), rules, "http://a.example/1.jpg")
print(*sys.modules)
"""
SET_ASIDE = """
import asyncio, ssl, sys
from asyncio.sslproto import SSLProtocol
from adc_plugins_search.download.workers import worker_process

def look(inbox, outbox):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    connection = SSLProtocol(asyncio.new_event_loop(), asyncio.Protocol(), context, None)
    print(len(connection.get_buffer(-1)), file=sys.stderr)

worker_process.run_worker = look
worker_process.main()
"""


TAKE_MUCH = """
import sys
import threading
from multiprocessing import Pipe
from pathlib import Path
from adc_plugins_search.download.workers import worker_process

def take(inbox, outbox):
    try:
        bytearray(5 << 30)
    except MemoryError:
        print("MemoryError", file=sys.stderr)

worker_process.run_worker = take
worker_process.main()
"""


def test_a_worker_imports_nothing_that_only_the_coordinator_needs():
    image_bytes = io.BytesIO()
    Image.effect_noise((48, 64), 50).save(image_bytes, "JPEG")
    command = [sys.executable, "-P", "-c", VERIFY]
    imported = subprocess.run(
        command, input=image_bytes.getvalue(), stdout=subprocess.PIPE, check=True
    )
    packages = set(imported.stdout.decode().split())
    assert {"aiohttp", "numpy", "PIL.JpegImagePlugin"} <= packages
    assert not packages & {
        "cv2",
        "importlib_metadata",
        "numpy.ma",
        "numpy.random",
        "pandas",
        "pyarrow",
        "pydantic",
        "sqlite3",
        "adc_core.records.dataset",
        "adc_plugins_search.collectors.downloader",
    }


def test_a_worker_takes_no_more_memory_than_a_machine_can_spare():
    command = [sys.executable, "-P", "-c", TAKE_MUCH]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert ended.stderr == b"MemoryError\n"


def test_a_worker_that_failed_is_told_of_more_work_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the disk is full: it ends, and what was on its way to it is left."""

    async def fail(_: FetchLoop) -> None:
        raise WorkError("full")

    raised: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    monkeypatch.setattr(FetchLoop, "run", fail)
    inbox, to_it = Pipe(duplex=False)
    from_it, outbox = Pipe(duplex=False)
    working = threading.Thread(target=supervisor._run_in_thread, args=(inbox, outbox))
    working.start()
    rules = FetchRules(1, 1, 1, 1, 1, 0, 0, 0, 1, "", frozenset())
    to_it.send(Job(0, 1, tmp_path, 9, ImageRules(9, 9, 9), rules))
    (ended,) = from_it.recv()
    assert str(ended.error) == "full"
    working.join()
    to_it.send([])
    to_it.close()
    for thread in threading.enumerate():
        if thread.name == "listening":
            thread.join()
    assert raised == []


def test_a_worker_sets_little_more_than_a_record_aside_for_a_tls_connection():
    command = [sys.executable, "-P", "-c", SET_ASIDE]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert LONGEST_RECORD <= int(ended.stderr) <= 2 * LONGEST_RECORD
