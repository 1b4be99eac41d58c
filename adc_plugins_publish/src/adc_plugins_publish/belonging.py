"""Which samples belong together: copies of an image, of one creator, of one page."""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from adc_core import Dataset
from adc_core.images import GROUP

Together = Literal["all", "duplicates", "creator", "page"]

_MOST = 0.01
"""A creator with more of the dataset is no person: stock sites sign thousands of images."""

_FEW = 10
"""Below so many images a creator may have any share of a small dataset."""


def groups_of(dataset: Dataset, together: Together = "all") -> NDArray[np.int64]:
    """Assign samples to groups that must not be divided.

    Samples are together if anything joins them: a near duplicate, the creator, or the page that
    showed them (FSD50K, Fonseca et al. 2020, keeps each uploader's clips in one split). A creator
    of more than a hundredth of the dataset joins nothing; what is not known joins nothing.

    Args:
        dataset: its column of near duplicates, and `sources` with `creator` and `page`.
        together: what joins; `all` for whatever is known.

    Returns:
        N group numbers.
    """
    keys = []
    if together in ("all", "duplicates") and (copies := dataset.columns.get(GROUP)) is not None:
        keys.append(np.unique(copies, return_inverse=True)[1])
    sources = dataset.sources
    if sources is not None:
        if together in ("all", "creator") and "creator" in sources.column_names:
            keys.append(_without_many(_codes(_texts(sources, "creator"))))
        if together in ("all", "page") and "page" in sources.column_names:
            keys.append(_codes([_page(text) for text in _texts(sources, "page")]))
    return connected(len(dataset), keys)


def connected(rows: int, keys: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Find the connected components of rows that share a key.

    Args:
        rows: N.
        keys: for each kind of key, N numbers; -1 joins nothing.

    Returns:
        N numbers: the first row of each component.
    """
    first = np.arange(rows)
    while True:
        before = first
        for codes in keys:
            known = codes >= 0
            least = np.full(int(codes.max(initial=-1)) + 1, rows)
            np.minimum.at(least, codes[known], first[known])
            first = first.copy()
            first[known] = least[codes[known]]
        first = first[first]  # paths grow twice as short with each round
        if np.array_equal(first, before):
            return first


def _texts(sources: pa.Table, column: str) -> list[str]:
    return [text.strip() if isinstance(text, str) else "" for text in sources[column].to_pylist()]


def _codes(texts: Sequence[str]) -> NDArray[np.int64]:
    names, codes = np.unique(np.array(texts, dtype=np.str_), return_inverse=True)
    return np.where(names[codes] == "", -1, codes)


def _without_many(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    counts = np.bincount(codes[codes >= 0], minlength=int(codes.max(initial=-1)) + 1)
    many = np.flatnonzero(counts > max(_FEW, _MOST * len(codes)))
    return np.where(np.isin(codes, many), -1, codes)


def _page(text: str) -> str:
    """Return host and path of an address; what follows them is often of the visit."""
    parts = urlsplit(text)
    return f"{parts.netloc.lower()}{parts.path}" if parts.netloc else ""
