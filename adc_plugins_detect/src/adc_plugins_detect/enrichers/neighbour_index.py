"""Neighbours of a million samples and more: a graph index is searched, and its recall measured."""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from adc_core.arrays import Array, chunks
from adc_core.errors import InputError
from adc_core.evidence import Neighbours
from adc_core.work import progress
from adc_plugins_detect.enrichers.neighbours import SPARE, best_of, unit_rows

WANTED_RECALL = 0.98
"""The index is searched more widely until its recall on a sample reaches this."""

_LINKS, _BUILD_WIDTH, _FIRST_WIDTH, _WIDEST = 16, 40, 32, 1 << 12
_SAMPLE = 1000
_STEP = 1 << 14


def search_index(features: Array, k: int) -> Neighbours:
    """The k nearest other rows of nearly every row by cosine similarity.

    The index is FAISS's hierarchical navigable small world (Malkov and Yashunin, 2020). It is
    built in one thread, so that the same features give the same graph, and searched in all. The
    neighbours found are put in order by exact similarities.

    Args:
        features: N × D finite numbers.
        k: neighbours of each row, itself excluded.

    Raises:
        InputError: a row has no direction, or FAISS is not installed.
    """
    try:
        import faiss
    except ImportError:
        raise InputError(
            f"the neighbours of {len(features)} samples are searched with an index: "
            "pip install 'adc-plugins-detect[index]', or ask for method exact"
        ) from None
    unit, lengths = unit_rows(features)
    index = faiss.IndexHNSWFlat(unit.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _BUILD_WIDTH
    n = len(unit)
    with threadpool_limits(1):
        for start in range(0, n, _STEP):
            index.add(unit[start : start + _STEP])
            progress(min(n, start + _STEP), n, "sample indexed")
    sample = np.sort(np.random.default_rng(0).choice(n, min(n, _SAMPLE), replace=False))
    wanted = min(k + SPARE, n - 1)
    truth = best_of(features, lengths, sample, _nearest(unit, sample, wanted), k)[1][:, -1:]
    index.hnsw.efSearch = max(_FIRST_WIDTH, wanted + 1)
    while True:
        found = _others(index.search(unit[sample], wanted + 1)[1], sample)
        similarities = best_of(features, lengths, sample, found, k)[1]
        # Counted by similarity: of equals any is as good.
        recall = float((similarities >= truth).mean())
        if recall >= WANTED_RECALL or index.hnsw.efSearch >= _WIDEST:
            break
        index.hnsw.efSearch *= 2
    indices = np.empty((n, k), np.int64)
    similarities = np.empty((n, k), np.float32)
    for start in range(0, n, _STEP):
        rows = np.arange(start, min(n, start + _STEP))
        found = _others(index.search(unit[rows], wanted + 1)[1], rows)
        lost = np.flatnonzero((found >= 0).sum(axis=1) < k)
        found[lost] = _nearest(unit, rows[lost], wanted)
        best, similarities[rows] = best_of(features, lengths, rows, found, k)
        indices[rows] = np.take_along_axis(found, best, axis=1)
        progress(int(rows[-1]) + 1, n, "sample")
    return Neighbours(indices=indices, similarities=similarities, recall=recall)


def _others(found: NDArray[np.int64], rows: Array) -> NDArray[np.int64]:
    """One column less: each row's own number is left out, or the farthest where it is not there."""
    own = found == rows[:, None]
    own[~own.any(axis=1), -1] = True
    others: NDArray[np.int64] = found[~own].reshape(len(found), -1)
    return others


def _nearest(unit: NDArray[np.float32], rows: Array, count: int) -> NDArray[np.int64]:
    """The nearest other rows of a few rows, by brute force and in any order."""
    found = np.empty((len(rows), count), np.int64)
    for part in chunks(len(rows), 8 * len(unit)):
        some = rows[part]
        products = unit[some] @ unit.T
        products[np.arange(len(some)), some] = -np.inf
        found[part] = np.argpartition(products, -count, axis=1)[:, -count:]
    return found
