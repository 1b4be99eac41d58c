import logging
import re

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from adc_core import create
from adc_core.components.interfaces import Learner
from adc_core.errors import InputError
from adc_core.records.evidence import Probabilities
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.learners.forward_correction import ForwardCorrection
from adc_plugins_learn.methods.transition import (
    TransitionStrategy,
    count_transition,
    estimate_transition,
)

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


def test_labels_are_counted_of_the_surest():
    """Of class 0 the network is surest of the first ten samples, of class 1 of the last ten."""
    probabilities = torch.linspace(0.9, 0.1, 40)[:, None].double()
    probabilities = torch.cat([probabilities, 1 - probabilities], dim=1)
    labels = torch.tensor([0] * 8 + [1] * 2 + [0] * 10 + [1] * 10 + [0] * 3 + [1] * 7)
    T = count_transition(probabilities, labels, 0.25)
    assert T.tolist() == [[0.8, 0.2], [0.3, 0.7]]
    # Half of 21 and of 19 labels: eleven of the first samples, nine or, at least, ten of the last.
    assert count_transition(probabilities, labels, 0.5)[0].tolist() == [0.8, 0.2]


def test_counting_finds_the_noise_of_an_unsure_network():
    """Probabilities that are far too flat put samples in the right order all the same."""
    T = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]], dtype=torch.float64)
    truth = torch.arange(6000) % 3
    generator = torch.Generator().manual_seed(0)
    labels = torch.multinomial(T[truth], 1, generator=generator)[:, 0]
    logits = torch.nn.functional.one_hot(truth, 3) + 0.3 * torch.randn(6000, 3, generator=generator)
    flat = (0.5 * logits).double().softmax(dim=1)
    assert (count_transition(flat, labels) - T).abs().max() < 0.05
    assert (estimate_transition(flat) - T).abs().max() > 0.2


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


def test_the_matrix_is_that_of_the_best_warm_up_epoch(caplog):
    strategy = TransitionStrategy(lambda z, y, T: T, None, "frozen", None)
    strategy.begin(Sampler(torch.tensor([0, 1, 2])), 4)
    networks = [[Fixed(waves()[start:])] for start in range(3)]
    with caplog.at_level(logging.INFO):
        for network, accuracy in zip(networks, (0.5, 0.7, 0.6), strict=True):
            strategy.end_warm_up_epoch(network, False, accuracy)
    strategy.begin_epoch(3, networks[2])
    best = estimate_transition(waves()[1:], None).float()
    assert torch.equal(strategy.matrix, best)
    assert caplog.messages[-1].startswith(f"transition: mean diagonal {best.diagonal().mean():.3f}")
    again = TransitionStrategy(lambda z, y, T: T, None, "frozen", None)
    again.begin(Sampler(torch.tensor([0, 1, 2])), 4)
    again.load_state_dict(strategy.state_dict())
    again.end_warm_up_epoch(networks[0], True, 0.65)  # not better than what is kept
    assert torch.equal(again.matrix, best)


def test_a_matrix_that_tells_nothing_apart_is_warned_of():
    strategy = TransitionStrategy(lambda z, y, T: T, None, "frozen", None)
    strategy.begin(Sampler(torch.tensor([0, 1, 2])), 2)
    flat = torch.full((50, 3), 1 / 3)
    with pytest.warns(UserWarning, match=r"nearly singular \(mean diagonal 0\.33, condition"):
        strategy.end_warm_up_epoch([Fixed(flat)], True, None)


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


def test_a_matrix_from_a_file_or_a_detector(squares, tmp_path):
    T = np.array([[0.8, 0.1, 0.1], [0, 1, 0], [0.25, 0.25, 0.5]])
    np.save(tmp_path / "T.npy", T)
    np.savetxt(tmp_path / "T.csv", T, delimiter=",")
    for name in ("T.npy", "T.csv"):
        learner = ForwardCorrection(transition=tmp_path / name, epochs=1, warm_up=0, **QUICK)
        assert learner.strategy(squares).then.matrix.tolist() == torch.tensor(T).float().tolist()
    learner = create(
        Learner, {"use": "forward-correction", "transition": {"use": "confident-learning"}, **QUICK}
    )
    assert "probabilities" in learner.required_columns
    sure = np.full((len(squares), 3), 0.1, np.float32)
    sure[np.arange(len(squares)), squares.labels] = 0.8
    judged = squares.replace(probabilities=Probabilities(values=sure, origin="out of sample"))
    assert learner.strategy(judged).then.matrix.tolist() == torch.eye(3).tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,0\n0", "T.csv is no matrix (the number of columns changed"),
        ("1,0\n0,2", "T.csv must be square, without negative numbers, and each row sum to 1"),
        ("a,b\n", "T.csv is no matrix (could not convert string 'a'"),
    ],
)
def test_a_file_that_holds_no_matrix(squares, tmp_path, content, message):
    (tmp_path / "T.csv").write_text(content)
    with pytest.raises(InputError, match=re.escape(message)):
        ForwardCorrection(transition=tmp_path / "T.csv", **QUICK).learn(squares)


def test_a_detector_that_estimates_none_and_a_warm_up_of_nothing(squares):
    learner = create(
        Learner, {"use": "forward-correction", "transition": {"use": "small-loss"}, **QUICK}
    )
    dynamics = CrossEntropy(epochs=3, **QUICK).learn(squares).dynamics
    with pytest.raises(InputError, match=r"^small-loss estimates no transition matrix: use a "):
        learner.learn(squares.replace(dynamics=dynamics))
    with pytest.raises(InputError, match=r"^without an epoch of cross-entropy there is no network"):
        ForwardCorrection(warm_up=0, epochs=2, **QUICK).learn(squares)
