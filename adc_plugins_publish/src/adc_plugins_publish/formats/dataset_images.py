"""The images of a dataset that is exported."""

from adc_core import Dataset, Images, InputError


def images_of(dataset: Dataset) -> Images:
    """Return its images.

    Raises:
        InputError: there are none.
    """
    if dataset.images is None:
        raise InputError("the dataset has no images to export: read one that has, or use url-list")
    return dataset.images
