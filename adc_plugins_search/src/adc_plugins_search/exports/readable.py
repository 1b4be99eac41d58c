"""Which images of a dataset can be decoded."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from adc_core.decoding import ImageError, open_image
from adc_core.images import ImageArray, Images
from adc_core.work import progress

_AT_ONCE = 1000
"""Images between two words of progress: so many results wait for one another at most."""


def unreadable_images(images: Images | None) -> dict[int, str]:
    """Row to the reason, of every image that is missing, damaged or none at all.

    Each is decoded as a whole: a file that is cut off opens well and ends too soon.
    """
    if images is None or isinstance(images, ImageArray):
        return {}
    return dict(_unreadable(images))


def _unreadable(images: Images) -> Iterator[tuple[int, str]]:
    def reason(row: int) -> str | None:
        try:
            open_image(images.encoded(row)[0])
        except ImageError as error:
            return error.reason
        return None

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for rows in _batches(len(images)):
            for row, said in zip(rows, threads.map(reason, rows), strict=True):
                if said is not None:
                    yield row, said
            progress(rows[-1] + 1, len(images), "image checked")


def _batches(count: int) -> Iterator[range]:
    for start in range(0, count, _AT_ONCE):
        yield range(start, min(start + _AT_ONCE, count))
