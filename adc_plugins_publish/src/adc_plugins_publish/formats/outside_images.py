"""Images that a folder or a list takes from elsewhere: somebody else may have put them there."""

import os
import warnings

import numpy as np
from numpy.typing import NDArray

from adc_core import ImageFiles, Images


def warn_of_outside(images: Images | None) -> None:
    """Say how many images are outside the folder that they are exported from, and name one."""
    if isinstance(images, ImageFiles) and (rows := rows_outside(images)).size:
        warnings.warn(
            f"{rows.size:,} of {len(images):,} images are outside {images.root} and are copied "
            f"too, such as {images.paths[rows[0]]}: look whether they are meant",
            stacklevel=2,
        )


def rows_outside(images: ImageFiles) -> NDArray[np.intp]:
    """Return the rows whose files are outside the root, by their path or by a link."""
    root = os.path.realpath(images.root)
    below = root.rstrip(os.sep) + os.sep
    folders: dict[str, str] = {}
    found = np.zeros(len(images), np.bool_)
    for row, path in enumerate(images.paths.tolist()):  # a million names: pathlib is too slow
        folder, name = os.path.split(os.path.join(root, path))  # noqa: PTH118
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        real = os.path.join(folders[folder], name)  # noqa: PTH118
        if os.path.islink(real):  # noqa: PTH114
            real = os.path.realpath(real)
        found[row] = not real.startswith(below)
    return np.flatnonzero(found)
