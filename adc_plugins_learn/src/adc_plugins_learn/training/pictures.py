"""The pictures of a training: held where the network is, or decoded by processes just in time.

Both give the same numbers, so that the choice is one of memory and speed alone.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from adc_core.errors import InputError
from adc_core.images.sequence import Images

Keeping = Literal["auto", "held", "streamed"]

_SHARE = 0.25
"""Of a device's memory, for pictures that are held."""

_BATCH = 256
"""Pictures at a time where nothing is learned."""

_AHEAD = 4
"""Batches that each process prepares before they are asked for."""


class Pictures(ABC):
    """N square pictures, uint8, given out where the network is.

    Attributes:
        device: where that is.
    """

    device: torch.device

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def expect(self, plan: Sequence[Tensor]) -> None:
        """Tell which rows `take` will be asked for next, step by step, so that it may prepare."""

    @abstractmethod
    def take(self, rows: Tensor) -> Tensor:
        """B × H × W × 3 uint8 of B rows."""

    @abstractmethod
    def __iter__(self) -> Iterator[Tensor]:
        """All pictures in order, some at a time."""

    def close(self) -> None:
        """End what works ahead."""
        self.expect([])


class HeldPictures(Pictures):
    """All pictures in one tensor.

    Args:
        pixels: N × H × W × 3 uint8, where the network is.
    """

    def __init__(self, pixels: Tensor) -> None:
        self._pixels, self.device = pixels, pixels.device

    def __len__(self) -> int:
        return len(self._pixels)

    def expect(self, plan: Sequence[Tensor]) -> None:
        """Nothing: everything is there."""

    def take(self, rows: Tensor) -> Tensor:
        """Copies of some rows."""
        return self._pixels[rows.to(self.device)]

    def __iter__(self) -> Iterator[Tensor]:
        return iter(torch.split(self._pixels, _BATCH))


class StreamedPictures(Pictures):
    """Pictures decoded by worker processes, a few steps ahead of the training.

    Rows that nobody expected are decoded on the spot.

    Args:
        images: N pictures of any shape.
        size: side of the squares that are made of them, in pixels.
        workers: processes.
        device: where the network is.
    """

    def __init__(self, images: Images, size: int, workers: int, device: torch.device) -> None:
        self._images, self._size, self._workers = images, size, workers
        self.device = device
        self._place = torch.full((len(images),), -1)
        self._present: tuple[Tensor, Tensor] = (torch.empty(0, dtype=torch.int64), torch.empty(0))
        self._stream = self._decoded([])
        self.expect([])

    def __len__(self) -> int:
        return len(self._images)

    def expect(self, plan: Sequence[Tensor]) -> None:
        """Start the processes on these rows, and end those of the plan before."""
        # Left to the garbage collector, a loader waits five seconds for each of its processes.
        self._stream.close()
        self._plan = list(plan)
        self._next = 0
        self._stream = self._decoded(plan)

    def take(self, rows: Tensor) -> Tensor:
        """Those of the step that is due, or of the step before once more."""
        rows = rows.cpu()
        due = self._plan[self._next] if self._next < len(self._plan) else None
        if (self._place[rows] < 0).any() and due is not None and torch.isin(rows, due).all():
            self._hold(due, next(self._stream))
            self._next += 1
        places = self._place[rows]
        if (places < 0).any():
            return self._put(torch.from_numpy(self._images.resized(self._size, rows.numpy())))
        return self._present[1][places.to(self.device)]

    def _hold(self, rows: Tensor, pixels: Tensor) -> None:
        self._place[self._present[0]] = -1
        self._place[rows] = torch.arange(len(rows))
        self._present = (rows, pixels)

    def __iter__(self) -> Iterator[Tensor]:
        return self._decoded(torch.split(torch.arange(len(self)), _BATCH))

    def _decoded(self, plan: Sequence[Tensor]) -> Generator[Tensor]:
        if not plan:
            return
        loader: Iterable[Any] = DataLoader(
            _Decoding(self._images, self._size),
            sampler=plan,
            batch_size=None,
            num_workers=self._workers,
            prefetch_factor=_AHEAD,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # else it draws from the global one
        )
        for decoded in loader:
            if isinstance(decoded, str):
                raise InputError(decoded)
            yield self._put(decoded)

    def _put(self, pixels: Tensor) -> Tensor:
        return pixels.to(self.device, non_blocking=True)


class _Decoding(TorchDataset[Any]):
    """What a worker process does: rows to pixels."""

    def __init__(self, images: Images, size: int) -> None:
        self._images, self._size = images, size

    def __getitem__(self, rows: Tensor) -> Tensor | str:
        """B × size × size × 3 uint8, or what is wrong with them."""
        # torch would add a traceback to an error that is raised here.
        try:
            return torch.from_numpy(self._images.resized(self._size, rows.numpy(), threads=1))
        except InputError as error:
            return str(error)


def open_pictures(
    images: Images, size: int, keeping: Keeping, workers: int, device: torch.device
) -> Pictures:
    """The pictures of a training.

    Args:
        images: N pictures of any shape.
        size: side of the squares that are made of them, in pixels.
        keeping: `auto` holds them where they take up to a quarter of the device's memory.
        workers: processes, where they are not held.
        device: where the network is.
    """
    needed = len(images) * size * size * 3
    if keeping == "held" or (keeping == "auto" and needed <= _SHARE * memory_of(device)):
        return HeldPictures(torch.from_numpy(images.resized(size)).to(device))
    return StreamedPictures(images, size, workers, device)


def memory_of(device: torch.device) -> int:
    """Bytes of a device's memory; of this machine's for the CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
