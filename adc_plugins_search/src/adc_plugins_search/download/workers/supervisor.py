"""The supervisor: sends tasks to workers, records their outcomes, and replaces dead workers.

However a collection ends, every shard that can be finished gets its name and is noted.
"""

import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from threading import Thread

from adc_core import WorkError
from adc_plugins_search.download.images.shards import finalize_shard, next_shard_number
from adc_plugins_search.download.outcomes import Outcome, Reason, Refused
from adc_plugins_search.download.workers.network_monitor import NetworkMonitor, accepts_connections
from adc_plugins_search.download.workers.protocol import (
    Event,
    FetchAttempt,
    Job,
    ShardClosed,
    TaskFailed,
    TaskRedirected,
    TaskStored,
    WorkerExited,
    host_queue_of,
    worker_index_of,
)
from adc_plugins_search.download.workers.task_queue import TaskQueue
from adc_plugins_search.download.workers.worker_handle import WorkerHandle

MAX_CRASHES_PER_TASK = 2
"""Crashes of workers over one image after which the image is refused."""
MAX_CONSECUTIVE_CRASHES = 8
"""Crashes of workers without a shard in between, after which the collection fails."""
_SHUTDOWN_SECONDS = 60.0
"""Seconds that a worker has to close its shard."""

_WORKER_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
"""Bodies come and go in few threads of a worker, and nothing there multiplies matrices."""

StoreOutcomes = Callable[[Sequence[tuple[str, Outcome]]], None]


def fetch_all(
    queue: TaskQueue,
    job: Job,
    *,
    in_processes: bool,
    store: StoreOutcomes,
    on_progress: Callable[[int], None],
) -> None:
    """Fetch, verify and store; however it ends, what was stored by then is kept.

    Args:
        queue: what to fetch.
        job: the workers' settings; `n_workers` says how many there are.
        in_processes: run them as processes; else as one thread of this process.
        store: records outcomes for good, a whole shard at a time; called from this thread.
        on_progress: called with the number of tasks that have ended.

    Raises:
        WorkError: a shard cannot be written, workers die again and again, or nobody answers.
    """
    _WorkerPool(queue, job, in_processes, store, on_progress).run()


class _WorkerPool:
    """The workers of one collection."""

    def __init__(
        self,
        queue: TaskQueue,
        job: Job,
        in_processes: bool,
        store: StoreOutcomes,
        on_progress: Callable[[int], None],
    ) -> None:
        self._folder = job.folder
        self._in_processes = in_processes
        self._store = store
        self._on_progress = on_progress
        self._workers = [
            WorkerHandle(replace(job, index=index), queue) for index in range(job.n_workers)
        ]
        self._events: SimpleQueue[tuple[WorkerHandle, list[Event] | None]] = SimpleQueue()
        self._pending = 0
        self._ended = 0
        self._next_number = next_shard_number(job.folder)
        self._crashes_of_task: Counter[str] = Counter()
        self._consecutive_crashes = 0
        self._stopping = False
        connects = partial(accepts_connections, rules=job.rules)
        self._network = NetworkMonitor(
            job.rules.max_consecutive_unreachable, connects, queue.answered_hosts
        )
        for host, count in queue.hosts():
            self._pending += count
            self._worker_for(host).add_host(host, count)

    def _worker_for(self, host: str) -> WorkerHandle:
        return self._workers[worker_index_of(host, len(self._workers))]

    def _requeue(self, attempt: FetchAttempt) -> None:
        self._worker_for(host_queue_of(attempt.task, attempt.redirected_to)).requeue(attempt)

    def run(self) -> None:
        """Work until every task has ended and every shard has its name."""
        while self._pending:  # again where a worker has died while closing its last shard
            try:
                self._dispatch()
            except BaseException:
                with suppress(Exception):  # the first failure is the one to report
                    self._stop()
                raise
            self._stop()
        self._store(self._network.flush())

    def _dispatch(self) -> None:
        self._stopping = False
        while self._pending:
            for worker in self._workers:
                if worker.stopped and worker.ready_hosts:
                    self._start(worker)
                worker.send_tasks()
            self._handle(*self._events.get())

    def _start(self, worker: WorkerHandle) -> None:
        for_it, to_it = os.pipe()
        from_it, by_it = os.pipe()
        if self._in_processes:
            worker.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "adc_plugins_search.download.workers.worker_process"],
                stdin=for_it,
                stdout=by_it,
                process_group=0,  # a Ctrl-C at the terminal is for the supervisor
                env=_WORKER_ENVIRONMENT | os.environ,
            )
            os.close(for_it)
            os.close(by_it)
        else:
            ends = Connection(for_it, writable=False), Connection(by_it, readable=False)
            Thread(target=_run_in_thread, args=ends, name="fetching", daemon=True).start()
        worker.stopped = False
        worker.inbox = Connection(to_it, readable=False)
        outbox = Connection(from_it, writable=False)
        Thread(target=self._listen, args=(worker, outbox), daemon=True).start()
        with suppress(OSError):
            worker.inbox.send(worker.job)

    def _listen(self, worker: WorkerHandle, outbox: Connection) -> None:
        # A thread of its own, so that no Ctrl-C can cut a message in two.
        with outbox, suppress(EOFError, OSError):
            while True:
                self._events.put((worker, outbox.recv()))
        self._events.put((worker, None))

    def _handle(self, worker: WorkerHandle, events: list[Event] | None) -> None:
        if events is None:
            self._on_worker_exit(worker)
            return
        self._keep_failures(worker, events)
        for event in events:
            match event:
                case TaskStored(key):
                    if attempt := worker.release(key):
                        worker.in_open_shard[key] = attempt
                        self._count_ended()
                case TaskFailed(key, refused):
                    if attempt := worker.release(key):
                        _warn_of_error(attempt, refused)
                        self._count_ended()
                case TaskRedirected(attempt):
                    if worker.release(attempt.task.key):
                        self._requeue(attempt)
                case ShardClosed():
                    self._finalize(worker, event)
                case WorkerExited(error):
                    worker.stopped = True
                    if error is not None:
                        raise error

    def _keep_failures(self, worker: WorkerHandle, events: list[Event]) -> None:
        """Record refusals at once, except those that a network failure may explain."""
        lost: list[tuple[str, Outcome]] = []
        for event in events:
            if not isinstance(event, TaskStored | TaskFailed) or event.key not in worker.in_flight:
                continue
            attempt = worker.in_flight[event.key]
            host = host_queue_of(attempt.task, attempt.redirected_to)
            if attempt.task.root is not None:  # no network was asked
                lost += [(event.key, event.refused)] if isinstance(event, TaskFailed) else []
            elif isinstance(event, TaskFailed):
                lost += self._network.on_failure(host, event.key, event.refused)
            else:
                lost += self._network.on_answer(host)
        if lost:
            self._store(lost)

    def _count_ended(self) -> None:
        self._pending -= 1
        self._ended += 1
        if not self._stopping:  # the progress callback may raise
            self._on_progress(self._ended)

    def _finalize(self, worker: WorkerHandle, sealed: ShardClosed) -> None:
        shard = finalize_shard(sealed.part, self._next_number)
        self._next_number += 1
        self._consecutive_crashes = 0
        self._store([(key, replace(each, shard=shard)) for key, each in sealed.stored.items()])
        for key in sealed.stored:
            # An image may be stored whose worker was stopped before it could report it.
            if worker.release(key):
                self._pending -= 1
            worker.in_open_shard.pop(key, None)

    def _on_worker_exit(self, worker: WorkerHandle) -> None:
        """Requeue what a worker held, for its successor."""
        announced, worker.stopped = worker.stopped, True
        if worker.inbox:
            worker.inbox.close()
            worker.inbox = None
        code = None
        if worker.process:
            code = worker.process.wait()
            worker.process = None
        if not announced:
            self._consecutive_crashes += 1
            if self._consecutive_crashes > MAX_CONSECUTIVE_CRASHES:
                raise WorkError(
                    f"workers die again and again (exit code {code}): is there enough memory? "
                    "use fewer `processes`, or fewer `max_connections`"
                )
            self._quarantine_crashing_task(worker)
        with suppress(OSError):
            worker.job.marker.unlink()  # the next one may die before it writes its own
        self._pending += len(worker.in_open_shard)
        self._ended -= len(worker.in_open_shard)
        attempts = [*worker.in_open_shard.values(), *worker.in_flight.values()]
        for key in list(worker.in_flight):
            worker.release(key)
        worker.in_open_shard.clear()
        for attempt in attempts:
            self._requeue(attempt)

    def _quarantine_crashing_task(self, worker: WorkerHandle) -> None:
        """Refuse the image that a worker died over, if it is not the first time."""
        with suppress(OSError):
            key = worker.job.marker.read_text().strip()
            self._crashes_of_task[key] += key in worker.in_flight
            if self._crashes_of_task[key] >= MAX_CRASHES_PER_TASK and worker.release(key):
                refused = Refused(
                    Reason.CRASHED, f"the worker died over it {MAX_CRASHES_PER_TASK} times"
                )
                self._store([(key, refused)])
                self._count_ended()

    def _stop(self) -> None:
        """End every worker and name its last shard."""
        self._stopping = True
        left = {worker.job.index: worker for worker in self._workers if worker.inbox}
        for worker in left.values():
            assert worker.inbox
            worker.inbox.close()
            worker.inbox = None
        error: Exception | None = None
        deadline = time.monotonic() + _SHUTDOWN_SECONDS
        try:
            while left:
                worker, events = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
                if events is None:
                    del left[worker.job.index]
                try:
                    self._handle(worker, events)
                except Exception as raised:  # the others must still be stopped
                    error = error or raised
        except Empty:
            error = WorkError("a worker does not end: look for a disk that does not answer")
        finally:
            for worker in left.values():
                if worker.process:
                    worker.process.kill()
                    worker.process.wait()
                    worker.process = None
        if error:
            raise error


def _warn_of_error(attempt: FetchAttempt, refused: Refused) -> None:
    if refused.reason is Reason.ERROR:
        warnings.warn(
            f"{attempt.redirected_to or attempt.task.url} is left out ({refused.detail}): "
            "please report this address as a bug in ADC",
            stacklevel=2,
        )


def _run_in_thread(inbox: Connection, outbox: Connection) -> None:
    # A supervisor whose workers are processes needs no HTTP client.
    from adc_plugins_search.download.workers.worker_process import run_worker

    with outbox:
        run_worker(inbox, outbox)
