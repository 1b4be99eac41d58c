"""What the server works with: the review, and two threads that read and write its database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from adc_plugins_review.campaign.plan import REVIEW, ReviewPlan
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.campaign.store import Refused, Store
from adc_plugins_review.web.image_cache import ImageCache

P = ParamSpec("P")
T = TypeVar("T")

WAITING = 1_000
"""Changes that may wait to be written; beyond that the server asks for patience."""


class Desk:
    """A review while it is served.

    Args:
        source: the samples under review.
        plan: what is shown.
        public_url: under which people reach the server.

    Attributes:
        images: of the samples, as a browser gets them.
        certificate: what `adc certify` said last; empty where nothing can be certified yet.
    """

    def __init__(self, source: Source, plan: ReviewPlan, public_url: str) -> None:
        self.source = source
        self.plan = plan
        self.public_url = public_url.rstrip("/")
        assert source.dataset.images is not None
        self.images = ImageCache(source.dataset.images)
        self.review: Path = source.folder / REVIEW
        self.certificate = ""
        self._writer = ThreadPoolExecutor(1, "writer")
        self._reader = ThreadPoolExecutor(1, "reader")
        self._decoders = ThreadPoolExecutor(2, "decoder")
        self._waiting = 0
        self._store = Store(self.review, plan, source.dataset)
        self._view = Store(self.review, plan, read_only=True)

    async def write(
        self, job: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Change the review; the change is on the disk when this returns.

        Raises:
            Refused: 503 where too many changes wait.
        """
        if self._waiting >= WAITING:
            raise Refused(503, "too many people at once: try again in a moment")
        self._waiting += 1
        try:
            return await self._in(self._writer, lambda: job(self._store, *args, **kwargs))
        finally:
            self._waiting -= 1

    async def read(
        self, job: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Look something up."""
        return await self._in(self._reader, lambda: job(self._view, *args, **kwargs))

    async def decode(self, job: Callable[[], T]) -> T:
        """Work on an image in a thread of its own."""
        return await self._in(self._decoders, job)

    async def _in(self, pool: ThreadPoolExecutor, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, job)

    def close(self) -> None:
        """Finish what waits, and close the database."""
        for pool in (self._writer, self._reader, self._decoders):
            pool.shutdown()
        self._view.close()
        self._store.close()
