"""Neighbors of a million samples and more: graph indexes are searched, and their recall measured.

One graph over all samples would not do: its search begins in one place and walks downhill, and
where features form clusters, as those of classes do, it ends in the wrong one. So the samples are
cut into cells first, each cell gets its graph, and a sample is looked up in the cells next to it.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from adc_core import InputError, Neighbors, progress
from adc_core.arrays import Array, chunks
from adc_plugins_detect.knn.exact import SPARE, best_of, unit_rows

WANTED_RECALL = 0.98
"""The indexes are searched as widely as this takes, by what a sample of the rows shows."""

CELL = 25_000
"""Samples of a cell, about."""

_LINKS, _BUILD_WIDTH = 16, 40
_WIDTHS, _MOST_CELLS = (32, 64, 128, 256, 512), (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_SAMPLE, _BLOCK = 1000, 1 << 14
_MARGIN = 0.002


class _Reach(NamedTuple):
    """How far to look: in how many cells, and how widely in each."""

    cells: int
    width: int


def search_index(features: Array, k: int) -> Neighbors:
    """Find the k nearest other rows of nearly every row by cosine similarity.

    The graphs are FAISS's hierarchical navigable small worlds (Malkov and Yashunin, 2020), the
    cells those of k-means. Each graph is built in one thread, so that the same features give the
    same neighbors, and several at a time. What is found is put in order by exact similarities.

    Args:
        features: N × D finite numbers.
        k: neighbors of each row, itself excluded.

    Raises:
        InputError: a row has no direction, or FAISS is not installed.
    """
    try:
        import faiss
    except ImportError:
        raise InputError(
            f"the neighbors of {len(features)} samples are searched with an index: "
            "pip install 'adc-plugins-detect[index]', or ask for method exact"
        ) from None
    unit, lengths = unit_rows(features)
    n = len(unit)
    wanted = min(k + SPARE, n - 1)
    index = _CellIndex(faiss, unit, wanted)
    sample = np.sort(np.random.default_rng(0).choice(n, min(n, _SAMPLE), replace=False))
    nearest = _nearest(unit, sample, wanted)
    truth = best_of(features, lengths, sample, nearest, k)[1][:, -1:]
    found = index.search(index.reach(sample, truth[:, 0], k))
    indices = np.empty((n, k), np.int64)
    similarities = np.empty((n, k), np.float32)
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(n, start + _BLOCK))
        candidates = found[rows].astype(np.int64)
        lost = np.flatnonzero((candidates >= 0).sum(axis=1) < k)
        candidates[lost] = _nearest(unit, rows[lost], wanted)
        best, similarities[rows] = best_of(features, lengths, rows, candidates, k)
        indices[rows] = np.take_along_axis(candidates, best, axis=1)
        progress(int(rows[-1]) + 1, n, "sample ordered")
    # Counted by similarity: ties are equally good.
    recall = float((similarities[sample] >= truth).mean())
    return Neighbors(indices=indices, similarities=similarities, recall=recall)


class _CellIndex:
    """The cells of the samples and a graph for each."""

    def __init__(self, faiss: Any, unit: NDArray[np.float32], wanted: int) -> None:
        self._faiss, self._unit, self._wanted = faiss, unit, wanted
        count = max(1, round(len(unit) / CELL))
        self._near = self._nearest_cells(count)
        self._members = [np.flatnonzero(self._near[:, 0] == cell) for cell in range(count)]
        self._graphs: list[Any] = []
        for done, graph in enumerate(self._in_threads(self._build, range(count)), 1):
            self._graphs.append(graph)
            progress(done, count, "cell indexed")

    def _nearest_cells(self, count: int) -> NDArray[np.int32]:
        """Return N × up to 32 cells of each row, nearest first."""
        if count == 1:
            return np.zeros((len(self._unit), 1), np.int32)
        near = np.empty((len(self._unit), min(count, _MOST_CELLS[-1])), np.int32)
        options = {"niter": 10, "seed": 1, "spherical": True, "max_points_per_centroid": 256}
        with threadpool_limits(1):
            (centers,) = self._in_threads(lambda _: self._k_means(count, options), [0])
            for start in range(0, len(self._unit), _BLOCK):
                part = slice(start, start + _BLOCK)
                products = self._unit[part] @ centers.T
                near[part] = np.argsort(-products, axis=1, kind="stable")[:, : near.shape[1]]
        return near

    def _k_means(self, count: int, options: dict[str, Any]) -> NDArray[np.float32]:
        clusters = self._faiss.Kmeans(self._unit.shape[1], count, **options)
        clusters.train(self._unit)
        return np.array(clusters.centroids)

    def _build(self, cell: int) -> Any:
        graph = self._faiss.IndexHNSWFlat(
            self._unit.shape[1], _LINKS, self._faiss.METRIC_INNER_PRODUCT
        )
        graph.hnsw.efConstruction = _BUILD_WIDTH
        graph.add(self._unit[self._members[cell]])
        return graph

    def _in_threads(self, work: Any, items: Any) -> Iterator[Any]:
        """Yield results in order; FAISS works in one thread for each of them."""

        def alone(item: Any) -> Any:
            self._faiss.omp_set_num_threads(1)  # of this thread alone
            return work(item)

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            yield from threads.map(alone, items)

    def _look_up(self, cell: int, rows: Array) -> tuple[Array, Array]:
        """Return similarities and rows of what one graph holds next to some rows."""
        values, found = self._graphs[cell].search(self._unit[rows], self._wanted + 1)
        members = np.append(self._members[cell], -1)
        found = members[found]
        values[(found == rows[:, None]) | (found < 0)] = -np.inf
        return values, found

    def reach(self, sample: Array, truth: Array, k: int) -> _Reach:
        """Find the least work that finds enough of the true neighbors of a sample of rows.

        Args:
            sample: S rows.
            truth: S similarities of the k-th true neighbor.
            k: neighbors.
        """
        cells = [c for c in _MOST_CELLS if c <= self._near.shape[1]]
        truth = np.nextafter(truth - 1e-6, -1, dtype=np.float32)
        best = (0.0, _Reach(cells[-1], _WIDTHS[-1]))
        choices: list[tuple[float, _Reach]] = []
        for width in _WIDTHS:
            self._widen(width)
            parts = list(
                self._in_threads(lambda c: self._look_up(c, sample)[0], range(len(self._graphs)))
            )
            values = np.stack(parts)[self._near[sample], np.arange(len(sample))[:, None]]
            for count in cells:
                reached = (values[:, :count] >= truth[:, None, None]).sum(axis=(1, 2))
                recall = float(np.minimum(reached, k).mean() / k)
                reach = _Reach(count, width)
                best = max(best, (recall, reach))
                if recall >= WANTED_RECALL + _MARGIN:
                    choices.append((count * (width + 32.0), reach))
            if choices:
                break
        return min(choices)[1] if choices else best[1]

    def search(self, reach: _Reach) -> NDArray[np.int32]:
        """Find N × w rows, -1 for none: the nearest that the graphs of each row's cells hold."""
        self._widen(reach.width)
        n, w = len(self._unit), self._wanted
        values = np.full((n, w), -np.inf, np.float32)
        found = np.full((n, w), -1, np.int32)
        near = self._near[:, : reach.cells]
        asked = [np.flatnonzero((near == cell).any(axis=1)) for cell in range(len(self._graphs))]
        looked = self._in_threads(
            lambda cell: self._look_up(cell, asked[cell]), range(len(self._graphs))
        )
        for cell, (new_values, new_found) in enumerate(looked):
            rows = asked[cell]
            both = np.concatenate([values[rows], new_values], axis=1)
            names = np.concatenate([found[rows], new_found.astype(np.int32)], axis=1)
            best = np.argpartition(both, -w, axis=1)[:, -w:]
            values[rows] = np.take_along_axis(both, best, axis=1)
            found[rows] = np.where(
                np.isfinite(values[rows]), np.take_along_axis(names, best, axis=1), -1
            )
            progress(cell + 1, len(self._graphs), "cell searched")
        return found

    def _widen(self, width: int) -> None:
        for graph in self._graphs:
            graph.hnsw.efSearch = max(width, self._wanted + 1)


def _nearest(unit: NDArray[np.float32], rows: Array, count: int) -> NDArray[np.int64]:
    """Find the nearest other rows of a few rows, by brute force and in any order."""
    found = np.empty((len(rows), count), np.int64)
    for part in chunks(len(rows), 8 * len(unit)):
        some = rows[part]
        products = unit[some] @ unit.T
        products[np.arange(len(some)), some] = -np.inf
        found[part] = np.argpartition(products, -count, axis=1)[:, -count:]
    return found
