"""Ctrl-C and termination that are not lost.

A signal raises KeyboardInterrupt wherever the program is. Where that is inside an extension
module which clears errors, the exception vanishes without a trace (seen with numpy, one time in
forty), so the request is remembered and raised again at the next step.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_asked = False


@contextmanager
def signal_handlers() -> Iterator[None]:
    """Take SIGINT and SIGTERM as the wish to stop while the block runs; then all is as before.

    Python hears signals in its main thread alone: in another one, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    global _asked
    _asked = False
    before = {number: signal.signal(number, _ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _asked = False
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask(number: int, frame: FrameType | None) -> None:
    global _asked
    _asked = True
    raise KeyboardInterrupt


def raise_if_interrupted() -> None:
    """Stop if that was asked for.

    Raises:
        KeyboardInterrupt: it was.
    """
    if _asked:
        raise KeyboardInterrupt
