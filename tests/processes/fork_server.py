"""A process that has everything imported and forks one for each command that it reads.

A command of `adc` spends most of its time on imports (torch alone takes a second or two), and the
tests run some hundred. Each line of the standard input is the JSON of a request: its `number`; the
`words` of a command of `adc`, or the text of a `program` for which a warning is an error, with them
as its arguments; `folder`, `environment`, and the files or pipes `said`, `out` and `error`, which
the command reads and writes as its standard ones. Each is answered by a line with the number,
`pid` and that of the process, and another with the number, `code` and its exit code, once it has
ended.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import sys
import threading
import traceback
import types
import warnings

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
"""What most commands import, and costs most; none of it may start a thread."""


def main() -> None:
    """Import, then answer requests until the standard input ends."""
    with warnings.catch_warnings(action="ignore"):
        for name in IMPORTED:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else each process looks through, and copies, all that was imported
    woken, waker = os.pipe()
    for end in (woken, waker):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    numbers: dict[int, int] = {}
    rest = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if 0 in ready:
            data = os.read(0, 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                request = json.loads(line)
                number = request.pop("number")
                child = os.fork()
                if child == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    os.close(woken)
                    os.close(waker)
                    _run(**request)
                numbers[child] = number
                print(json.dumps([number, "pid", child]), flush=True)
        if woken in ready:
            os.read(woken, 1 << 16)
        for child in list(numbers):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                print(json.dumps([numbers.pop(child), "code", code]), flush=True)


def _run(
    words: list[str],
    program: str | None,
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
    main()
