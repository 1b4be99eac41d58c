"""Columns that say which images are copies of each other."""

from typing import ClassVar

import numpy as np

from adc_core import Dataset, Enricher
from adc_core.images import GROUP
from adc_plugins_detect.image_measures.duplicates import BITS, EXACT, RADIUS, find_duplicates
from adc_plugins_detect.image_measures.measures import ImageMeasures, measure_images
from adc_plugins_detect.inputs import needed

_HASH = ImageMeasures._fields[-1]


class DuplicateImages(Enricher):
    """Groups exact and near copies of images by check sums and perceptual hashes."""

    requires: ClassVar[tuple[str, ...]] = ("images",)
    provides: ClassVar[tuple[str, ...]] = (GROUP, EXACT, BITS, RADIUS)

    def enrich(self, dataset: Dataset) -> Dataset:
        """Add the columns; hashes that `image-quality` has left there are used.

        Raises:
            ImageError: an image cannot be decoded.
        """
        images = needed(dataset.images, "images", "a dataset with images")
        hashes = dataset.columns.get(_HASH)
        if hashes is None:
            hashes = measure_images(images).perceptual_hash
        found = find_duplicates(images, np.asarray(hashes), images.sums)
        columns = {
            GROUP: found.group,
            EXACT: found.exact_group,
            BITS: found.bits,
            RADIUS: np.full(len(dataset), found.radius, np.int8),
        }
        return dataset.replace(columns={**dataset.columns, **columns})
