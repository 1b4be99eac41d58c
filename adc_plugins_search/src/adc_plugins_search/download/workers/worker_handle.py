"""One worker as the supervisor sees it: few tasks at a time, and few of one host.

So a slow host keeps no other host waiting, and a worker's memory does not grow with the list.
"""

import subprocess
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from adc_plugins_search.download.workers.protocol import FetchAttempt, Job, host_queue_of
from adc_plugins_search.download.workers.task_queue import TaskQueue


@dataclass(slots=True)
class _HostQueue:
    """The tasks of one host that wait, and how many the worker holds.

    Attributes:
        on_disk: how many are still in the queue on disk.
        last_number: the number of the task that was read last.
        returned: attempts redirected from another host, or returned by a dead worker.
        in_flight: how many the worker holds.
        is_ready: whether the host is among the ready hosts.
    """

    on_disk: int = 0
    last_number: int = 0
    returned: list[FetchAttempt] = field(default_factory=list)
    in_flight: int = 0
    is_ready: bool = False


class WorkerHandle:
    """One worker: its queues, its open shard and, where it is one, its process.

    Args:
        job: its settings.
        queue: holds the tasks.

    Attributes:
        ready_hosts: hosts of which another task may be sent, round robin.
        in_flight: attempts that the worker holds, by key.
        in_open_shard: images in its open shard, lost if it dies.
        process: None where it is a thread.
        inbox: its end of the pipe; None once it must stop.
        stopped: whether it is not running.
    """

    def __init__(self, job: Job, queue: TaskQueue) -> None:
        self.job = job
        self._queue = queue
        self.max_in_flight = max(64, 4 * job.max_requests)
        self.hosts: dict[str, _HostQueue] = {}
        self.ready_hosts: deque[str] = deque()
        self.in_flight: dict[str, FetchAttempt] = {}
        self.in_open_shard: dict[str, FetchAttempt] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.inbox: Connection | None = None
        self.stopped = True

    def add_host(self, name: str, count: int) -> None:
        """Register a host with tasks in the queue on disk."""
        host = self.hosts[name] = _HostQueue(on_disk=count)
        self._mark_ready(name, host)

    def requeue(self, attempt: FetchAttempt) -> None:
        """Queue an attempt again at its host."""
        name = host_queue_of(attempt.task, attempt.redirected_to)
        host = self.hosts.setdefault(name, _HostQueue())
        host.returned.append(attempt)
        self._mark_ready(name, host)

    def _mark_ready(self, name: str, host: _HostQueue) -> None:
        waits = host.on_disk or host.returned
        if (
            waits
            and not host.is_ready
            and host.in_flight < 2 * self.job.rules.max_connections_per_host
        ):
            host.is_ready = True
            self.ready_hosts.append(name)

    def send_tasks(self) -> None:
        """Send tasks, round robin over the hosts, up to what the worker may hold."""
        attempts = []
        while self.ready_hosts and len(self.in_flight) < self.max_in_flight:
            name = self.ready_hosts.popleft()
            host = self.hosts[name]
            host.is_ready = False
            attempt = host.returned.pop(0) if host.returned else self._next_attempt(name, host)
            host.in_flight += 1
            self.in_flight[attempt.task.key] = attempt
            attempts.append(attempt)
            self._mark_ready(name, host)
        if attempts and self.inbox:
            with suppress(OSError):  # it is dead; the listening thread will notice
                self.inbox.send(attempts)

    def _next_attempt(self, name: str, host: _HostQueue) -> FetchAttempt:
        host.last_number, task = self._queue.next_task(name, host.last_number)
        host.on_disk -= 1
        return FetchAttempt(task)

    def release(self, key: str) -> FetchAttempt | None:
        """Remove a task from what the worker holds; None if it does not hold it."""
        attempt = self.in_flight.pop(key, None)
        if attempt is not None:
            name = host_queue_of(attempt.task, attempt.redirected_to)
            host = self.hosts[name]
            host.in_flight -= 1
            if host.on_disk or host.returned:
                self._mark_ready(name, host)
            elif not host.in_flight:
                del self.hosts[name]
        return attempt
