"""Ctrl-C and termination that are not lost.

A signal raises KeyboardInterrupt wherever the program stands. Where that is inside an extension
module which clears errors, the exception vanishes without a trace (seen with numpy, one time in
forty), so the request is remembered and raised again at the next step.
"""

import signal
from types import FrameType

_asked = False


def listen() -> None:
    """Take SIGINT and SIGTERM as the wish to stop; call from the main thread."""
    global _asked
    _asked = False
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ask)


def _ask(number: int, frame: FrameType | None) -> None:
    global _asked
    _asked = True
    raise KeyboardInterrupt


def heed() -> None:
    """Stop if that was asked for.

    Raises:
        KeyboardInterrupt: it was.
    """
    if _asked:
        raise KeyboardInterrupt
