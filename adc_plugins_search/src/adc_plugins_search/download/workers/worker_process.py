"""A worker: takes trips from one pipe and tells of events through another, until the pipe ends.

It runs as a program of its own (`python -m`), so that nothing of the caller's program is run again
as it would be by `multiprocessing`; or as a thread, where few images are left.
"""

import asyncio
import asyncio.sslproto
import os
import resource
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Thread

from adc_plugins_search.download.workers.fetch_loop import Fetching
from adc_plugins_search.download.workers.protocol import Ended, Event, Job

_PATIENCE = 0.05
"""Seconds for which events are gathered before they are told."""
_MOST_AT_ONCE = 64
_TLS_READ = 1 << 15
"""Bytes that asyncio sets aside for each TLS connection, kept alive or not; by default eight times
as many. A record holds half of it at most."""
_MOST_MEMORY = 4 << 30
"""Bytes of addresses. A worker takes a quarter of it at most: what takes more is an attack, and one
picture is refused then instead of the machine brought to its knees."""


def work(inbox: Connection, outbox: Connection) -> None:
    """Receive a job, then lists of trips; the end of the pipe ends the work."""
    error: BaseException | None = None
    try:
        asyncio.run(_work(inbox.recv(), inbox, outbox))
    except BaseException as raised:  # the coordinator raises it again
        error = raised
    with suppress(OSError):  # the coordinator is gone
        outbox.send([Ended(error)])


async def _work(job: Job, inbox: Connection, outbox: Connection) -> None:
    loop = asyncio.get_running_loop()
    telling = _Telling(outbox, loop)
    fetching = Fetching(job, telling.tell)

    def listen() -> None:
        # It alone reads the inbox, and so it closes it. The loop may have ended by itself.
        with inbox, suppress(RuntimeError):
            try:
                while True:
                    loop.call_soon_threadsafe(fetching.take, inbox.recv())
            except (EOFError, OSError):
                loop.call_soon_threadsafe(fetching.stop)

    Thread(target=listen, name="listening", daemon=True).start()
    try:
        await fetching.run()
    finally:
        telling.flush()
    if fetching.error:
        raise fetching.error


class _Telling:
    """Gathers events for a moment: one message for each of them would cost more than the event."""

    def __init__(self, outbox: Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._outbox = outbox
        self._loop = loop
        self._events: list[Event] = []

    def tell(self, event: Event) -> None:
        self._events.append(event)
        if len(self._events) == 1:
            self._loop.call_later(_PATIENCE, self.flush)
        elif len(self._events) >= _MOST_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if self._events:
            events, self._events = self._events, []
            with suppress(OSError):  # the coordinator is gone; the other pipe ends the work
                self._outbox.send(events)


def main() -> None:
    """Work between standard input and standard output."""
    # The coordinator, which hears of it too, closes the pipe when the work shall end.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    with suppress(ValueError, OSError):  # where the hard limit is lower, it holds
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, hard))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # not every system lets it reach what it calls the most
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # hosts are many, and kept alive
    asyncio.sslproto.SSLProtocol.max_size = _TLS_READ
    inbox = Connection(os.dup(0), writable=False)
    outbox = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # whatever prints would spoil the messages
    work(inbox, outbox)
    sys.stderr.flush()
    os._exit(0)  # the listening thread may still wait for a word


if __name__ == "__main__":
    main()
