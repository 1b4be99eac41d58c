"""Where one worker's images go: verified one after the other, into a shard of its own."""

import os
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime

from adc_core import WorkError
from adc_plugins_search.download.fetch_task import KEY_LENGTH
from adc_plugins_search.download.http.client import Body
from adc_plugins_search.download.http.opt_out import refuse_opted_out, signals_in
from adc_plugins_search.download.images.shards import PART, SUFFIX, ShardWriter
from adc_plugins_search.download.images.verify import verify
from adc_plugins_search.download.local_files import read_local
from adc_plugins_search.download.workers.protocol import FetchAttempt, Job, ShardClosed

_OLDEST_SHARD = 300.0
"""Seconds after which a shard is closed though it has room: what a dead worker had open is lost,
and slow hosts take hours to fill one."""


class ShardSink:
    """The decoding thread's place of work: the open shard, and the marker of what is in hand.

    Args:
        job: what an image must be, and where the shards go.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._writer: ShardWriter | None = None
        self._opened = 0.0
        self._marker = os.open(job.marker, os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    def store(self, attempt: FetchAttempt, url: str, body: Body | None) -> ShardClosed | None:
        """Verify an image and write it into the open shard; gives the shard when it is full.

        Raises:
            RefusedError: it is no image that can be used, or says that it must not be.
            WorkError: the shard cannot be written.
        """
        task, job = attempt.task, self._job
        os.pwrite(self._marker, task.key.encode(), 0)
        try:
            if body is None:
                assert task.root is not None
                body = Body(read_local(task.url, task.root, job.rules.max_bytes), ())
            signals = (*body.signals, *signals_in(body.data))
            if task.root is None:  # a folder of the user's is theirs to judge
                refuse_opted_out(signals, job.rules.ignore)
            image, stored = verify(body.data, job.image_rules, url)
        finally:
            os.pwrite(self._marker, b" " * KEY_LENGTH, 0)
        if self._writer is None:
            # By chance: ids of processes are unique on one machine alone, and folders are shared.
            name = f"{secrets.token_hex(8)}{SUFFIX}{PART}"
            self._writer = ShardWriter(job.folder / name)
            self._opened = time.monotonic()
        said = "; ".join(f"{signal.rule}: {signal.text}" for signal in signals)
        stored = replace(stored, signals=said)
        facts = {
            "url": task.url,
            "final_url": url,
            "width": stored.width,
            "height": stored.height,
            "format": stored.format,
            "mode": stored.mode,
            "bytes": stored.size,
            "sha256": stored.sha256,
            "stored_sha256": stored.stored_sha256,
            "signals": said,
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            self._writer.add(task.key, image, stored, facts)
        except WorkError:
            self._writer = None  # it ends within a member
            raise
        full = len(self._writer.stored) >= job.shard_size
        old = time.monotonic() - self._opened > _OLDEST_SHARD
        return self._close_shard() if full or old else None

    def _close_shard(self) -> ShardClosed:
        assert self._writer is not None
        writer, self._writer = self._writer, None
        writer.close()
        return ShardClosed(writer.path, writer.stored)

    def close(self) -> ShardClosed | None:
        """Seal what is open. The marker stays: by now it may be a successor's."""
        try:
            return self._close_shard() if self._writer else None
        finally:
            os.close(self._marker)
