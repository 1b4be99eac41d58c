"""Columns that say what each image is like: size, tones, sharpness, color, perceptual hash."""

from typing import ClassVar

from adc_core import Dataset, Enricher
from adc_plugins_detect.image_measures.measures import ImageMeasures, measure_images
from adc_plugins_detect.inputs import needed


class ImageQuality(Enricher):
    """Measures each image's size, tones, sharpness, noise and color; `adc health` judges them."""

    requires: ClassVar[tuple[str, ...]] = ("images",)
    provides: ClassVar[tuple[str, ...]] = ImageMeasures._fields

    def enrich(self, dataset: Dataset) -> Dataset:
        """Add one column for each field of `ImageMeasures`.

        Raises:
            ImageError: an image cannot be decoded.
        """
        measures = measure_images(needed(dataset.images, "images", "a dataset with images"))
        return dataset.replace(columns={**dataset.columns, **measures._asdict()})
