"""Run `adc` in a process of its own, without waiting for its imports."""

import atexit
import functools
import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

_SERVER = Path(__file__).with_name("fork_server.py")


def run_adc(*words, cwd=None, env=None, timeout=250):
    """Run a command to its end; return what `subprocess.run` returns of text that it captures.

    The process is forked from one that has the imports done. Where a test is about what is
    imported, about `PYTHONPATH`, a terminal or a signal, it starts a process itself.
    """
    server = _server()
    with tempfile.TemporaryDirectory() as folder:
        out, error = Path(folder, "out"), Path(folder, "error")
        out.touch(), error.touch()
        request = {
            "words": [str(word) for word in words],
            "folder": str(Path(cwd or ".").absolute()),
            "environment": dict(os.environ if env is None else env),
            "out": str(out),
            "error": str(error),
        }
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], timeout)[0]:
            _end(server)
            raise subprocess.TimeoutExpired(request["words"], timeout)
        answer = server.stdout.readline()
        assert answer, "the process that forks has ended"
        return subprocess.CompletedProcess(
            ["adc", *request["words"]], int(answer), out.read_text(), error.read_text()
        )


@functools.cache
def _server():
    """Start the process that forks, in a group of its own; it ends with this one."""
    server = subprocess.Popen(
        [sys.executable, str(_SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # a process with threads does not fork well
        start_new_session=True,
    )
    atexit.register(server.stdin.close)
    return server


def _end(server):
    os.killpg(server.pid, 9)
    server.wait()
    _server.cache_clear()
