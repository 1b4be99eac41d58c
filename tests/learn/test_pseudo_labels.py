"""Labels that a first training predicts for images without one."""

import numpy as np
import pytest

from adc_core import Learner, Predictions, registry, work_context
from adc_plugins_learn import CrossEntropy, NetworkModel, PseudoLabels

QUICK = {"image_size": 12, "batch_size": 8, "epochs": 2, "backbone": "tiny-cnn"}


@pytest.fixture(scope="module")
def half(squares):
    """Every other square has a wrong label that does not count."""
    aside = np.arange(31) % 2 > 0
    return squares.replace(
        labels=np.where(aside, (squares.labels + 1) % 3, squares.labels),
        columns={"unlabeled": aside},
    )


def bytes_of(model):
    return b"".join(value.numpy().tobytes() for value in model.network.state_dict().values())


def test_without_samples_set_aside_it_is_cross_entropy(squares, learned):
    assert learned(PseudoLabels(**QUICK).learn(squares)) == learned(
        CrossEntropy(**QUICK).learn(squares)
    )


def test_labels_that_were_set_aside_are_never_learned(half, tmp_path):
    other = half.replace(labels=np.where(half.labeled, half.labels, 0))
    found, told = [], []
    for dataset in (half, other):
        with work_context(tmp_path / str(len(found)), lambda *done: told.append(done)):
            found.append(bytes_of(PseudoLabels(**QUICK).learn(dataset)))
    assert found[0] == found[1]
    # Two epochs of two steps on 16 squares, then two of four on all.
    of_one = [(done, total) for done, total, _ in told[: len(told) // 2]]
    assert of_one[:4] == [(1, 8), (2, 8), (3, 8), (4, 8)]
    assert of_one[4:] == [(9, 16), *((done, 16) for done in range(10, 17))]
    with work_context(tmp_path / "0", lambda *done: told.append(done)):
        count = len(told)
        assert bytes_of(PseudoLabels(**QUICK).learn(half)) == found[0]
    assert len(told) == count  # both trainings are finished there


class Sure(Learner):
    """Predicts the second class of all images, surely of every other one."""

    model = NetworkModel

    def learn(self, dataset, validation=None):
        """Note what it is given."""
        type(self).given = dataset
        return self

    def predict(self, images):
        """Predict .9 or .5."""
        p = np.full((len(images), 3), 0.05)
        p[:, 1] = 0.9
        p[1::2] = [0.25, 0.5, 0.25]
        return Predictions(probabilities=p.astype(np.float32), classes=("red", "green", "blue"))


@pytest.fixture
def sure(monkeypatch):
    monkeypatch.setitem(registry._added, ("learners", "sure"), Sure)
    return Sure()


def test_predictions_become_labels_where_they_are_sure(half, sure, tmp_path):
    everything = PseudoLabels(**QUICK, learner=sure)._predicted(half, None)
    assert everything.labeled.all()
    assert (everything.labels[1::2] == 1).all()
    np.testing.assert_array_equal(everything.labels[::2], half.labels[::2])
    assert len(Sure.given) == 16 and Sure.given.labeled.all()
    some = PseudoLabels(**QUICK, learner=sure, min_confidence=0.6)._predicted(half, None)
    assert (~some.labeled).sum() == 7
    assert some.labeled[1] and not some.labeled[3]
    model = PseudoLabels(**QUICK, learner=sure, min_confidence=0.6).learn(half)
    assert model.dynamics.loss.shape == (31, 2)


def test_every_option_changes_what_is_learned(half, sure):
    found = {
        bytes_of(PseudoLabels(**QUICK, **options).learn(half))
        for options in (
            {},
            {"learner": sure},
            {"learner": sure, "min_confidence": 0.6},
            {"learner": sure, "unlabeled_weight": 0.5},
        )
    }
    assert len(found) == 4


def test_some_may_be_held_out(half):
    model = PseudoLabels(**QUICK, validation_fraction=0.3).learn(half)
    assert model.history[-1].validation_accuracy is not None
