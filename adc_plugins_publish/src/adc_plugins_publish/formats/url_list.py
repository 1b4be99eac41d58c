"""A list of addresses, for img2dataset and other programs that fetch for themselves."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adc_core import Dataset, InputError
from adc_core.arrays import Array
from adc_plugins_publish.formats.samples_table import SAMPLES, Written, samples_table


def export_url_list(
    dataset: Dataset, splits: NDArray[np.str_], entitled: Array, folder: Path
) -> Written:
    """Write `samples.parquet` alone: no image, but where each was found.

    `img2dataset samples.parquet --input_format parquet --url_col url --caption_col query
    --save_additional_columns '["id","label"]'` fetches it, and `manifest` is a searcher for it.

    Raises:
        InputError: nobody noted where the images came from.
    """
    table = samples_table(dataset, splits)
    if "url" not in table.column_names:
        raise InputError("the dataset's sources name no url: export one that was collected")
    pq.write_table(table, folder / SAMPLES)
    return Written([""] * len(dataset))
