"""The k-NN graph as a sparse matrix, for methods that walk along its edges."""

import numpy as np
from scipy.sparse import csr_array

from adc_core.arrays import Array


def symmetric_graph(indices: Array, similarities: Array) -> csr_array:
    """Connect two samples where one is a neighbor of the other, by the larger of the weights.

    Args:
        indices: N × k row numbers.
        similarities: N × k; what is below 0 weighs nothing.

    Returns:
        N × N, symmetric, float64.
    """
    rows, k = indices.shape
    weights = np.maximum(np.asarray(similarities, np.float64), 0).ravel()
    starts = np.arange(0, rows * k + 1, k)
    # A copy: a graph's arrays cannot be written to, and scipy sorts them in place.
    edges = csr_array((weights, np.array(indices).ravel(), starts), shape=(rows, rows))
    graph = csr_array(edges.maximum(edges.T))
    graph.sort_indices()
    return graph
