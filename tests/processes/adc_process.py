"""Run `adc`, or a program, in a process of its own without waiting for its imports."""

import atexit
import functools
import itertools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ADDRESS = "ADC_TESTS_FORK_SERVER"
"""The variable with the address of the process that forks."""

_SERVER = Path(__file__).with_name("fork_server.py")


def run_adc(*words, cwd=None, env=None, said=""):
    """Run a command to its end; return what `subprocess.run` returns of text that it captures.

    The process is forked from one that has the imports done. Where a test is about what is
    imported, about `PYTHONPATH` or a terminal, it starts a process itself.
    """
    return _run([str(word) for word in words], None, cwd, env, said)


def run_program(text, *arguments, cwd=None, env=None):
    """Run a program as `python -W error -c TEXT ARGUMENTS` does; warnings at imports aside."""
    return _run([str(one) for one in arguments], text, cwd, env, "")


def start_adc(*words, cwd=None, env=None):
    """Start a command, to read what it says, to send it signals, to kill it."""
    return Started([str(word) for word in words], None, cwd, env)


def start_program(text, *arguments, cwd=None, env=None):
    """Start a program as `python -W error -c TEXT ARGUMENTS` does; warnings at imports aside."""
    return Started([str(one) for one in arguments], text, cwd, env)


class Started:
    """What `subprocess.Popen` is, as far as tests need it, with text in pipes."""

    def __init__(self, words, program, cwd, env):
        self.args, self.returncode = ["adc", *words], None
        with tempfile.TemporaryDirectory() as folder:
            pipes = [Path(folder, name) for name in ("out", "error")]
            for pipe in pipes:
                os.mkfifo(pipe)
            self._server, self._number = _ask(words, program, cwd, env, os.devnull, *pipes)
            self.stdout, self.stderr = (pipe.open() for pipe in pipes)  # both sides wait here
        self.pid = self._server.told(self._number, "pid", 60)

    def wait(self, timeout=None):
        if self.returncode is None:
            try:
                self.returncode = self._server.told(self._number, "code", timeout)
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout) from None
        return self.returncode

    def poll(self):
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def communicate(self, timeout=None):
        if self.stdout.closed:
            return "", ""
        with ThreadPoolExecutor(2) as both:
            texts = tuple(both.map(lambda pipe: pipe.read(), (self.stdout, self.stderr)))
        self.wait(timeout)
        self._close()
        return texts

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait()
        self._close()

    def _close(self):
        self.stdout.close()
        self.stderr.close()


def _run(words, program, cwd, env, said, timeout=250):
    with tempfile.TemporaryDirectory() as folder:
        spoken, out, error = (Path(folder, name) for name in ("said", "out", "error"))
        for path, text in ((spoken, said), (out, ""), (error, "")):
            path.write_text(text)
        server, number = _ask(words, program, cwd, env, spoken, out, error)
        try:
            code = server.told(number, "code", timeout)
        except TimeoutError:
            os.kill(server.told(number, "pid", 0), signal.SIGKILL)
            raise subprocess.TimeoutExpired(["adc", *words], timeout) from None
        return subprocess.CompletedProcess(
            ["adc", *words], code, out.read_text(), error.read_text()
        )


def _ask(words, program, cwd, env, said, out, error):
    """Send a request; return the server and the number of the request."""
    request = {
        "words": words,
        "program": program,
        "warnings_are": "error",
        "folder": str(Path(cwd or ".").absolute()),
        "environment": dict(os.environ if env is None else env),
        "said": str(said),
        "out": str(out),
        "error": str(error),
    }
    server = _server()
    return server, server.ask(request)


def start_server():
    """Start the process that forks, in a group of its own; it ends with this one.

    Processes that are started from now on find it by their environment.
    """
    folder = tempfile.mkdtemp(prefix="adc-tests-")
    address = str(Path(folder, "socket"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        process = subprocess.Popen(
            [sys.executable, str(_SERVER), str(listening.fileno())],
            stdin=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},  # a process with threads does not fork well
            pass_fds=[listening.fileno()],
            start_new_session=True,
        )

    def end():
        process.stdin.close()
        process.wait()
        shutil.rmtree(folder)

    atexit.register(end)
    os.environ[ADDRESS] = address


class _Server:
    """A connection to the process that forks."""

    def __init__(self):
        if ADDRESS not in os.environ:
            start_server()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(os.environ[ADDRESS])
        self._numbers, self._lock = itertools.count(), threading.Lock()
        self._told, self._rest = {}, b""

    def ask(self, request):
        number = next(self._numbers)
        with self._lock:
            self._socket.sendall(json.dumps({"number": number, **request}).encode() + b"\n")
        return number

    def told(self, number, what, timeout):
        """Wait for a number: `pid`, or the exit `code`; no timeout waits for ever."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:
                if (number, what) in self._told:
                    return self._told[number, what]
                left = 0.1 if until is None else min(0.1, until - time.monotonic())
                if select.select([self._socket], [], [], max(left, 0))[0]:
                    self._read()
                elif left <= 0:
                    raise TimeoutError

    def _read(self):
        data = self._socket.recv(1 << 16)
        assert data, "the process that forks has ended"
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            number, what, value = json.loads(line)
            self._told[number, what] = value


_server = functools.cache(_Server)
