"""Finished stages that runs in several directories share, found by all that they depend on."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock

from adc_core.images.sequence import put_file
from adc_core.storage.atomic import atomic_folder, translate_os_errors


class StageCache:
    """A folder of finished stages: what one run has made, others take from there.

    Files are linked where the file system can, so that they take their space once; a run directory
    stays whole when the cache is removed.

    Args:
        folder: made if absent; several processes may use it at once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self, described: Mapping[str, Any]) -> Iterator[Path]:
        """Hold the place of a stage: of two runs that lack it one makes it, the other waits.

        Args:
            described: the name of the stage and all that its result depends on.

        Yields:
            Where the stage is, if it is finished.

        Raises:
            WorkError: the disk refuses.
        """
        place = self._folder / sha256(json.dumps(described).encode()).hexdigest()
        with translate_os_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(place.with_suffix(".lock"))
            lock.acquire()
        try:
            yield place
        finally:
            lock.release()


def link_folder(source: Path, folder: Path, part: Path) -> None:
    """Give a folder a second place, written whole or not at all.

    Args:
        source: what is there.
        folder: the second place; replaced if it exists.
        part: where to write meanwhile, on the file system of `folder`.

    Raises:
        WorkError: the disk refuses.
    """
    with atomic_folder(folder, part):
        shutil.copytree(source, part, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, target: str) -> str:
    put_file(Path(source), Path(target), link=True)
    return target
