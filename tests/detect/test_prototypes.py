"""Prototypes: the worked example, two senses of a word, missing texts and options."""

import numpy as np
import pytest

from adc_core import Dataset, InputError, Neighbors
from adc_plugins_detect import Prototypes, nearest_neighbors, prototypes
from adc_plugins_detect.detectors.prototypes import choose_seeds, text_match
from adc_plugins_detect.knn.graph import symmetric_graph
from adc_plugins_detect.metrics.detection import rank_figures


@pytest.fixture
def example(vectors):
    known = {name: np.array(value) for name, value in vectors["prototypes"].items()}
    definitions = known["definitions"]
    definitions /= np.linalg.norm(definitions, axis=1, keepdims=True)
    unit = known["text"] / np.linalg.norm(known["text"], axis=1, keepdims=True)
    graph = Neighbors(indices=known["neighbours"], similarities=known["similarities"])
    return known | {"fit": unit @ definitions.T, "graph": graph}


def test_text_and_seeds_of_the_worked_example(example, vectors):
    graph = symmetric_graph(example["neighbours"], example["similarities"])
    # The example smooths texts of nearly unit length as they are.
    match = text_match(example["labels"], example["text"], example["fit"], graph, 1.0)
    np.testing.assert_allclose(match, example["text_match"], atol=1e-3)
    chosen = choose_seeds(example["labels"], example["text_match"], 3, 2)
    seeds = vectors["prototypes"]["seeds"]
    assert np.flatnonzero(chosen).tolist() == sorted(seeds["0"] + seeds["1"] + seeds["2"])


def test_worked_example(example):
    found = prototypes(
        example["labels"],
        example["features"],
        example["text"],
        example["fit"],
        neighbors=example["graph"],
        probabilities=example["probabilities"],
        k=3,
        seeds=2,
    )
    rows, labels = np.arange(12), example["labels"]
    np.testing.assert_allclose(found.suspicion, 1 - example["soft"][rows, labels], atol=1e-4)
    seed = np.isin(rows, [2, 0, 6, 5, 7, 8])
    other = example["changed"] & (example["new_labels"] != labels) & ~seed
    np.testing.assert_array_equal(found.flagged, (~example["clean"] & ~seed) | other)
    assert found.suggested_labels.tolist() == np.where(other, example["new_labels"], -1).tolist()


@pytest.fixture(scope="module")
def drumsticks():
    """Class 0 is the instrument, and of its images the larger part is food; class 1 is cups."""
    rng = np.random.default_rng(0)
    sense = rng.permutation(np.repeat([0, 2, 1], [70, 90, 140]))  # instrument, food, cup
    labels = np.where(sense == 1, 1, 0)
    features = 2 * np.eye(3, 12)[sense] + 0.5 * rng.normal(size=(300, 12))
    text = 2 * np.eye(3, 8)[sense] + 0.5 * rng.normal(size=(300, 8))
    text[rng.random(300) < 0.5] = 0
    unit = text / np.maximum(np.linalg.norm(text, axis=1, keepdims=True), 1e-9)
    return features, labels, text, unit @ np.eye(3, 8)[:2].T, sense == 2


def auc(found, wrong):
    return rank_figures(wrong, found.suspicion).roc_auc


def test_two_senses_of_a_word(drumsticks):
    features, labels, text, fit, wrong = drumsticks
    graph = nearest_neighbors(features, 5)
    match = text_match(labels, text, fit, symmetric_graph(*graph.first(5)), 1.0)
    assert not wrong[choose_seeds(labels, match, 2, 20)].any()
    found = prototypes(labels, features, text, fit, seeds=20)
    # Without texts that tell senses apart, the larger sense defines the class.
    without = prototypes(labels, features, np.ones_like(text), np.ones_like(fit), seeds=20)
    instrument = labels == 0
    assert auc(found, wrong) > 0.95
    chosen = found.suspicion[instrument], without.suspicion[instrument]
    better, worse = (rank_figures(wrong[instrument], one).roc_auc for one in chosen)
    assert better > worse + 0.1
    assert found.flagged[wrong].mean() > found.flagged[~wrong].mean()


def test_missing_texts_and_small_classes(drumsticks):
    features, labels, text, fit, _ = drumsticks
    with pytest.raises(InputError) as caught:
        prototypes(labels, features, np.zeros_like(text), fit)
    assert str(caught.value) == (
        "no sample has a text: give titles, or take a detector without them"
    )
    labels = labels.copy()
    labels[-1] = 2
    fit = np.column_stack([fit, fit[:, 0]])
    with pytest.warns(UserWarning, match="1 of 3 classes have no seed"):
        found = prototypes(labels, features, text, fit)
    assert found.covered.all()
    with pytest.raises(InputError, match="text: row 3 is not finite"):
        prototypes(labels, features, np.where(np.arange(300)[:, None] == 3, np.nan, text), fit)


def test_every_option_counts(drumsticks):
    features, labels, text, fit, _ = drumsticks
    half = np.full((300, 2), 0.5, np.float32)
    columns = {"text_features": text, "caption_class_similarity": fit}
    dataset = Dataset(
        labels=labels,
        features=features.astype(np.float32),
        neighbors=nearest_neighbors(features, 8),
        probabilities=half,
        columns=columns,
    )
    found = Prototypes(seeds=20).detect(dataset)
    for options in (
        {"seeds": 3},
        {"seeds": 20, "k": 8},
        {"seeds": 20, "self_weight": 0},
        {"seeds": 20, "alpha": 0},
        {"seeds": 20, "temperature": 1},
        {"seeds": 20, "min_confidence": 1},
    ):
        assert Prototypes(**options).detect(dataset) != found, options
    alone = Prototypes(seeds=20, alpha=0).detect(dataset)
    assert alone == Prototypes(seeds=20).detect(dataset.replace(probabilities=None))
    for name in columns:
        left = {key: value for key, value in columns.items() if key != name}
        with pytest.raises(InputError) as caught:
            Prototypes().detect(dataset.replace(columns=left))
        assert str(caught.value) == (
            f'the dataset has no column "{name}": the enricher image-text adds it'
        )
