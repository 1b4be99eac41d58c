"""Encoding with a frozen network: images prepared ahead, features written batch by batch."""

import os
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BeforeValidator, Field
from torch import nn
from torchvision import transforms

from adc_core import Dataset, Encoder, Images, InputError, WorkError, progress, work_folder
from adc_core.arrays import fingerprint
from adc_core.images import Pixels
from adc_plugins_learn.encoding.feature_file import FeatureFile, Float32
from adc_plugins_learn.training.data.normalize import Channels, to_input
from adc_plugins_learn.training.hardware.devices import DeviceName, find_device, seeded
from adc_plugins_learn.training.hardware.errors import is_out_of_memory
from adc_plugins_learn.training.networks.backbones import require_image_size


def _auto_or_from(least: int) -> BeforeValidator:
    def check(value: Any) -> int | str:
        if value == "auto":
            return "auto"
        number = str(value)
        if not number.isdecimal() or int(number) < least:
            raise ValueError(f"expected auto or a whole number from {least}, got {value!r}")
        return int(number)

    return BeforeValidator(check)


ImageSize = Annotated[int | Literal["auto"], _auto_or_from(16)]
BatchSize = Annotated[int | Literal["auto"], _auto_or_from(1)]

_FIRST_BATCH = {"cpu": 32, "cuda": 256}
"""What `auto` begins with."""

_TRIAL = 8
"""Images by which the time of all is estimated."""

_AHEAD = 2
"""Batches that are prepared while the network works on one."""


@dataclass(frozen=True)
class FrozenNetwork:
    """A network that makes features, and how its library prepares images for it.

    Attributes:
        network: B × 3 × H × W normalized images to B × D features.
        image_size: side of its images, in pixels.
        transform: scales and crops one image to that size.
        mean: of each channel, in 0 … 1.
        std: of each channel, in 0 … 1.
    """

    network: nn.Module
    image_size: int
    transform: Callable[[Image.Image], Image.Image]
    mean: Channels
    std: Channels

    @classmethod
    def of(
        cls, network: nn.Module, image_size: int, transform: transforms.Compose
    ) -> "FrozenNetwork":
        """Build it from the transform that a library gives for evaluation.

        Its steps on the image run in threads; its normalization runs where the network is.
        """
        steps = transform.transforms
        on_images = takewhile(lambda step: not isinstance(step, transforms.ToTensor), steps)
        (last,) = (step for step in steps if isinstance(step, transforms.Normalize))
        mean, std = ((float(r), float(g), float(b)) for r, g, b in (last.mean, last.std))
        return cls(network, image_size, transforms.Compose([*on_images]), mean, std)


class NetworkEncoder(Encoder):
    """Encodes images with a frozen network; a library supplies it."""

    requires: ClassVar[tuple[str, ...]] = ("images",)

    image_size: ImageSize = Field(
        default="auto",
        description="auto prepares images as the network's authors do, borders cut off "
        "included; a number scales the shorter side to so many pixels and crops the center",
    )
    batch_size: BatchSize = Field(
        default="auto", description="images per step; auto halves it when memory runs out"
    )
    device: DeviceName = "auto"
    seed: int = Field(
        default=0, ge=0, lt=2**63, description="seed of the weights where they are random"
    )

    @abstractmethod
    def open_network(self) -> tuple[str, FrozenNetwork]:
        """Return its name and the network; random weights come from torch's global generator."""

    def expected_seconds(self, dataset: Dataset) -> float | None:
        """Estimate the time of all images from one small batch of noise; weights must be here."""
        device = find_device(self.device)
        with seeded(self.seed, device):
            _, frozen = self.open_network()
        network, side = frozen.network.to(device).eval(), frozen.image_size
        batch = torch.zeros(_TRIAL, 3, side, side, device=device)
        with torch.inference_mode():
            network(batch)
            start = time.perf_counter()
            network(batch).cpu()
        return (time.perf_counter() - start) / _TRIAL * len(dataset)

    def encode(self, images: Images) -> NDArray[np.float32]:
        """Return N × D float32 features of N images, memory-mapped.

        Finished rows are in `work_folder()`, so that an interrupted encoding resumes and ends with
        the same bytes. Memory is needed for a few batches, however many images there are.

        Raises:
            InputError: no such model, weights or device, no images, or images that the network
                cannot take.
            WorkError: official weights cannot be downloaded, memory runs out, or the disk is full.
        """
        if not len(images):
            raise InputError("there are no images to encode: give at least one")
        device = find_device(self.device)
        key = fingerprint([self.fingerprint, images.fingerprint])
        file = FeatureFile(work_folder() / f"features-{key[:16]}.npy", len(images))
        if file.done < len(images):
            with self._translate_oom():
                with seeded(self.seed):
                    name, frozen = self.open_network()
                require_image_size(frozen.network, name, frozen.image_size)
                frozen.network.eval().to(device)
                self._encode_rest(images, frozen, device, file)
        return file.read()

    def _encode_rest(
        self, images: Images, frozen: FrozenNetwork, device: torch.device, file: FeatureFile
    ) -> None:
        first = _FIRST_BATCH[device.type] if self.batch_size == "auto" else self.batch_size
        size = file.last or first
        prepared: list[Pixels] = []
        with _prefetched(images, frozen.transform, file.done) as take:
            while file.done < len(images):
                prepared += take(size - len(prepared))
                block = _features(frozen, prepared[:size], device, self._may_halve(size))
                if block is None:
                    size //= 2
                    continue
                del prepared[:size]
                file.append(block)
                progress(file.done, len(images), "image")

    def _may_halve(self, size: int) -> bool:
        return self.batch_size == "auto" and size > 1

    @contextmanager
    def _translate_oom(self) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise WorkError(
                "out of memory with one image at a time: lower image_size or choose a smaller model"
                if self.batch_size == "auto"
                else f"out of memory with batch_size {self.batch_size}: lower batch_size or "
                "image_size"
            ) from error


def _features(
    frozen: FrozenNetwork, images: list[Pixels], device: torch.device, may_fail: bool
) -> Float32 | None:
    """Compute B × D features, or None where memory ran out and a smaller batch may fit."""
    try:
        with torch.inference_mode():
            pixels = torch.from_numpy(np.stack(images)).to(device)
            batch = to_input(pixels, frozen.mean, frozen.std)
            features: Float32 = frozen.network(batch).float().cpu().numpy()
            return features
    except (RuntimeError, MemoryError) as error:
        if not (may_fail and is_out_of_memory(error)):
            raise
    # Here no exception refers to the batch any more.
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return None


@contextmanager
def _prefetched(
    images: Images, transform: Callable[[Image.Image], Image.Image], start: int
) -> Iterator[Callable[[int], list[Pixels]]]:
    """Prepare images in threads, in order, and few more than were asked for.

    Yields:
        A function that takes the next images, at most so many, fewer at the end.
    """
    rows = iter(range(start, len(images)))
    waiting: deque[Future[Pixels]] = deque()
    threads = ThreadPoolExecutor(os.cpu_count())

    def prepare(row: int) -> Pixels:
        return np.asarray(transform(Image.fromarray(images[row])))

    def look_ahead(count: int) -> None:
        while len(waiting) < count and (row := next(rows, None)) is not None:
            waiting.append(threads.submit(prepare, row))

    def take(count: int) -> list[Pixels]:
        look_ahead(count)
        taken = [waiting.popleft().result() for _ in range(min(count, len(waiting)))]
        look_ahead(_AHEAD * count)
        return taken

    try:
        yield take
    finally:
        threads.shutdown(cancel_futures=True)
