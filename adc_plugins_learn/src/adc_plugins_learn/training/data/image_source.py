"""The images of a training: in memory where the network is, or decoded just in time.

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

from adc_core import Images, InputError

ImageLoading = Literal["auto", "in-memory", "streaming"]

_SHARE = 0.25
"""Of a device's memory, for images that are kept there."""

_BATCH = 256
"""Images at a time where nothing is learned."""

_AHEAD = 4
"""Batches that each process prepares before they are asked for."""


class ImageSource(ABC):
    """N square images, uint8, handed out where the network is.

    Attributes:
        device: where that is.
    """

    device: torch.device

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def prefetch(self, batches: Sequence[Tensor]) -> None:
        """Announce which rows `take` will be asked for next, step by step."""

    @abstractmethod
    def take(self, rows: Tensor) -> Tensor:
        """Return B × H × W × 3 uint8 of B rows."""

    @abstractmethod
    def __iter__(self) -> Iterator[Tensor]:
        """Iterate over all images in order, some at a time."""

    def close(self) -> None:
        """End the processes that work ahead."""
        self.prefetch([])


class InMemoryImages(ImageSource):
    """All images in one tensor.

    Args:
        pixels: N × H × W × 3 uint8, where the network is.
    """

    def __init__(self, pixels: Tensor) -> None:
        self._pixels, self.device = pixels, pixels.device

    def __len__(self) -> int:
        return len(self._pixels)

    def prefetch(self, batches: Sequence[Tensor]) -> None:
        """Do nothing: all images are in memory."""

    def take(self, rows: Tensor) -> Tensor:
        """Return copies of some rows."""
        return self._pixels[rows.to(self.device)]

    def __iter__(self) -> Iterator[Tensor]:
        return iter(torch.split(self._pixels, _BATCH))


class StreamingImages(ImageSource):
    """Images decoded by worker processes, a few steps ahead of the training.

    Rows that were not announced are decoded on the spot.

    Args:
        images: N images of any shape.
        size: side of the squares that they are scaled and cut to, in pixels.
        num_workers: processes.
        device: where the network is.
    """

    def __init__(self, images: Images, size: int, num_workers: int, device: torch.device) -> None:
        self._images, self._size, self._num_workers = images, size, num_workers
        self.device = device
        self._position = torch.full((len(images),), -1)
        self._current: tuple[Tensor, Tensor] = (torch.empty(0, dtype=torch.int64), torch.empty(0))
        self._stream = self._decoded([])
        self.prefetch([])

    def __len__(self) -> int:
        return len(self._images)

    def prefetch(self, batches: Sequence[Tensor]) -> None:
        """Start the processes on these rows, and end those on the rows announced before."""
        # Left to the garbage collector, a loader waits five seconds for each of its processes.
        self._stream.close()
        self._batches = list(batches)
        self._next = 0
        self._stream = self._decoded(batches)

    def take(self, rows: Tensor) -> Tensor:
        """Return rows of the next step, or of the step before again."""
        rows = rows.cpu()
        due = self._batches[self._next] if self._next < len(self._batches) else None
        if (self._position[rows] < 0).any() and due is not None and torch.isin(rows, due).all():
            self._keep(due, next(self._stream))
            self._next += 1
        positions = self._position[rows]
        if (positions < 0).any():
            return self._put(torch.from_numpy(self._images.resized(self._size, rows.numpy())))
        return self._current[1][positions.to(self.device)]

    def _keep(self, rows: Tensor, pixels: Tensor) -> None:
        self._position[self._current[0]] = -1
        self._position[rows] = torch.arange(len(rows))
        self._current = (rows, pixels)

    def __iter__(self) -> Iterator[Tensor]:
        return self._decoded(torch.split(torch.arange(len(self)), _BATCH))

    def _decoded(self, batches: Sequence[Tensor]) -> Generator[Tensor]:
        if not batches:
            return
        loader: Iterable[Any] = DataLoader(
            _DecodingDataset(self._images, self._size),
            sampler=batches,
            batch_size=None,
            num_workers=self._num_workers,
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


class _DecodingDataset(TorchDataset[Any]):
    """Rows to pixels, in a worker process."""

    def __init__(self, images: Images, size: int) -> None:
        self._images, self._size = images, size

    def __getitem__(self, rows: Tensor) -> Tensor | str:
        """Return B × size × size × 3 uint8, or the message of an error."""
        # torch would add a traceback to an error that is raised here.
        try:
            return torch.from_numpy(self._images.resized(self._size, rows.numpy(), threads=1))
        except InputError as error:
            return str(error)


def open_image_source(
    images: Images, size: int, loading: ImageLoading, num_workers: int, device: torch.device
) -> ImageSource:
    """Load all images, or start to stream them.

    Args:
        images: N images of any shape.
        size: side of the squares that they are scaled and cut to, in pixels.
        loading: `auto` keeps them in memory if they take up to a quarter of the device's.
        num_workers: processes, where images are streamed.
        device: where the network is.
    """
    needed = len(images) * size * size * 3
    if loading == "in-memory" or (loading == "auto" and needed <= _SHARE * memory_bytes(device)):
        return InMemoryImages(torch.from_numpy(images.resized(size)).to(device))
    return StreamingImages(images, size, num_workers, device)


def memory_bytes(device: torch.device) -> int:
    """Return the size of a device's memory; of this machine's for the CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
