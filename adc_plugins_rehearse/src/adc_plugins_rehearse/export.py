"""The ground truth of the gallery: true labels of its images, and a clean test set."""

import csv
from collections.abc import Callable
from pathlib import Path

from adc_core import WorkError, progress
from adc_plugins_rehearse.catalog import Catalog, Offer
from adc_plugins_rehearse.conditions import WITHOUT_IMAGE


def export_answers(catalog: Catalog, url_of: Callable[[Offer], str], folder: Path) -> None:
    """Write what a pipeline file names as `truth:` and `test:`.

    `truth.csv` has the columns `url` and `label`, and one for each attribute of the catalog:
    every address at which the gallery serves an image that can be opened, and what it truly shows.
    It is written as it is made, whatever its length. `test/` is an image folder of images that
    are never offered.

    Args:
        catalog: what the gallery shows.
        url_of: the address of an offer, as it is in the search results.
        folder: where to write; files of an earlier export are replaced.

    Raises:
        WorkError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(("url", "label", *catalog.attributes))
            for done, offer in enumerate(catalog.offers(), 1):
                if offer.condition not in WITHOUT_IMAGE:
                    known = (offer.attributes.get(name, "") for name in catalog.attributes)
                    table.writerow((url_of(offer), offer.label, *known))
                progress(done, None, "address")
        for done, (label, name, content) in enumerate(catalog.test_images(), 1):
            (folder / "test" / label).mkdir(parents=True, exist_ok=True)
            (folder / "test" / label / name).write_bytes(content)
            progress(done, None, "test image")
    except OSError as error:
        raise WorkError(f"{error.filename or folder} cannot be written: {error.strerror}") from None
