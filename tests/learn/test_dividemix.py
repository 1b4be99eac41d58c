import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from adc_plugins_learn.learners import dividemix
from adc_plugins_learn.learners.dividemix import DivideMix
from adc_plugins_learn.methods.dividemix_losses import (
    balanced_subset,
    clean_probability,
    clean_probability_within,
    guessed_targets,
    negative_entropy,
    normalized,
    refined_targets,
    semi_supervised_loss,
    sharpened,
    unlabeled_weight_at,
)
from adc_plugins_learn.training.data.augment.steps import build_augmentation
from adc_plugins_learn.training.data.image_source import InMemoryImages
from adc_plugins_learn.training.data.normalize import channel_statistics
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.networks.backbones import build_backbone

QUICK = {"image_size": 12, "epochs": 3, "batch_size": 8}


def refined(case, temperature=0.5):
    clean = torch.tensor([0.9, 0.3, 1, 0], dtype=torch.float64)
    return refined_targets((case.Z, case.Z2), case.y, clean, temperature)


def guessed(case, temperature=0.5):
    return guessed_targets((case.Z, case.Z2, case.ZP, case.ZP.flip(0)), temperature)


def test_targets(known):
    case = known("dividemix", "co_refine")
    np.testing.assert_allclose(refined(case, 1), case.expected["mixed_before_sharpen"], atol=1e-9)
    np.testing.assert_allclose(refined(case), case.expected["targets_x"], atol=1e-9)
    case = known("dividemix", "co_guess")
    np.testing.assert_allclose(guessed(case, 1), case.expected["mean_p"], atol=1e-9)
    np.testing.assert_allclose(guessed(case), case.expected["targets_u"], atol=1e-9)
    assert not refined(case).requires_grad
    assert not guessed(case).requires_grad


def test_semi_supervised_loss(known):
    case = known("dividemix", "semi_loss")
    logits, targets = torch.cat([case.Z, case.ZP]), torch.cat([refined(case), guessed(case)])
    case.agrees(semi_supervised_loss(logits, targets, 4, 3.125))


def test_negative_entropy(known):
    case = known("dividemix", "neg_entropy")
    case.agrees(negative_entropy(case.Z))


def test_sharpening_at_one_changes_nothing():
    p = torch.tensor([[0.2, 0.8], [0.5, 0.5]])
    torch.testing.assert_close(sharpened(p, 1), p)


def test_ramp(known):
    plan = known().schedules["dividemix_rampup"]["at"]
    assert [unlabeled_weight_at(float(e), 25, 10) for e in plan] == pytest.approx([*plan.values()])


def begun(dataset, **options):
    """A strategy on a training set of its own, and two networks."""
    learner = DivideMix(**QUICK | options)
    pixels = torch.from_numpy(dataset.images.resized(12).copy())
    mean, std = channel_statistics([pixels])
    sampler = TrainingSampler(
        InMemoryImages(pixels),
        torch.from_numpy(dataset.labels.copy()),
        3,
        batch_size=learner.batch_size,
        augmentation=build_augmentation(None, learner.max_translation, learner.horizontal_flip),
        seed=learner.seed,
        mean=mean,
        std=std,
    )
    strategy = learner.strategy(dataset)
    strategy.begin(sampler, learner.epochs)
    networks = [build_backbone("small-cnn", 3) for _ in range(2)]
    return strategy, networks


def bytes_of(network):
    return b"".join(value.numpy().tobytes() for value in network.state_dict().values())


def test_each_network_learns_on_the_others_division(squares):
    strategy, networks = begun(squares)
    logits = strategy.begin_epoch(1, networks)
    assert logits.shape == (31, 3)
    strategy._clean = [torch.zeros(31).double(), torch.zeros(31).double()]
    strategy._clean[0][:10], strategy._clean[1][10:30] = 1, 1
    plans = strategy.plan_epoch(1)
    rows = [torch.cat([p.rows for p in plans if p.network_index == number]) for number in range(2)]
    assert sorted(rows[0].tolist()) == list(range(10, 30))
    assert sorted(rows[1].tolist()) == list(range(10))
    for plan in plans:
        division = range(10, 30) if plan.network_index == 0 else range(10)
        assert not set(plan.extra_rows.tolist()) & set(division)


def test_the_other_network_stays_as_it_is(squares):
    strategy, networks = begun(squares)
    for network in networks:
        network.train()
    strategy.begin_epoch(1, networks)
    plan = strategy.plan_epoch(1)[0]
    before = [bytes_of(network) for network in networks]
    step = strategy.step(plan, networks, 1)
    step.objective.backward()
    assert all(parameter.grad is not None for parameter in networks[0].parameters())
    assert all(parameter.grad is None for parameter in networks[1].parameters())
    assert bytes_of(networks[0]) != before[0]  # the statistics of its BatchNorm
    assert bytes_of(networks[1]) == before[1]
    assert networks[1].training


@pytest.mark.parametrize("clean", [0, 1])
def test_where_no_label_looks_right_or_all_do(squares, clean):
    strategy, networks = begun(squares)
    strategy.begin_epoch(1, networks)
    strategy._clean = [torch.full((31,), float(clean))] * 2
    plans = strategy.plan_epoch(1)
    assert sum(len(p.rows) for p in plans if p.network_index == 0) == (31 if clean else 8)
    assert (plans[0].extra_rows is None) == bool(clean)
    assert torch.isfinite(strategy.step(plans[0], networks, 1).objective)


def test_losses_of_several_epochs_are_averaged(squares):
    strategy, networks = begun(squares, remembered_epochs=2)
    for epoch in (1, 2, 3):
        strategy.begin_epoch(epoch, networks)
    assert [len(past) for past in strategy.state_dict()["past"]] == [2, 2]


def test_a_class_out_of_use_costs_much_but_not_everything():
    logits = torch.tensor([[0.0, 0, -1000]] * 4, requires_grad=True)
    targets = torch.tensor([[0.5, 0.5, 0]] * 4)
    loss = semi_supervised_loss(logits, targets, 4, 0)
    # Cross-entropy log 2; KL of a third each: (2·log(2/3) + log(1/3) + 1000 + log 2) / 3.
    expected = math.log(2) + (2 * math.log(2 / 3) + math.log(2 / 3) + 1000) / 3
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    loss.backward()
    assert (logits.grad[:, 2] < -0.05).all()  # it is pushed back into use


def test_the_other_network_guesses_both_views_in_one_pass(squares, monkeypatch):
    """The targets are those of two passes, and the learner's BatchNorm sees four batches."""
    strategy, networks = begun(squares)
    for network in networks:
        network.train()
    strategy.begin_epoch(1, networks)
    # A quarter of the labels look right, so that others are guessed.
    strategy._clean = [torch.tensor([1.0, 0, 0, 0] * 8)[:31].double()] * 2
    plan = strategy.plan_epoch(1)[0]
    seen, taken = [], []
    networks[1].register_forward_hook(lambda module, given, _: seen.append(len(given[0])))
    monkeypatch.setattr(dividemix, "guessed_targets", lambda views, _: taken.extend(views))
    drawn, batch = [], strategy.sampler.batch
    monkeypatch.setattr(
        strategy.sampler, "batch", lambda rows: drawn.append(batch(rows)) or drawn[-1]
    )
    counts = networks[0].features[0][1].num_batches_tracked
    before = int(counts)
    with pytest.raises(TypeError):  # there are no targets to go on with
        strategy.step(plan, networks, 1)
    assert int(counts) - before == 4
    assert seen == [2 * len(plan.extra_rows)]
    views = [made.images for made in drawn[2:]]
    with torch.no_grad():
        networks[1].eval()
        each = [networks[1](view) for view in views]
    for found, expected in zip(taken[2:], each, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_a_balanced_subset():
    labels = torch.tensor([0] * 20 + [1] * 5 + [2] * 2)
    generator = torch.Generator().manual_seed(0)
    rows = balanced_subset(labels, 12, 3, generator)
    assert torch.bincount(labels[rows]).tolist() == [4, 4, 2]
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert not torch.equal(rows, balanced_subset(labels, 12, 3, generator))
    assert len(balanced_subset(labels, 4, 3, generator)) == 4
    assert len(balanced_subset(labels, 300, 3, generator)) == 27


def test_each_network_judges_a_subset_of_its_own(squares):
    strategy, networks = begun(squares, balanced_batches=2)
    logits = strategy.begin_epoch(1, networks)
    subsets = strategy._subsets
    assert [len(subset) for subset in subsets] == [16, 16]
    assert not torch.equal(*subsets)
    labels = torch.from_numpy(squares.labels.copy())
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")[subsets[0]]
    found = strategy._clean[0]
    torch.testing.assert_close(found[subsets[0]], clean_probability(normalized(losses)))
    assert int((found < 0).sum()) == 15
    plans = strategy.plan_epoch(1)
    for number in range(2):  # on the other's
        rows = torch.cat([p.all_rows for p in plans if p.network_index == number])
        assert set(rows.tolist()) <= set(subsets[1 - number].tolist())


def test_the_warm_up_takes_a_subset_twice_as_large(squares):
    strategy, _ = begun(squares, balanced_batches=1)
    plans = strategy.plan_epoch(0)
    assert [len(plan.rows) for plan in plans] == [16, 16]


def test_without_blends_of_images_that_have_no_labels(squares):
    strategy, networks = begun(squares, unlabeled_blends=False)
    strategy.begin_epoch(1, networks)
    strategy._clean = [torch.tensor([1.0, 0, 0, 0] * 8)[:31].double()] * 2
    plan = strategy.plan_epoch(1)[0]
    images, targets, labeled = strategy._blend(plan, *networks)
    assert len(images) == len(targets) == labeled == 2 * len(plan.rows)


def test_a_weight_without_anything_to_weigh():
    with pytest.raises(ValidationError) as error:
        DivideMix(unlabeled_blends=False, unlabeled_weight=1)
    assert "unlabeled_weight needs unlabeled_blends: set one of them otherwise" in str(error.value)


def test_preset_of_the_paper():
    learner = DivideMix(preset="adc", device="cpu")
    assert (learner.learning_rate, learner.step_epochs, learner.step_factor) == (0.002, 10, 0.1)
    assert (learner.warm_up, learner.alpha, learner.unlabeled_weight) == (0.05, 0.5, 0)
    assert (learner.balanced_batches, learner.unlabeled_blends) == (1000, False)


def uneven_losses():
    """A large label of small losses, a rare one of large losses, and one of five samples."""
    rng = np.random.default_rng(0)
    right = [rng.normal(mean, 0.05, n) for mean, n in ((0.2, 300), (1.2, 16), (2.0, 5))]
    wrong = [rng.normal(mean, 0.05, n) for mean, n in ((1.1, 60), (2.2, 4))]
    losses = torch.from_numpy(np.concatenate([*right, *wrong]))
    labels = torch.tensor([0] * 300 + [1] * 16 + [2] * 5 + [0] * 60 + [1] * 4)
    return losses, labels, torch.arange(len(losses)) < 321


def test_a_rare_label_is_judged_by_its_own_losses():
    losses, labels, right = uneven_losses()
    assert not (clean_probability(normalized(losses))[labels == 1] > 0.5).any()
    clean = clean_probability_within(losses, labels)
    torch.testing.assert_close(clean > 0.5, right)
    assert (clean[labels == 2] == 1).all()  # too few to tell
    order = torch.randperm(len(losses), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(clean_probability_within(losses[order], labels[order]), clean[order])


def test_the_option_divides_within_classes(squares):
    strategy, networks = begun(squares, within_classes=True)
    labels = torch.from_numpy(squares.labels.copy())
    logits = strategy.begin_epoch(1, networks)
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    expected = clean_probability_within(normalized(losses), labels)
    torch.testing.assert_close(strategy._clean[0], expected)
