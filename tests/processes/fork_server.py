"""A process that has everything imported and forks one that runs `adc` for each line it reads.

A command of `adc` spends most of its time on imports (torch alone takes a second or two), and the
tests run some hundred. Each line of the standard input is the JSON of a request: `words`,
`folder`, `environment`, and `out` and `error`, the files for what the command writes. Each is
answered by a line with its exit code, once the process has ended.
"""

import contextlib
import importlib
import json
import os
import sys
import threading
import traceback
import warnings

IMPORTED = (
    *("adc_core.cli.program", "adc_core.cli.run", "adc_core.cli.detect", "adc_core.cli.collect"),
    *("numpy", "pyarrow.parquet", "scipy.stats", "scipy.optimize", "scipy.sparse.csgraph"),
    *("sklearn.linear_model", "sklearn.mixture", "sklearn.datasets"),
    *("torch", "torch._dynamo", "torchvision", "faiss", "jinja2"),
    "adc_plugins_learn.training.network_learner",
)
"""What most commands import, and costs most; none of it may start a thread."""


def main() -> None:
    """Import, then answer requests until the standard input ends."""
    with warnings.catch_warnings(action="ignore"):
        for name in IMPORTED:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(words: list[str], folder: str, environment: dict[str, str], out: str, error: str) -> None:
    """Turn this process into one that the shell has started, and end it with its exit code."""
    for path, flags, number in (
        (os.devnull, os.O_RDONLY, 0),
        (out, os.O_WRONLY, 1),
        (error, os.O_WRONLY, 2),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["adc", *words]
    code = 1
    try:
        from adc_core.cli import main as adc

        code = adc()
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
