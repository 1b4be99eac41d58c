"""The exact search for nearest neighbors, and what the index shares with it."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from adc_core import InputError, Neighbors, progress
from adc_core.arrays import Array, chunks

BLOCK = 2048
"""Rows of a block; a tile of block × block similarities stays in the cache."""

SPARE = 6
"""Places beside the k best, for candidates that single precision cannot separate from the k-th."""


def search_exactly(features: Array, k: int) -> Neighbors:
    """Find the k nearest other rows of every row; see `nearest_neighbors`."""
    return _Search(features, k).run()


class _Search:
    """One search: keeps, for every row, the best candidates seen so far.

    Rows are visited in a random order, because in a dataset sorted by class the candidates of a
    row would get better until the end. Products in single precision only propose candidates;
    the final order comes from double precision, which no number of threads changes.
    """

    def __init__(self, features: Array, k: int) -> None:
        self.features, self.k = features, k
        self.step = max(BLOCK, 2 * k)
        n, width = features.shape
        self.order = np.random.default_rng(0).permutation(n)
        place = np.empty(n, np.int64)
        place[self.order] = np.arange(n)
        self.unit, self.norms = unit_rows(features, place)
        # Rounding of unit vectors and of D products, of a candidate and of its rival.
        self.slack = np.float32(2 * (width + 6) * 2.0**-24)
        self.bound = np.full(n, -np.inf, np.float32)
        self.values = np.full((n, k + SPARE), -np.inf, np.float32)
        self.found = np.full((n, k + SPARE), -1, np.int32)

    def run(self) -> Neighbors:
        pairs = list(combinations_with_replacement(range(0, len(self.unit), self.step), 2))
        for done, ((i, j), tile) in enumerate(zip(pairs, self._tiles(pairs), strict=True), 1):
            if i == j:
                np.fill_diagonal(tile, -np.inf)
            else:
                self._offer(j, i, tile.T)
            self._offer(i, j, tile)
            progress(done, len(pairs), "block")
        return self._result()

    def _tiles(self, pairs: list[tuple[int, int]]) -> Iterator[NDArray[np.float32]]:
        """Yield products of pairs of blocks, in order, computed ahead in threads.

        One thread per product: then its bytes are the same however many threads there are, and
        none of them waits for the others while the candidates of a tile are sorted in.
        """

        def product(pair: tuple[int, int]) -> NDArray[np.float32]:
            one, other = (self.unit[start : start + self.step] for start in pair)
            tile: NDArray[np.float32] = one @ other.T
            return tile

        ahead = min(8, os.cpu_count() or 1)
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(ahead) as threads:
            waiting = deque(threads.submit(product, pair) for pair in pairs[:ahead])
            for pair in pairs[ahead:]:
                yield waiting.popleft().result()
                waiting.append(threads.submit(product, pair))
            while waiting:
                yield waiting.popleft().result()

    def _offer(self, first_row: int, first_column: int, tile: NDArray[np.float32]) -> None:
        """Show the rows that begin at `first_row` their similarities to a block of columns."""
        k, places = self.k, self.values.shape[1]
        rows = slice(first_row, first_row + len(tile))
        if self.bound[first_row] == -np.inf:
            kth = tile.shape[1] - k
            self.bound[rows] = np.partition(tile, kth, axis=1)[:, kth] - self.slack
        row, column = _where_at_least(tile, self.bound[rows])
        if not len(row):
            return
        counts = np.bincount(row, minlength=len(tile))
        improved = np.flatnonzero(counts)
        rank = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        line = (np.cumsum(counts > 0) - 1)[row]
        values = np.full((len(improved), places + int(counts.max())), -np.inf, np.float32)
        found = np.full(values.shape, -1, np.int32)
        values[:, :places] = self.values[first_row + improved]
        found[:, :places] = self.found[first_row + improved]
        values[line, places + rank] = tile[row, column]
        found[line, places + rank] = first_column + column
        kth = values.shape[1] - k
        bound = np.partition(values, kth, axis=1)[:, kth] - self.slack
        best = np.argpartition(values, values.shape[1] - places, axis=1)[:, -places:]
        crowded = np.flatnonzero((values >= bound[:, None]).sum(axis=1) > places)
        if len(crowded):
            found[crowded] = np.where(values[crowded] >= bound[crowded, None], found[crowded], -1)
            best[crowded, :k] = self._exact(first_row + improved[crowded], found[crowded])[0]
        self.bound[first_row + improved] = bound
        self.values[first_row + improved] = np.take_along_axis(values, best, axis=1)
        self.found[first_row + improved] = np.take_along_axis(found, best, axis=1)
        self.values[first_row + improved[crowded], k:] = -np.inf

    def _exact(self, rows: Array, found: Array) -> tuple[Array, Array]:
        """Return places of the k best candidates of each row (-1: none), and their similarities."""
        others = np.where(found < 0, -1, self.order[found])
        return best_of(self.features, self.norms, self.order[rows], others, self.k)

    def _result(self) -> Neighbors:
        found = np.where(self.values >= self.bound[:, None], self.found, -1)
        rows = np.arange(len(found))
        best, best_similarities = self._exact(rows, found)
        indices = np.empty(best.shape, np.int64)
        similarities = np.empty(best.shape, np.float32)
        indices[self.order] = self.order[np.take_along_axis(found, best, axis=1)]
        similarities[self.order] = best_similarities
        return Neighbors(indices=indices, similarities=similarities)


def unit_rows(
    features: Array, places: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Scale rows to length one in single precision; return them and the lengths they had.

    Raises:
        InputError: a row has no direction.
    """
    unit = np.empty(features.shape, np.float32)
    lengths = np.empty(len(features))
    for part in chunks(len(features), 8 * features.shape[1]):
        block = features[part].astype(np.float64)
        norms = np.sqrt(np.einsum("nd,nd->n", block, block))
        without = ~((norms > 0) & (norms < np.inf))
        if without.any():
            row = int(without.argmax())
            raise InputError(
                f"features: row {part.start + row} has length {norms[row]:g}, so it has no "
                "direction: leave the sample out or encode it again"
            )
        lengths[part] = norms
        unit[part if places is None else places[part]] = block / norms[:, None]
    return unit, lengths


def best_of(
    features: Array, lengths: NDArray[np.float64], rows: Array, candidates: Array, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the k candidates most similar to each row, by products in double precision.

    Args:
        features: N × D.
        lengths: N lengths of the rows.
        rows: M row numbers.
        candidates: M × c row numbers, -1 for none.
        k: how many of them.

    Returns:
        M × k places among the candidates, and their similarities; ties: the lower row first.
    """
    best = np.empty((len(rows), k), np.int64)
    similarities = np.empty((len(rows), k), np.float32)
    for part in chunks(len(rows), 8 * candidates.shape[1] * features.shape[1]):
        own, others = rows[part], candidates[part]
        products = np.einsum(
            "nd,ncd->nc", features[own].astype(np.float64), features[others].astype(np.float64)
        )
        cosines = (products / lengths[own, None] / lengths[others]).astype(np.float32)
        cosines[others < 0] = -np.inf
        best[part] = np.lexsort((others, -cosines), axis=1)[:, :k]
        similarities[part] = np.take_along_axis(cosines, best[part], axis=1)
    return best, similarities


def _where_at_least(tile: Array, bound: Array) -> tuple[Array, Array]:
    """Return rows, ascending, and columns of the entries that reach their row's bound."""
    if tile.flags.c_contiguous:
        return np.divmod(np.flatnonzero(tile >= bound[:, None]), tile.shape[1])
    column, row = np.divmod(np.flatnonzero(bound <= tile.T), tile.shape[0])
    order = np.argsort(row.astype(np.min_scalar_type(len(tile))), kind="stable")
    return row[order], column[order]
