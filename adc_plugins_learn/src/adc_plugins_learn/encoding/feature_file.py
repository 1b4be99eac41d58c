"""Rows of features in a file that grows batch by batch and knows which of them are complete."""

from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from adc_core.storage import atomic_file, load_array, translate_os_errors

Float32 = NDArray[np.float32]


class FeatureFile:
    """An N × D float32 `.npy` file that is written in order, and a journal of its batches.

    The journal has a line per batch: the row after its last, and the SHA-256 of its bytes. What
    was written before an interruption is kept as far as it agrees with the journal; nothing has
    to be forced onto the disk for that.

    Args:
        path: the file; the journal is beside it.
        rows: N.

    Attributes:
        done: how many rows are there.
        last: how many rows the last batch had, 0 before the first.
    """

    def __init__(self, path: Path, rows: int) -> None:
        self._path, self._journal, self._rows = path, path.with_suffix(".journal"), rows
        self.done = self.last = 0
        with translate_os_errors(path):
            self._resume()

    def append(self, block: Float32) -> None:
        """Write the next B × D rows.

        Raises:
            WorkError: the disk is full or refuses.
        """
        content = np.ascontiguousarray(block, np.float32).data.cast("B")
        with translate_os_errors(self._path):
            if not self.done:
                self._journal.unlink(missing_ok=True)
                with self._path.open("wb") as file:
                    np.lib.format.write_array_header_1_0(file, self._layout(block.shape[1]))
            with self._path.open("ab") as file:
                file.write(content)
            self.done, self.last = self.done + len(block), len(block)
            with self._journal.open("a", encoding="ascii") as lines:
                lines.write(f"{self.done} {sha256(content).hexdigest()}\n")

    def read(self) -> Float32:
        """Return all rows, memory-mapped."""
        features: Float32 = load_array(self._path)
        return features

    def _layout(self, width: int) -> dict[str, object]:
        return {"descr": "<f4", "fortran_order": False, "shape": (self._rows, width)}

    def _resume(self) -> None:
        if not (self._path.exists() and self._journal.exists()):
            return
        lines = self._journal.read_text(encoding="ascii", errors="replace").split("\n")[:-1]
        with self._path.open("rb+") as file:
            whole = self._complete_batches(file, lines)
            kept = "".join(f"{line}\n" for line in lines[:whole])
            with atomic_file(self._journal) as part:
                part.write_text(kept, encoding="ascii")

    def _complete_batches(self, file: BinaryIO, lines: list[str]) -> int:
        """Read what the journal names; cut off the rest; return how many batches are complete."""
        try:
            np.lib.format.read_magic(file)
            (_, width), _, _ = np.lib.format.read_array_header_1_0(file)
        except ValueError:
            return 0
        whole, end = 0, file.tell()
        for line in lines:
            stop, _, total = line.partition(" ")
            rows = int(stop) - self.done if stop.isdecimal() else 0
            if not 0 < rows <= self._rows - self.done:
                break
            content = file.read(rows * width * 4)
            if sha256(content).hexdigest() != total:
                break
            self.done, self.last, whole, end = self.done + rows, rows, whole + 1, file.tell()
        file.truncate(end)
        return whole
