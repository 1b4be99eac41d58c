"""Methods for noisy labels beside parts for long tails, in one training."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from adc_core import Dataset, ImageArray, InputError, Learner
from adc_core.components import ResultFault, create, registry
from adc_plugins_learn import (
    CoTeaching,
    CrossEntropy,
    DivideMix,
    GeneralizedCrossEntropy,
    LogitAdjustment,
    NetworkModel,
    Posthoc,
    PosthocLogitAdjustment,
)

QUICK = {"epochs": 2, "image_size": 8, "batch_size": 8, "backbone": "tiny-cnn"}
LEARNERS = [entry.full_name for entry in registry.entries("learners")]


def tailed(seed, counts=(300, 60, 12), noise=0.2):
    """Patterns under noise, a long tail, and labels of which a part is wrong."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(0).integers(60, 190, (3, 8, 8, 3))
    truth = np.repeat(np.arange(3), counts)
    pixels = patterns[truth] + rng.normal(0, 70, (len(truth), 8, 8, 3))
    wrong = rng.random(len(truth)) < noise
    labels = np.where(wrong, (truth + rng.integers(1, 3, len(truth))) % 3, truth)
    images = ImageArray(pixels.clip(0, 255).astype(np.uint8))
    return Dataset(images=images, labels=labels, classes=("a", "b", "c"))


FORGETTING = {"epochs": 12, "image_size": 8, "batch_size": 32, "backbone": "tiny-cnn"}
FORGETTING |= {"forget_rate": 0.2, "gradual_epochs": 3, "augment": ()}


@pytest.fixture(scope="module")
def noisy_tail():
    return tailed(1), tailed(2, (200, 200, 200), 0)


@pytest.fixture(scope="module")
def plain(noisy_tail):
    """How many of the tail co-teaching finds by itself."""
    return tail_recall(CoTeaching(**FORGETTING), noisy_tail)


def tail_recall(learner, sets):
    train, test = sets
    predicted = learner.learn(train).predict(test.images).labels
    return (predicted == test.labels)[test.labels == 2].mean()


def test_co_teaching_with_balanced_softmax_keeps_the_tail(noisy_tail, plain):
    method = CoTeaching(**FORGETTING, criterion={"use": "balanced-softmax"})
    balanced = tail_recall(method, noisy_tail)
    assert balanced > plain + 0.2  # 0.85 against 0.47


def test_forgetting_within_classes_keeps_the_tail(noisy_tail, plain):
    within = tail_recall(CoTeaching(**FORGETTING, within_classes=True), noisy_tail)
    assert within > plain + 0.2  # 0.89 against 0.47


def test_dividing_within_classes_keeps_the_tail(noisy_tail):
    options = {"epochs": 12, "image_size": 8, "batch_size": 32, "backbone": "tiny-cnn"}
    options |= {"warm_up": 0.3, "augment": ()}
    plain = tail_recall(DivideMix(**options), noisy_tail)
    within = tail_recall(DivideMix(**options, within_classes=True), noisy_tail)
    assert within > plain + 0.2  # 0.56 against 0.05


@pytest.mark.parametrize("name", LEARNERS)
def test_every_method_takes_a_criterion_or_says_that_it_does_not(squares, name, learned):
    method = registry.load(Learner, name)
    options = {**QUICK, "seed": 1}
    if not method.takes_criterion:
        with pytest.raises(ValidationError, match="has a loss of its own and takes no balanced"):
            method(**options, criterion="balanced-softmax")
        return
    few = squares.take(np.flatnonzero((squares.labels > 0) | (np.arange(31) < 6)))
    plain = method(**options).learn(few)
    other = method(**options, criterion="balanced-softmax").learn(few)
    assert learned(plain) != learned(other), "the criterion changes nothing"


def test_an_adjustment_of_cross_entropy_is_balanced_softmax(squares):
    few = squares.take(np.flatnonzero((squares.labels > 0) | (np.arange(31) < 6)))
    criterion = CrossEntropy(**QUICK, criterion="balanced-softmax").learn(few)
    adjusted = CrossEntropy(**QUICK, adjust="logit-adjustment").learn(few)
    for one, other in zip(
        criterion.network.parameters(), adjusted.network.parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_an_adjustment_goes_with_a_loss_of_its_own(squares, learned):
    few = squares.take(np.flatnonzero((squares.labels > 0) | (np.arange(31) < 6)))
    plain = GeneralizedCrossEntropy(**QUICK).learn(few)
    none = GeneralizedCrossEntropy(**QUICK, adjust=LogitAdjustment(tau=0)).learn(few)
    some = GeneralizedCrossEntropy(**QUICK, adjust="logit-adjustment").learn(few)
    assert learned(plain) == learned(none)
    assert learned(plain) != learned(some)


def test_post_hoc_it_shifts_and_is_saved(squares, tmp_path):
    few = squares.take(np.flatnonzero((squares.labels > 0) | (np.arange(31) < 6)))
    plain = CrossEntropy(**QUICK).learn(few)
    model = CrossEntropy(**QUICK, posthoc="logit-adjustment").learn(few)
    prior = np.bincount(few.labels) / len(few)
    np.testing.assert_allclose(
        model.logits(few.images), plain.logits(few.images) - np.log(prior), rtol=1e-5, atol=1e-5
    )
    model.save(tmp_path / "model")
    again = NetworkModel.load(tmp_path / "model")
    assert again.shift == model.shift
    before, after = (one.predict(few.images).probabilities for one in (model, again))
    np.testing.assert_array_equal(before, after)
    calibrated = again.calibrated(few)
    assert (calibrated.predict(few.images).labels == again.predict(few.images).labels).all()


def test_post_hoc_as_published(long_tail):
    known = long_tail
    shift = PosthocLogitAdjustment().shift(
        np.empty((0, 3), np.float32), np.empty(0, np.int64), np.array(known["counts"], np.float32)
    )
    np.testing.assert_allclose(np.array(known["logits"]) + shift, known["posthoc_tau1"])


def test_post_hoc_a_class_without_samples_gains_nothing():
    shift = PosthocLogitAdjustment().shift(
        np.empty((0, 3), np.float32), np.empty(0, np.int64), np.array([30, 10, 0], np.float32)
    )
    np.testing.assert_allclose(shift, -np.log([0.75, 0.25, 0.75]))


class Fitted(Posthoc):
    """Says what it was shown."""

    wrong: bool = False

    def shift(self, logits, labels, class_counts):
        """Return how many held-out samples each class has."""
        return np.zeros(2) if self.wrong else np.bincount(labels, minlength=len(class_counts)) * 1.0


def test_what_is_fitted_needs_samples_that_were_held_out(squares):
    with pytest.raises(InputError, match="posthoc: Fitted is fitted on held-out samples"):
        CrossEntropy(**QUICK, posthoc=Fitted()).learn(squares)
    model = CrossEntropy(**QUICK, posthoc=Fitted(), validation_fraction=0.3).learn(squares)
    assert sum(model.shift) == 9


def test_a_shift_of_the_wrong_size_is_refused(squares):
    with pytest.raises(ResultFault, match="a shift of logits is 3 finite numbers"):
        CrossEntropy(**QUICK, posthoc=Fitted(wrong=True), validation_fraction=0.3).learn(squares)


def test_parts_are_named_in_a_file():
    table = {"use": "co-teaching", "criterion": {"use": "class-weighted", "after": 0.8}}
    table |= {"sampler": "class-balanced", "posthoc": "logit-adjustment"}
    learner = create(Learner, table)
    written = learner.model_dump(mode="json")
    assert written["criterion"]["use"] == "adc-plugins-learn/class-weighted"
    options = {key: value for key, value in written.items() if key != "use"}
    assert type(learner).model_validate(options) == learner
