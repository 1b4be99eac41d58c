"""Gradient tracing: against gradients written out, by autograd's rule, and on planted noise."""

import numpy as np
import pytest
from scipy.special import softmax

from adc_core import Dataset, Dynamics, InputError
from adc_plugins_detect import GradientTracing, gradient_tracing, linear_probe
from adc_plugins_detect.detectors.gradient_tracing import (
    equal_lengths,
    self_influence,
    softmax_layer,
)
from adc_plugins_detect.metrics.detection import rank_figures


@pytest.fixture(scope="module")
def small():
    """Nine samples, three classes, four features, two checkpoints."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(9, 4))
    tables = [softmax(rng.normal(size=(9, 3)), axis=1) for _ in range(2)]
    return features, tables, np.arange(9) % 3


def gradients(features, table, labels):
    """The loss of a softmax layer by its weights and bias, differences written out."""
    wide = np.column_stack([features, np.ones(len(features))])
    return np.einsum("nk,nd->nkd", table - np.eye(3)[labels], wide).reshape(len(labels), -1)


def test_gradients_are_those_of_the_loss(small):
    features, _, labels = small
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(3, 5))
    wide = np.append(features[0], 1)

    def loss(w):
        return -np.log(softmax(w @ wide)[labels[0]])

    table = softmax(weights @ np.column_stack([features, np.ones(9)]).T, axis=0).T
    exact = gradients(features, table, labels)[0].reshape(3, 5)
    for k, d in ((0, 0), (1, 3), (2, 4)):
        step = np.zeros((3, 5))
        step[k, d] = 1e-6
        slope = (loss(weights + step) - loss(weights - step)) / 2e-6
        assert exact[k, d] == pytest.approx(slope, abs=1e-6)


def test_influence_on_itself(small):
    features, tables, labels = small
    written = [(gradients(features, table, labels) ** 2).sum(axis=1) for table in tables]
    np.testing.assert_allclose(self_influence(features, tables[0], labels), written[0])
    for rates in (None, (1.0, 5.0)):
        total = sum(r * one for r, one in zip(rates or (1, 1), written, strict=True))
        found = gradient_tracing(labels, features, tables, learning_rates=rates)
        np.testing.assert_array_equal(found.suspicion * 8, total.argsort().argsort())
    stacked = gradient_tracing(labels, features, np.stack(tables, axis=1))
    assert stacked == gradient_tracing(labels, features, tables)
    assert stacked != gradient_tracing(labels, features, tables[0])


def test_opposition_to_trusted_samples(small):
    features, tables, labels = small
    trusted = np.full(9, -1)
    trusted[[2, 4, 7]] = [1, 1, 0]
    total = np.zeros(9)
    for table in tables:
        mine = gradients(features, table, labels)
        theirs = gradients(features, table, np.maximum(trusted, 0))[trusted >= 0]
        total -= (mine @ theirs.T).mean(axis=1)
    found = gradient_tracing(labels, features, tables, trusted=trusted)
    np.testing.assert_array_equal(found.suspicion * 8, total.argsort().argsort())


def test_epochs_in_which_a_sample_was_not_seen_do_not_count(small):
    features, tables, labels = small
    gaps = [table.copy() for table in tables]
    gaps[1][3] = np.nan
    found = gradient_tracing(labels, features, [gaps[0], tables[0]])
    again = gradient_tracing(labels, features, [tables[0]])
    assert found == again
    once = gradient_tracing(labels, features, gaps).suspicion
    assert np.isfinite(once).all()
    gaps[0][3] = np.nan
    with pytest.raises(InputError) as caught:
        gradient_tracing(labels, features, gaps)
    assert str(caught.value) == "probabilities: row 3 was seen in no checkpoint: leave it out"


def test_bad_input_is_named(small):
    features, tables, labels = small
    for options, message in (
        ({"learning_rates": [1.0]}, "learning_rates: expected 2 numbers above 0, one of each "),
        ({"trusted": labels[:3]}, "trusted: expected 9 classes 0…2, or -1 where none is known"),
        ({"trusted": np.full(9, -1)}, "trusted: no label is known to be right: give some, or "),
    ):
        with pytest.raises(InputError) as caught:
            gradient_tracing(labels, features, tables, **options)
        assert str(caught.value).startswith(message)
    with pytest.raises(InputError, match="probabilities: expected N × K"):
        gradient_tracing(labels, features, [tables[0], tables[1][:, :2]])


def test_the_layer_learns_and_its_gradients_are_traced(planted):
    labels, features = planted.labels[:400], planted.features[:400]
    rows = equal_lengths(features)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 4, rtol=1e-6)
    tables, rates = zip(*softmax_layer(labels, rows, 4), strict=True)
    np.testing.assert_allclose(tables[0], 0.25)
    loss = [-np.log(table[np.arange(400), labels]).mean() for table in tables]
    assert (np.diff(loss) < 0).all()
    assert len(set(rates)) == 1
    found = gradient_tracing(labels, features)
    assert found == gradient_tracing(labels, rows, list(tables), learning_rates=rates)
    assert gradient_tracing(labels, features, n_classes=6) != found
    with pytest.raises(InputError) as caught:
        gradient_tracing(labels, features, learning_rates=rates)
    assert str(caught.value) == "learning_rates are those of given probabilities: leave them out"
    same = np.zeros_like(features)
    assert (gradient_tracing(labels, same).suspicion >= 0).all()


def test_planted_noise_and_the_component(planted, tmp_path):
    rows = slice(800)
    labels, features = planted.labels[rows], planted.features[rows].astype(np.float32)
    wrong = planted.wrong[rows]
    dataset = Dataset(labels=labels, features=features)
    found = GradientTracing().detect(dataset)
    assert rank_figures(wrong, found.suspicion).roc_auc > 0.95
    listed = tmp_path / "trusted.txt"
    listed.write_text("\n".join(np.flatnonzero(~wrong)[:40].astype(str)))
    opposed = GradientTracing(trusted_samples=listed, flag_rate=0.3).detect(dataset)
    assert rank_figures(wrong, opposed.suspicion).roc_auc > 0.95
    assert opposed.flagged.sum() == 240
    known = linear_probe(labels, features).values
    logits = np.log(np.stack([known.clip(1e-4), known[::-1].clip(1e-4)], axis=1))
    curves = np.zeros((800, 2), np.float32)
    dynamics = Dynamics(
        epochs=[1, 2],
        given_probability=curves,
        margin=curves,
        loss=curves,
        correct=curves,
        logits=logits.astype(np.float16),
    )
    recorded = dataset.replace(dynamics=dynamics)
    first = GradientTracing(learning_rates=(1.0, 1e-6)).detect(recorded)
    assert rank_figures(wrong, first.suspicion).roc_auc > 0.95
    both = GradientTracing().detect(recorded)
    assert (
        rank_figures(wrong, both.suspicion).roc_auc < rank_figures(wrong, first.suspicion).roc_auc
    )
