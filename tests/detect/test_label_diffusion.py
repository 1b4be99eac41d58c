"""Label diffusion: the worked example, mass that fits nowhere, planted noise and options."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from adc_core import Dataset, Neighbors
from adc_plugins_detect import LabelDiffusion, label_diffusion, nearest_neighbors
from adc_plugins_detect.detectors.label_diffusion import flow_diffusion
from adc_plugins_detect.metrics.detection import rank_figures

EDGES = [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (4, 6), (1, 3)]


def test_worked_example():
    graph = np.zeros((7, 7))
    for i, j in EDGES:
        graph[i, j] = graph[j, i] = 1
    labels = np.array([1, 1, 1, 1, 0, 0, 0])
    weighted = np.where(labels[:, None] == labels, graph, 0.05 * graph)
    sink, source = graph.sum(axis=0), np.zeros(7)
    source[3] = 9.9
    plain = flow_diffusion(csr_array(graph), sink, source)
    np.testing.assert_allclose(plain, [0, 0, 0, 2.3, 0, 0, 0], atol=1e-6)
    by_label = flow_diffusion(csr_array(weighted), sink, source)
    expected = [0, 0.357142857142847, 0.35714285714284877, 3.7142857142857055, 0, 0, 0]
    np.testing.assert_allclose(by_label, expected, atol=1e-6)


def test_planted_noise(planted):
    rows = slice(800)
    labels, wrong = planted.labels[rows], planted.wrong[rows]
    found = label_diffusion(labels, planted.features[rows], seeds=20)
    assert rank_figures(wrong, found.suspicion).roc_auc > 0.95
    assert (found.flagged == wrong).mean() > 0.9
    assert found.suspicion.min() == 0
    assert found.noise_rate == found.flagged.mean()


def test_parts_of_the_graph_and_classes_of_one_sample():
    """Two pairs and a triple that are not connected: the mass of a class has no room there."""
    indices = [[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]]
    graph = Neighbors(indices=indices, similarities=np.full((6, 2), 0.9))
    found = label_diffusion([0, 0, 1, 0, 0, 3], graph, k=2, mass=50)
    assert np.isfinite(found.suspicion).all()
    assert found.covered.all()


def test_order_and_names_do_not_matter(planted):
    rows = slice(400)
    labels, features = planted.labels[rows], planted.features[rows]
    found = label_diffusion(labels, features)
    order, names = np.random.default_rng(1).permutation(400), np.array([2, 0, 3, 1])
    again = label_diffusion(names[labels[order]], features[order])
    np.testing.assert_allclose(again.suspicion, found.suspicion[order], atol=0.02)
    assert (again.flagged == found.flagged[order]).mean() > 0.99


@pytest.mark.parametrize("option", [{"k": 4}, {"seeds": 2}, {"mass": 0.5}, {"across": 0.9}])
def test_every_option_counts(planted, option):
    rows = slice(200)
    graph = nearest_neighbors(planted.features[rows], 8)
    dataset = Dataset(labels=planted.labels[rows], neighbors=graph)
    usual = {"k": 8, "seeds": 10, "mass": 3, "across": 0.05}
    found = LabelDiffusion(**usual | option).detect(dataset)
    assert found != LabelDiffusion(**usual).detect(dataset)
    again = label_diffusion(dataset.labels, graph, **usual | option, ids=dataset.ids)
    assert found == again
