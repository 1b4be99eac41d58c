"""A process that has everything imported and forks others, which need not wait for that.

A command of `adc` spends most of its time on imports (torch alone takes a second or two), and the
tests run some hundred; of the workers of xdist each would import it all as well. It is given the
number of a listening socket, and ends when its standard input does.

Each line of a connection is the JSON of a request: its `number`; the `words` of a command of `adc`,
or the text of a `program` with them as its arguments; what `warnings_are`, `default` or `error`;
`folder`, `environment`, and the files or pipes `said`, `out` and `error`, which it reads and writes
as its standard ones. Each is answered by a line with the number, `pid` and that of the process, and
another with the number, `code` and its exit code, once it has ended.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import re
import select
import signal
import socket
import sys
import threading
import traceback
import types
import warnings
from pathlib import Path

from importlib_metadata import entry_points

IMPORTED = (
    *("adc_core.cli.program", "adc_core.cli.run", "adc_core.cli.detect", "adc_core.cli.collect"),
    *("numpy", "pyarrow.parquet", "scipy.stats", "scipy.optimize", "scipy.sparse.csgraph"),
    *("sklearn.linear_model", "sklearn.mixture", "sklearn.datasets", "pyarrow.dataset"),
    *("torch", "torch._dynamo", "torchvision", "faiss", "jinja2", "aiohttp.web"),
    *("PIL.GifImagePlugin", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.PpmImagePlugin"),
    *("matplotlib.backends.backend_svg", "matplotlib.backends.backend_agg"),
    "adc_plugins_learn.training.network_learner",
    "adc_plugins_publish.html_report.page",
    "adc_plugins_rehearse.server",
    "adc_plugins_review.web.server",
    "adc_plugins_search.collectors.downloader",
)
"""What most commands and the workers import, and costs most.

None of it may start a thread, or be a plugin of pytest, which the workers are to rewrite.
"""


def main(listening: socket.socket) -> None:
    """Import, then answer requests until the standard input ends."""
    with warnings.catch_warnings(action="ignore"):
        warnings.filterwarnings("error", module="adc_")  # else no test would see ours
        for name in (*IMPORTED, *_registered()):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else each process looks through, and copies, all that was imported
    _use_huge_pages()
    woken, waker = os.pipe()
    for end in (woken, waker):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    clients: dict[socket.socket, bytes] = {}  # and the line that each has begun
    asked: dict[int, tuple[socket.socket, int]] = {}
    while True:
        ready, _, _ = select.select([0, woken, listening, *clients], [], [])
        if 0 in ready:
            os._exit(0)  # libraries complain when what they hold is taken apart
        if listening in ready:
            clients[listening.accept()[0]] = b""
        for client in [one for one in clients if one in ready]:
            for line in _lines(client, clients):
                request = json.loads(line)
                number = request.pop("number")
                child = os.fork()
                if child == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    os.close(woken)
                    os.close(waker)
                    for one in (listening, *clients):
                        one.close()
                    _run(**request)
                asked[child] = client, number
                _tell(client, number, "pid", child)
        if woken in ready:
            os.read(woken, 1 << 16)
        for child in list(asked):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                client, number = asked.pop(child)
                _tell(client, number, "code", os.waitstatus_to_exitcode(status))


def _registered() -> list[str]:
    """Return the modules of all registered components but encoders, whose libraries are slow."""
    return [
        point.module
        for point in entry_points()
        if point.group.startswith("adc.") and point.group != "adc.encoders"
    ]


def _use_huge_pages() -> None:
    """Let Linux keep this process's memory in pages of 2 MB, as far as it knows MADV_COLLAPSE.

    A fork copies the table of pages, and 500 MB in pages of 4 KB take half its time.
    """
    if sys.platform != "linux":
        return
    size, collapse = 2 << 20, 25
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    regions = re.findall(
        r"^(\w+)-(\w+) rw-p \S+ \S+ 0 *(?:\[heap\])?$", Path("/proc/self/maps").read_text(), re.M
    )
    for first, last in regions:
        for address in range(-(-int(first, 16) // size) * size, int(last, 16) - size + 1, size):
            advise(address, size, collapse)


def _lines(client: socket.socket, clients: dict[socket.socket, bytes]) -> list[bytes]:
    """Read the requests that have arrived whole; forget a client that has gone."""
    try:
        data = client.recv(1 << 16)
    except ConnectionError:
        data = b""
    if not data:
        del clients[client]
        client.close()
        return []
    *lines, clients[client] = (clients[client] + data).split(b"\n")
    return lines


def _tell(client: socket.socket, number: int, what: str, value: int) -> None:
    with contextlib.suppress(OSError):  # it has gone
        client.sendall(json.dumps([number, what, value]).encode() + b"\n")


def _run(
    words: list[str],
    program: str | None,
    warnings_are: str,
    folder: str,
    environment: dict[str, str],
    said: str,
    out: str,
    error: str,
) -> None:
    """Turn this process into one that the shell has started, and end it with its exit code."""
    for path, flags, number in (
        (said, os.O_RDONLY, 0),
        (out, os.O_WRONLY, 1),
        (error, os.O_WRONLY, 2),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, code = ["adc" if program is None else "-c", *words], 1
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        if program is None:
            from adc_core.cli import main as adc

            code = adc()
        else:
            sys.path.insert(0, "")
            if warnings_are == "error":
                warnings.simplefilter("error")
            exec(compile(program, "<string>", "exec"), vars(sys.modules["__main__"]))
            code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # waits for threads as the end of an interpreter does
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
