"""Labels that travel along the graph: the worked example, a matrix power, edges and options."""

import numpy as np
import pytest

from adc_core import Dataset, InputError, Neighbors
from adc_plugins_detect import LabelPropagation, label_propagation, nearest_neighbors

ADJACENCY = np.array(
    [
        [0, 1, 0.9, 0.1, 0, 0],
        [1, 0, 0.8, 0, 0, 0.2],
        [0.9, 0.8, 0, 0, 0.1, 0],
        [0.1, 0, 0, 0, 0.9, 0.7],
        [0, 0, 0.1, 0.9, 0, 0.8],
        [0, 0.2, 0, 0.7, 0.8, 0],
    ]
)
LABELS = np.array([0, 0, 1, 1, 1, 1])
FEATURES = np.array(
    [[1, 0.1, 0], [0.9, 0.2, 0.1], [1, 0, 0.2], [0, 1, 0.1], [0.1, 0.9, 0], [0.2, 1, 0.1]]
)

FINAL = [
    [0.590906043456, 0.457124499797],
    [0.583977845953, 0.466884928345],
    [0.532113341233, 0.412549244221],
    [0.33075449237, 0.636887513564],
    [0.350010323602, 0.67444667185],
    [0.338294163564, 0.626050932043],
]


def graph_of(adjacency):
    """List all others as neighbors; those without an edge weigh nothing."""
    itself = 3 * np.eye(len(adjacency))
    others = np.argsort(itself - adjacency, axis=1, kind="stable")[:, :-1]
    return Neighbors(indices=others, similarities=np.take_along_axis(adjacency, others, axis=1))


GRAPH = graph_of(ADJACENCY)


def test_worked_example():
    found = label_propagation(LABELS, GRAPH, k=5)
    expected = [
        *(0.41478704033881675, 0.43063465974593473, 0.5697685816737944),
        *(0.0787057940843271, 0.07540507626430204, 0.10028230718110298),
    ]
    np.testing.assert_allclose(found.suspicion, expected, atol=2e-8)  # similarities are single
    assert found.flagged.tolist() == [False, False, True, False, False, False]
    assert found.suggested_labels.tolist() == [-1, -1, 0, -1, -1, -1]
    assert found.noise_rate == pytest.approx(1 / 6)


def test_worked_example_with_the_means_of_classes():
    found = label_propagation(LABELS, GRAPH, features=FEATURES, k=5, mix=0.6)
    final = np.array(FINAL)
    share = final / final.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.suspicion, 1 - share[np.arange(6), LABELS], atol=2e-8)


def test_steps_are_powers_of_a_matrix():
    walk = ADJACENCY / ADJACENCY.sum(axis=0)
    for hops, stay in ((1, 0.0), (3, 0.2), (7, 0.9)):
        power = np.linalg.matrix_power((1 - stay) * walk + stay * np.eye(6), hops)
        mass = power @ np.eye(2)[LABELS]
        own = mass[np.arange(6), LABELS] / mass.sum(axis=1)
        found = label_propagation(LABELS, GRAPH, k=5, hops=hops, stay=stay)
        np.testing.assert_allclose(found.suspicion, 1 - own, atol=2e-7)


def test_a_sample_without_neighbors_keeps_its_label_while_any_stays():
    adjacency = np.pad(ADJACENCY, (0, 1))
    labels = [*LABELS, 1]
    found = label_propagation(labels, graph_of(adjacency), k=6)
    assert found.suspicion[6] == 0
    gone = label_propagation(labels, graph_of(adjacency), k=6, stay=0)
    assert gone.covered.tolist() == [True] * 6 + [False]
    assert np.isnan(gone.suspicion[6])
    assert not gone.flagged[6]


def test_ties_keep_the_label_and_absent_classes_get_nothing():
    both = Neighbors(indices=[[1], [0]], similarities=[[1.0], [1.0]])
    found = label_propagation([0, 2], both, k=1, hops=1, stay=0.5, n_classes=5)
    np.testing.assert_allclose(found.suspicion, 0.5)
    assert not found.flagged.any()


def test_finds_planted_noise_better_than_chance_and_further_than_a_vote(planted):
    found = label_propagation(planted.labels, planted.features)
    assert (found.flagged == planted.wrong).mean() > 0.98
    assert (found.suggested_labels[planted.wrong] == planted.truth[planted.wrong]).mean() > 0.95


def test_component_reads_the_graph_and_features_where_it_mixes(planted):
    rows = slice(400)
    labels, features = planted.labels[rows], planted.features[rows].astype(np.float32)
    graph = nearest_neighbors(features, 8)
    dataset = Dataset(labels=labels, neighbors=graph, features=features)
    assert LabelPropagation().required_columns == ("neighbors",)
    detector = LabelPropagation(k=7, hops=2, stay=0.3, mix=0.5)
    assert detector.required_columns == ("neighbors", "features")
    expected = label_propagation(
        labels, graph, features=features, k=7, hops=2, stay=0.3, mix=0.5, ids=dataset.ids
    )
    assert detector.detect(dataset) == expected
    others = [
        {"k": 8, "hops": 2, "stay": 0.3, "mix": 0.5},
        {"k": 7, "hops": 3, "stay": 0.3, "mix": 0.5},
        {"k": 7, "hops": 2, "stay": 0.4, "mix": 0.5},
        {"k": 7, "hops": 2, "stay": 0.3, "mix": 1},
    ]
    for options in others:
        assert LabelPropagation(**options).detect(dataset) != expected
    with pytest.raises(InputError) as caught:
        label_propagation(labels, graph, k=7, mix=0.5)
    assert str(caught.value) == "a mix below 1 reads features: give them, or a mix of 1"
