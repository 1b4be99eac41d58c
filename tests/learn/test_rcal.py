"""RCAL: a pull towards frozen features, and points drawn for rare classes."""

import numpy as np
import pytest
import torch

from adc_core import InputError, work_context
from adc_core.arrays import class_moments
from adc_plugins_learn import RepresentationCalibration
from adc_plugins_learn.learners.rcal import ClassPoints, feature_pull
from adc_plugins_learn.training.checkpoint import checkpoint_path, learned_from
from adc_plugins_learn.training.strategy import Strategy

QUICK = {"image_size": 12, "batch_size": 8, "epochs": 2, "backbone": "tiny-cnn"}


def test_the_pull_of_the_worked_example():
    features = torch.tensor([[0.265, -0.199], [1.458, -0.151]], dtype=torch.float64)
    frozen = torch.tensor([[1.458, -0.151], [0.066, 0.949]], dtype=torch.float64)
    assert feature_pull(features, frozen).mean().item() == pytest.approx(2.2866085, abs=1e-9)


def test_points_fill_up_rare_classes_as_their_gaussians_say():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 3], [60, 20, 10])
    points = (
        rng.normal(size=(90, 2)) * [1, 0.2] + np.array([[0, 0], [5, 0], [0, 0], [0, 5]])[labels]
    )
    moments = class_moments(labels, points)
    drawn = ClassPoints(moments, torch.bincount(torch.from_numpy(labels)))
    assert drawn.total == 40 + 50
    found, classes = drawn.draw(9000, torch.Generator().manual_seed(0))
    counts = torch.bincount(classes, minlength=4)
    assert counts[[0, 2]].tolist() == [0, 0]  # the largest lacks none; the absent has no Gaussian
    assert counts[1] / 9000 == pytest.approx(40 / 90, abs=0.02)
    for place, label in ((1, 1), (2, 3)):
        own = found[classes == label].double().numpy()
        np.testing.assert_allclose(own.mean(axis=0), moments.means[place], atol=0.1)
        np.testing.assert_allclose(np.cov(own.T), moments.covariances[place], atol=0.15)


def weights_of(dataset, folder, **options):
    with work_context(folder):
        network = RepresentationCalibration(**QUICK | options).learn(dataset).network
    return b"".join(value.numpy().tobytes() for value in network.state_dict().values())


def test_every_option_and_the_features_change_what_is_learned(squares, tmp_path):
    few = squares.take(np.flatnonzero((squares.labels < 2) | (np.arange(31) < 12)))
    plain = weights_of(few, tmp_path)
    assert weights_of(few, tmp_path) == plain
    for options in (
        {"beta": 0.1},
        {"alpha": 0.1},
        {"dimensions": 2},
        {"gamma": 0.0},
        {"heads": 1},
        {"adjust": "logit-adjustment"},
    ):
        assert weights_of(few, tmp_path, **options) != plain, options
    # In the same work folder: a checkpoint is not taken for one of other features.
    other = few.replace(features=few.features[:, ::-1] ** 2)
    assert weights_of(other, tmp_path) != plain


def test_checkpoints_know_the_features(squares, tmp_path):
    learner = RepresentationCalibration(**QUICK)
    other = squares.replace(features=squares.features + 1)
    with work_context(tmp_path):
        paths = {checkpoint_path(learner, Strategy, one, None) for one in (squares, other)}
    assert len(paths) == 2
    assert learned_from(squares) == learned_from(other)


def test_without_features_it_says_what_is_missing(squares):
    with pytest.raises(InputError, match="the dataset has none: add an encoder"):
        RepresentationCalibration(**QUICK).learn(squares.replace(features=None))
