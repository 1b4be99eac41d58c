"""Answers of other people's services, read within bounds of size and time."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from urllib3.response import BaseHTTPResponse

_PIECE = 1 << 16
T = TypeVar("T")


class TooLongError(Exception):
    """An answer has more bytes than anybody asked for."""


def read_bounded(
    ask: Callable[[], BaseHTTPResponse], *, most_bytes: int, seconds: float
) -> tuple[BaseHTTPResponse, bytes]:
    """Ask, and read the whole answer.

    Args:
        ask: sends the question; gives the answer with its body unread.
        most_bytes: of the body, unpacked.
        seconds: for all of it, from the connection to the last byte.

    Raises:
        TimeoutError: it took longer.
        TooLongError: it is longer.
        urllib3.exceptions.HTTPError: the connection failed.
    """
    end = time.monotonic() + seconds

    def work() -> tuple[BaseHTTPResponse, bytes]:
        response = ask()
        data = bytearray()
        try:
            while piece := response.read1(_PIECE):
                data += piece
                if len(data) > most_bytes:
                    raise TooLongError
                if time.monotonic() > end:
                    raise TimeoutError
        except BaseException:
            # What is left of the answer must not be taken for the next one.
            response.close()
            raise
        response.release_conn()
        return response, bytes(data)

    return _within(seconds, work)


def _within(seconds: float, work: Callable[[], T]) -> T:
    """Return the result of some work, or a `TimeoutError`.

    The work has a thread of its own, which is left behind: a header that comes byte by byte gets
    round every timeout of a socket.
    """
    ended: Future[T] = Future()

    def run() -> None:
        try:
            ended.set_result(work())
        except BaseException as error:  # raised again by the caller
            ended.set_exception(error)

    Thread(target=copy_context().run, args=(run,), name="asking", daemon=True).start()
    return ended.result(timeout=seconds)
