"""Datasets of torch as datasets of ADC, decoded when asked for."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, uint8
from torch.utils.data import DataLoader, IterableDataset

from adc_core import Dataset, Images, InputError
from adc_core.arrays import fingerprint as fingerprint_of
from adc_core.arrays import hash_array
from adc_core.images import Pixels


class MapStyle(Protocol):
    """A `torch.utils.data.Dataset` with a length, whose items begin with image and label."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any: ...


class TorchImages(Images):
    """The images of a dataset of torch: PIL images, or uint8 tensors and arrays.

    Args:
        dataset: whose items begin with the image.
        rows: which of them; without them all.
    """

    def __init__(self, dataset: MapStyle, rows: NDArray[np.int64] | None = None) -> None:
        self._dataset = dataset
        self._rows = np.arange(len(dataset)) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> Pixels:
        return _pixels(self._dataset[int(self._rows[row])][0])

    def take(self, rows: Any) -> "TorchImages":
        """Return the images of some rows, in that order."""
        return TorchImages(self._dataset, self._rows[np.asarray(rows)])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the pixels, in order."""
        return fingerprint_of([hash_array(self[row]) for row in range(len(self))])


def from_torch(dataset: MapStyle, classes: Sequence[str] | None = None) -> Dataset:
    """Make a dataset of a map-style `torch.utils.data.Dataset` of (image, label) items.

    Images are asked for when they are needed, with whatever the dataset's own transform does to
    them each time; a transform that draws at random is better given as `augment` of a learner.

    Args:
        dataset: images are PIL images, H × W × 3 or 3 × H × W uint8; labels are 0…K-1. Labels are
            taken from its `targets` or `labels` where these are as many integers and no
            `target_transform` changes them, else from its items.
        classes: names; else those of its `classes`, or the numbers.

    Raises:
        InputError: it has no items by number, one is no pair, or its image or its label is of
            another kind.
    """
    if isinstance(dataset, IterableDataset | DataLoader):
        raise InputError(
            f"a {type(dataset).__name__} has no items by number: give a map-style torch dataset"
        )
    if not len(dataset):
        raise InputError("the torch dataset is empty")
    item = dataset[0]
    if not isinstance(item, tuple | list) or len(item) < 2:
        raise InputError(f"the torch dataset's items are {type(item).__name__}: (image, label) is")
    _pixels(item[0])
    labels = _labels(dataset)
    names = classes or getattr(dataset, "classes", None) or map(str, range(int(labels.max()) + 1))
    return Dataset(images=TorchImages(dataset), labels=labels, classes=tuple(names))


def _labels(dataset: MapStyle) -> NDArray[np.int64]:
    if getattr(dataset, "target_transform", None) is None:
        for name in ("targets", "labels"):
            given = np.asarray(getattr(dataset, name, None))
            if given.shape == (len(dataset),) and given.dtype.kind in "iu":
                return _from_0(given)
    return _from_0(np.array([_label(dataset, row) for row in range(len(dataset))], np.int64))


def _label(dataset: MapStyle, row: int) -> int:
    label = dataset[row][1]
    number = np.asarray(label)
    if number.ndim or number.dtype.kind not in "iu":
        raise InputError(
            f"the label of item {row} of the torch dataset is {label!r}: give a class index"
        )
    return int(number)


def _from_0(labels: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    if labels.min() < 0:
        raise InputError(f"the torch dataset has the label {labels.min()}: give class indices")
    return labels.astype(np.int64)


def _pixels(image: Any) -> Pixels:
    """Return H × W × 3 uint8.

    Raises:
        InputError: the image is of another kind.
    """
    if isinstance(image, Image.Image):
        return np.asarray(image.convert("RGB"))
    if isinstance(image, Tensor) and image.dtype == uint8 and image.ndim == 3 and len(image) == 3:
        return image.permute(1, 2, 0).contiguous().numpy()
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.shape[2:] == (3,):
        return image
    kind = getattr(image, "dtype", type(image).__name__)
    raise InputError(
        f"the torch dataset gives images of {tuple(getattr(image, 'shape', ()))} {kind}: give PIL "
        "images or uint8, without ToTensor and Normalize, which a training does itself"
    )
