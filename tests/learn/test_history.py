import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adc_plugins_learn.training.history import History


def direct(logits, labels):
    """The same four columns, in float64 and by their definitions."""
    rows = np.arange(len(labels))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probability = (exponentials / exponentials.sum(axis=1, keepdims=True))[rows, labels]
    others = logits.copy()
    others[rows, labels] = -np.inf
    margin = logits[rows, labels] - others.max(axis=1)
    return probability, margin, -np.log(probability), logits.argmax(axis=1) == labels


def note(history, rows, logits, labels, epoch=0, accuracy=None):
    """An epoch of one step."""
    history.begin_epoch(epoch)
    history.record(rows, logits, labels)
    history.end_epoch(epoch, accuracy)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_columns_are_those_of_the_logits(classes):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 3, (20, classes)), rng.integers(0, classes, 20)
    history = History(20, 1, classes)
    history.begin_epoch(0)
    for rows in np.split(rng.permutation(20), [7, 14]):
        at = torch.from_numpy(rows)
        history.record(at, torch.from_numpy(logits)[at], torch.from_numpy(labels)[at])
    history.end_epoch(0, None)
    seen = history.dynamics()
    probability, margin, loss, correct = direct(logits, labels)
    np.testing.assert_allclose(seen.given_probability[:, 0], probability, rtol=1e-5)
    np.testing.assert_allclose(seen.margin[:, 0], margin, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen.loss[:, 0], loss, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(seen.correct[:, 0], correct)
    (epoch,) = history.epochs
    assert epoch.loss == pytest.approx(loss.mean(), rel=1e-6)
    assert epoch.accuracy == pytest.approx(correct.mean(), rel=1e-6)


def test_margin_of_two_classes_is_the_difference_of_their_logits():
    history = History(2, 1, 3)
    logits = torch.tensor([[3.0, 1.0], [3.0, 1.0]])
    note(history, torch.tensor([1, 0]), logits, torch.tensor([0, 1]))
    assert history.dynamics().margin.tolist() == [[-2.0], [2.0]]


def test_of_equal_logits_the_first_class_is_predicted():
    history = History(2, 1, 3)
    note(history, torch.tensor([0, 1]), torch.zeros(2, 3), torch.tensor([0, 1]))
    assert history.dynamics().correct.tolist() == [[1.0], [0.0]]


@given(arrays(np.float32, (3, 4), elements=st.floats(-(2.0**90), 2.0**90, width=32)))
def test_columns_are_finite_for_very_large_logits(logits):
    history = History(3, 1, 4)
    note(history, torch.arange(3), torch.from_numpy(logits), torch.tensor([0, 1, 3]))
    seen = history.dynamics()  # refuses what is not finite
    assert seen.loss.min() >= 0
    assert 0 <= seen.given_probability.min() <= seen.given_probability.max() <= 1


def test_each_epoch_has_its_own_column():
    history = History(1, 3, 3)
    for epoch in range(3):
        logits = torch.tensor([[float(epoch), 0.0]])
        note(history, torch.tensor([0]), logits, torch.tensor([0]), epoch, epoch / 4)
    assert history.dynamics().epochs.tolist() == [1, 2, 3]
    assert history.dynamics().margin.tolist() == [[0.0, 1.0, 2.0]]
    assert [epoch.epoch for epoch in history.epochs] == [1, 2, 3]
    assert [epoch.validation_accuracy for epoch in history.epochs] == [0, 0.25, 0.5]


def test_a_restored_history_goes_on():
    logits, labels = torch.tensor([[2.0, 1.0], [0.5, 0.0]]), torch.tensor([0, 1])
    whole, first = History(2, 2, 3), History(2, 2, 3)
    for history in (whole, first):
        note(history, torch.arange(2), logits, labels)
    second = History(2, 2, 3)
    second.load_state_dict(first.state_dict())
    for history in (whole, second):
        note(history, torch.arange(2), -logits, labels, 1, 0.5)
    assert second.dynamics() == whole.dynamics()
    assert second.epochs == whole.epochs


def test_logits_on_request():
    logits, labels = torch.tensor([[3.0, 1e9], [-1.0, 2.5]]), torch.tensor([0, 1])
    history = History(2, 3, 2, keep_logits=True)
    note(history, torch.arange(2), logits * 0, labels)
    note(history, torch.tensor([1, 0]), logits.flip(0), labels.flip(0), 1)
    kept = history.dynamics().logits
    assert kept.shape == (2, 3, 2)
    assert kept[:, 1].tolist() == [[3.0, 65504.0], [-1.0, 2.5]]
    assert not kept[:, [0, 2]].any()
    again = History(2, 3, 2, keep_logits=True)
    again.load_state_dict(history.state_dict())
    np.testing.assert_array_equal(again.dynamics().logits, kept)


@given(arrays(np.float32, (3, 4), elements=st.floats(-100, 100, width=32)))
def test_kept_logits_give_the_columns(logits):
    history, labels = History(3, 1, 4, keep_logits=True), np.array([0, 1, 3])
    note(history, torch.arange(3), torch.from_numpy(logits), torch.from_numpy(labels))
    seen = history.dynamics()
    margin = direct(seen.logits[:, 0].astype(np.float64), labels)[1]
    np.testing.assert_allclose(
        seen.margin[:, 0], margin, atol=0.0626
    )  # two numbers, half a step each


def test_what_an_epoch_leaves_out_stays_as_it_was():
    history = History(3, 2, 4, keep_logits=True)
    logits, labels = torch.tensor([[1.0, 0, 0, 0], [0, 3.0, 0, 0]]), torch.tensor([0, 1])
    note(history, torch.tensor([0, 1]), logits, labels)
    note(history, torch.tensor([1]), -logits[1:], labels[1:], 1)
    seen = history.dynamics()
    np.testing.assert_allclose(seen.given_probability[2], 1 / 4)
    np.testing.assert_allclose(seen.loss[2], np.log(4), rtol=1e-6)
    assert seen.margin[:, 1].tolist() == [1, -3, 0]
    assert seen.logits[0, 0].tolist() == seen.logits[0, 1].tolist() == [1, 0, 0, 0]
