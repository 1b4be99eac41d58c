"""The k-NN graph of the features: searched exactly, or with an index where there are too many."""

from typing import Literal

from numpy.typing import ArrayLike

from adc_core import InputError, Neighbors
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_rows
from adc_plugins_detect.knn.exact import search_exactly
from adc_plugins_detect.options import Count

EXACT_UP_TO = 200_000
"""With more rows than this an index is searched, unless the exact search is asked for."""

Method = Literal["auto", "exact", "index"]


@array_function
def nearest_neighbors(features: ArrayLike, k: Count, *, method: Method = "auto") -> Neighbors:
    """Find the k nearest other rows of every row by cosine similarity.

    Similarities are single precision; ties: the lower row comes first. The result does not
    depend on the number of threads. The exact search multiplies each pair of blocks once for
    both of its sides, which halves the work of a plain search; memory is O(N (D + k)).

    Args:
        features: N × D finite numbers; a memory map will do. Lengths do not matter.
        k: neighbors of each row, itself excluded.
        method: `exact`, whose work grows with N²; `index`, an approximate search whose recall is
            measured and given in the result (needs `adc-plugins-detect[index]`); `auto` is exact
            up to 200,000 rows.

    Raises:
        InputError: k is not in 1…N-1, a row is not finite or has no direction, or the index is
            not installed.
    """
    rows = as_rows(features, "features")
    if k >= len(rows):
        raise InputError(
            f"{k} neighbors of each of {len(rows)} samples: choose 1…{len(rows) - 1}, "
            "or give more samples"
        )
    if method == "exact" or (method == "auto" and len(rows) <= EXACT_UP_TO):
        return search_exactly(rows, k)
    from adc_plugins_detect.knn.index import search_index

    return search_index(rows, k)
