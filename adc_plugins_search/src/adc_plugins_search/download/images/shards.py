"""Tar shards: written under another name, and whole when they get their own.

A shard holds `KEY.jpg` and `KEY.json` for each image, which readers of WebDataset take as they
are. With an image's offset no reader is needed at all.
"""

import json
import os
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from adc_core import WorkError
from adc_plugins_search.download.outcomes import Stored

PART = ".part"
SUFFIX = ".tar"
_NAME_DIGITS = 5


class ShardWriter:
    """One shard while it is filled, by one thread.

    Args:
        path: where it is written for now.

    Raises:
        WorkError: it cannot be written; so does each method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stored: dict[str, Stored] = {}
        self._position = 0
        try:
            self._file: BinaryIO = path.open("wb", buffering=1 << 18)
        except OSError as error:
            raise _unwritable(path, error) from error

    def add(self, key: str, image: bytes, stored: Stored, facts: Mapping[str, object]) -> Stored:
        """Append an image with its facts; return what is known of it, its offset included."""
        text = json.dumps(dict(facts), ensure_ascii=False).encode()
        try:
            offset = self._put(f"{key}.jpg", image)
            self._put(f"{key}.json", text)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self.stored[key] = replace(stored, offset=offset)
        return self.stored[key]

    def _put(self, name: str, content: bytes) -> int:
        header = tarfile.TarInfo(name)
        header.size = len(content)
        padding = bytes(-len(content) % tarfile.BLOCKSIZE)
        start = self._position + self._file.write(header.tobuf(tarfile.USTAR_FORMAT))
        self._position = start + self._file.write(content) + self._file.write(padding)
        return start

    def close(self) -> None:
        """End the archive; when this returns, it survives a power cut under its present name."""
        try:
            self._file.write(bytes(2 * tarfile.BLOCKSIZE))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise _unwritable(self.path, error) from error


def tidy(folder: Path, known: Iterable[str]) -> None:
    """Make the folder, and remove what a killed collection left there.

    Args:
        folder: holds the shards.
        known: the names of those that were finished and noted.

    Raises:
        WorkError: it cannot be made or tidied.
    """
    keep = set(known)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name.endswith(PART) or (path.suffix == SUFFIX and path.name not in keep):
                path.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from error


def next_shard_number(folder: Path) -> int:
    """Return the number of the next shard: one more than the highest in a folder."""
    numbers = (path.stem for path in folder.glob(f"*{SUFFIX}"))
    return max((int(number) for number in numbers if number.isdecimal()), default=-1) + 1


def finalize_shard(part: Path, number: int) -> str:
    """Rename a sealed shard to its number, for good."""
    path = part.with_name(f"{number:0{_NAME_DIGITS}}{SUFFIX}")
    try:
        part.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path.name


def damaged_keys(folder: Path, name: str, stored: Mapping[str, Stored]) -> list[str]:
    """Return the keys whose images in a shard are not as they were stored, by checksum.

    The shard is read once, from start to end.
    """
    in_order = sorted(stored.items(), key=lambda item: item[1].offset)
    try:
        with (folder / name).open("rb") as file:
            return [key for key, each in in_order if _sha256_of(file, each) != each.stored_sha256]
    except OSError:
        return list(stored)


def _sha256_of(file: BinaryIO, stored: Stored) -> str:
    file.seek(stored.offset)
    return sha256(file.read(stored.stored_size)).hexdigest()


def _unwritable(path: Path, error: OSError) -> WorkError:
    return WorkError(f"{path} cannot be written: {error.strerror}")
