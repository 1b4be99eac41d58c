"""Run `adc`, or a program, in a process of its own without waiting for its imports."""

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


def run_adc(*words, cwd=None, env=None, said=""):
    """Run a command to its end; return what `subprocess.run` returns of text that it captures.

    The process is forked from one that has the imports done. Where a test is about what is
    imported, about `PYTHONPATH`, a terminal or a signal, it starts a process itself.
    """
    return _run([str(word) for word in words], None, cwd, env, said)


def run_program(text, *, cwd=None, env=None):
    """Run a program as `python -W error -c TEXT` does; warnings at imports aside."""
    return _run([], text, cwd, env, "")


def _run(words, program, cwd, env, said, timeout=250):
    server = _server()
    with tempfile.TemporaryDirectory() as folder:
        spoken, out, error = (Path(folder, name) for name in ("said", "out", "error"))
        for path, text in ((spoken, said), (out, ""), (error, "")):
            path.write_text(text)
        request = {
            "words": words,
            "program": program,
            "folder": str(Path(cwd or ".").absolute()),
            "environment": dict(os.environ if env is None else env),
            "said": str(spoken),
            "out": str(out),
            "error": str(error),
        }
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], timeout)[0]:
            _end(server)
            raise subprocess.TimeoutExpired(["adc", *words], timeout)
        answer = server.stdout.readline()
        assert answer, "the process that forks has ended"
        return subprocess.CompletedProcess(
            ["adc", *words], int(answer), out.read_text(), error.read_text()
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
