"""Soft labels by a kernel, and the credibility that they give."""

import numpy as np
import pytest

from adc_core import Dataset, Neighbors
from adc_plugins_detect import (
    NeighborCredibility,
    kernel_soft_labels,
    nearest_neighbors,
    neighbor_credibility,
)

ANGLES = np.deg2rad([0, 4, 9, 15, 80, 86, 91, 97, 40, 12.6])
LABELS = [0, 0, 0, 0, 1, 1, 1, 1, 0, 1]
POINTS = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
SUSPICION = [
    *(0.24876564218416708, 0.24971975840666494, 0.2500256303566263, 0.25028512830528027),
    *(0, 0, 0, 0, 0.242363708266906, 0.7498976282042081),
]


def test_worked_example():
    soft = kernel_soft_labels(LABELS, POINTS, k=3, bandwidth=0.2)
    np.testing.assert_allclose(1 - soft[np.arange(10), LABELS], SUSPICION, atol=1e-6)
    np.testing.assert_allclose(soft.sum(axis=1), 1)


def test_a_wide_kernel_is_a_vote(planted):
    labels, graph = planted.labels, nearest_neighbors(planted.features, 10)
    agreeing = (labels[graph.indices] == labels[:, None]).sum(axis=1)
    rows = np.arange(len(labels))
    vote = kernel_soft_labels(labels, graph, bandwidth=1e9, own=0)
    np.testing.assert_allclose(vote[rows, labels], agreeing / 10)
    with_own = kernel_soft_labels(labels, graph, bandwidth=1e9)
    np.testing.assert_allclose(with_own[rows, labels], (agreeing + 1) / 11)
    assert kernel_soft_labels(labels, graph, n_classes=7).shape == (2000, 7)


def test_the_bandwidth_follows_the_fifth_neighbor_and_copies_have_one(planted):
    graph = nearest_neighbors(planted.features, 10)
    typical = float(np.median(1 - graph.similarities[:, 4]))
    auto = kernel_soft_labels(planted.labels, graph)
    same = kernel_soft_labels(planted.labels, graph, bandwidth=typical)
    np.testing.assert_allclose(auto, same)
    copies = Neighbors(indices=[[1], [0]], similarities=[[1.0], [1.0]])
    np.testing.assert_allclose(kernel_soft_labels([0, 1], copies, k=1), 0.5)


def test_far_neighbors_count_where_the_own_label_does_not():
    far = Neighbors(indices=[[1], [0], [0]], similarities=[[-1.0], [-1.0], [-0.9]])
    soft = kernel_soft_labels([0, 1, 1], far, k=1, bandwidth=1e-3, own=0)
    np.testing.assert_array_equal(soft, [[0, 1], [1, 0], [1, 0]])


def test_credibility_by_soft_labels(planted):
    graph = nearest_neighbors(planted.features, 10)
    found = neighbor_credibility(planted.labels, graph, soft="kernel", flag_rate=0.3)
    soft = kernel_soft_labels(planted.labels, graph)
    np.testing.assert_array_equal(found.suspicion, 1 - soft[np.arange(2000), planted.labels])
    assert found != neighbor_credibility(planted.labels, graph, flag_rate=0.3)
    assert planted.wrong[found.flagged].mean() > 0.95
    dataset = Dataset(labels=planted.labels, neighbors=graph)
    component = NeighborCredibility(soft="kernel", flag_rate=0.3)
    assert component.detect(dataset) == found


def test_pytest_sees_bad_options():
    with pytest.raises(ValueError, match="bandwidth"):
        kernel_soft_labels(LABELS, POINTS, k=3, bandwidth=0)
