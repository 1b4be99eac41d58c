import numpy as np
import pytest
import torch
from pydantic import ValidationError

from adc_core.errors import InputError
from adc_plugins_learn.learners.forward_correction import ForwardCorrection
from adc_plugins_learn.methods.transition import TransitionStrategy, estimate_transition

QUICK = {"image_size": 12, "batch_size": 8}


def waves():
    n, k = torch.arange(100.0).double()[:, None], torch.arange(3.0).double()
    return (3 * torch.sin(0.7 * (n + 1) * (k + 1))).softmax(dim=1)


@pytest.mark.parametrize(("name", "percentile"), [("argmax", None), ("pct97_copy", 97)])
def test_vectors(known, name, percentile):
    expected = known("transition_estimate", name).expected
    estimate = estimate_transition(waves(), percentile)
    np.testing.assert_allclose(estimate, expected["T_hat"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        estimate, waves()[expected["anchor_index"]], rtol=0, atol=1e-12
    )  # rows of the anchors


def test_leaving_outliers_out_of_one_class_leaves_others_as_they_are(known):
    expected = known("transition_estimate", "inplace_bug_shown").expected
    eta = torch.tensor(expected["inputs"]["eta"])
    np.testing.assert_allclose(estimate_transition(eta, 60), expected["T_copy"], atol=1e-6)


def test_exact_where_there_are_anchors():
    T = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]], dtype=torch.float64)
    clean = torch.cat([torch.eye(3), torch.rand(40, 3).softmax(dim=1)]).double()
    np.testing.assert_allclose(estimate_transition(clean @ T, None), T, rtol=1e-12)


class Fixed(torch.nn.Module):
    """Predicts the same for the samples, whatever they are."""

    def __init__(self, probabilities):
        super().__init__()
        self.logits = probabilities.log()


class Sampler:
    """What a strategy asks of the training set, with predictions given."""

    def __init__(self, labels):
        self.labels, self.n_classes, self.device = labels, 3, labels.device

    def evaluate(self, network):
        return network.logits


def matrices(source, epochs=3, labels=(0, 1, 2)):
    """The matrix of every epoch, from a network whose prediction does not change."""
    strategy = TransitionStrategy(lambda z, y, T: T, None, source, None)
    strategy.begin(Sampler(torch.tensor(labels)), epochs)
    seen = []
    for epoch in range(epochs):
        strategy.begin_epoch(epoch, [Fixed(waves())])
        seen.append(strategy.loss(None, Sampler(torch.tensor(labels)), epoch))
    return seen


def test_raw_forgets_frozen_keeps_composed_multiplies():
    first = estimate_transition(waves(), None).float()
    assert all(torch.equal(matrix, first) for matrix in matrices("raw") + matrices("frozen"))
    composed = matrices("composed")
    again = estimate_transition(waves() @ first.double(), None).float()
    assert torch.equal(composed[0], first)
    assert torch.equal(composed[1], again)


def test_a_class_that_nobody_has_keeps_its_row(squares):
    (matrix,) = matrices("raw", 1, labels=(0, 2, 2))
    assert matrix[1].tolist() == [0, 1, 0]
    dataset = squares.replace(classes=("red", "green", "blue", "none"))
    ForwardCorrection(epochs=2, **QUICK).learn(dataset)


def test_a_given_matrix_must_be_one():
    for rows in (((1, 0),), ((1, 0), (0.5, 0.4)), ((2, -1), (0, 1))):
        with pytest.raises(ValidationError) as error:
            ForwardCorrection(transition=rows)
        assert "transition must be square, without negative numbers, and each row sum to 1" in str(
            error.value
        )


def test_a_given_matrix_must_fit_the_classes(squares):
    learner = ForwardCorrection(transition=((1, 0), (0, 1)), epochs=1, **QUICK)
    with pytest.raises(InputError) as error:
        learner.learn(squares)
    assert str(error.value) == "transition has 2 rows: give one for each of the 3 classes"
