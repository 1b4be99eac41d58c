"""A process that has everything imported and forks one for each command that it reads.

A command of `adc` spends most of its time on imports (torch alone takes a second or two), and the
tests run some hundred. Each line of the standard input is the JSON of a request: the `words` of a
command of `adc`, or the text of a `program` for which a warning is an error;
`folder`, `environment`, and the files `said`, `out` and `error`, which the command reads and
writes as its standard ones. Each is answered by a line with its exit code, once the process has
ended.
"""

import contextlib
import importlib
import json
import os
import sys
import threading
import traceback
import types
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
    sys.argv, code = ["adc", *words], 1
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
