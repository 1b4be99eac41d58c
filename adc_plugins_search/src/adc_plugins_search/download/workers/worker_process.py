"""A worker: reads attempts from one pipe and writes events to another, until the pipe ends.

It runs as a program of its own (`python -m`), so that nothing of the caller's program is run again
as `multiprocessing` would; or as a thread, where few images are left.
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

from adc_plugins_search.download.workers.fetch_loop import FetchLoop
from adc_plugins_search.download.workers.protocol import Event, Job, WorkerExited

_BATCH_SECONDS = 0.05
"""Seconds for which events are gathered before they are sent."""
_MAX_BATCH = 64
_TLS_READ_BYTES = 1 << 15
"""Bytes that asyncio sets aside for each TLS connection, kept alive or not; by default eight times
as many. A record holds half of it at most."""
_MAX_MEMORY = 4 << 30
"""Bytes of addresses. A worker takes a quarter of it at most: what takes more is an attack, and one
image is refused then instead of the machine running out of memory."""


def run_worker(inbox: Connection, outbox: Connection) -> None:
    """Receive a job, then lists of attempts; the end of the pipe ends the work."""
    error: BaseException | None = None
    try:
        asyncio.run(_run(inbox.recv(), inbox, outbox))
    except BaseException as raised:  # the supervisor raises it again
        error = raised
    with suppress(OSError):  # the supervisor is gone
        outbox.send([WorkerExited(error)])


async def _run(job: Job, inbox: Connection, outbox: Connection) -> None:
    loop = asyncio.get_running_loop()
    batcher = _EventBatcher(outbox, loop)
    fetch_loop = FetchLoop(job, batcher.add)

    def listen() -> None:
        # It alone reads the inbox, and so it closes it. The loop may have ended by itself.
        with inbox, suppress(RuntimeError):
            try:
                while True:
                    loop.call_soon_threadsafe(fetch_loop.add, inbox.recv())
            except (EOFError, OSError):
                loop.call_soon_threadsafe(fetch_loop.stop)

    Thread(target=listen, name="listening", daemon=True).start()
    try:
        await fetch_loop.run()
    finally:
        batcher.flush()
    if fetch_loop.error:
        raise fetch_loop.error


class _EventBatcher:
    """Batches events briefly: a message for each would cost more than the event."""

    def __init__(self, outbox: Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._outbox = outbox
        self._loop = loop
        self._events: list[Event] = []

    def add(self, event: Event) -> None:
        self._events.append(event)
        if len(self._events) == 1:
            self._loop.call_later(_BATCH_SECONDS, self.flush)
        elif len(self._events) >= _MAX_BATCH:
            self.flush()

    def flush(self) -> None:
        if self._events:
            events, self._events = self._events, []
            with suppress(OSError):  # the supervisor is gone; the other pipe ends the work
                self._outbox.send(events)


def main() -> None:
    """Work between standard input and standard output."""
    # The supervisor, which gets the signal too, closes the pipe when the work must end.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    with suppress(ValueError, OSError):  # where the hard limit is lower, it holds
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, hard))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # not every system lets it reach what it calls the most
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # hosts are many, and kept alive
    asyncio.sslproto.SSLProtocol.max_size = _TLS_READ_BYTES
    inbox = Connection(os.dup(0), writable=False)
    outbox = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # whatever prints would spoil the messages
    run_worker(inbox, outbox)
    sys.stderr.flush()
    os._exit(0)  # the listening thread may still wait for a word


if __name__ == "__main__":
    main()
