import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.cores import (
    Cores,
    beta_at,
    confidence_regularized,
    sieve_scores,
    sieved_mean,
)
from adc_plugins_learn.training.data.sampler import Batch
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.parts import Sampler, cross_entropy


@pytest.mark.parametrize("name", ["warmup,no_prior", "sieve,no_prior", "sieve,prior"])
def test_vectors(known, name):
    case = known("cores", name)
    prior = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64) if name == "sieve,prior" else None
    scores = sieve_scores(case.Z, case.y).detach()
    np.testing.assert_allclose(scores, case.expected["sieve_score"], rtol=0, atol=1e-9)
    kept = (scores <= 0).double() if name.startswith("sieve") else torch.ones(4)
    assert kept.tolist() == case.expected["kept"]
    losses = confidence_regularized(case.Z, case.y, 2, prior)
    np.testing.assert_allclose(losses.detach(), case.expected["row_loss"], rtol=0, atol=1e-9)
    case.agrees(sieved_mean(losses, kept))


def test_without_regularizer_it_is_cross_entropy(known):
    case = known()
    plain = cross_entropy(case.Z, case.y)
    assert torch.equal(confidence_regularized(case.Z, case.y, 0), plain)


def test_nothing_kept_costs_nothing():
    assert sieved_mean(torch.ones(3), torch.zeros(3)) == 0


def test_schedule(known):
    plan = known().schedules["cores_beta"]["at"]
    assert [beta_at(int(epoch), 100) for epoch in plan] == pytest.approx([*plan.values()])


def test_prior_is_of_the_labels_that_passed(known):
    case = known()
    strategy = Cores().strategy(None)

    class Sampler:
        labels, n_classes = torch.tensor([0, 2, 1, 0]), 3

    strategy.begin(Sampler(), 10)
    strategy.begin_epoch(0, [])
    assert strategy._prior.tolist() == [0.5, 0.25, 0.25]
    strategy.sieved(case.Z.float(), Batch(torch.arange(4), None, case.y), 9)
    assert strategy.state_dict()["dropped"].tolist() == [1, 0, 1]  # scores -1.5, 0.3, -2.5, 1.3
    strategy.begin_epoch(10, [])
    assert strategy._prior.tolist() == [0.5, 0.5, 0]


def begun(squares, epochs=10, **options):
    """A strategy of two phases after its first."""
    learner = Cores(
        **{"image_size": 12, "batch_size": 8, "backbone": "tiny-cnn", "beta": 0.5} | options,
        epochs=epochs,
        learning_rate=0.01,
    )
    strategy = learner.strategy(squares)
    return strategy, train(squares, None, learner, strategy)


def noisy(squares):
    """Every fourth label is wrong."""
    labels = squares.labels.copy()
    labels[::4] = (labels[::4] + 1) % 3
    return squares.replace(labels=labels)


def test_the_second_phase_begins_when_the_first_has_had_its_schedule(squares):
    strategy, _ = begun(squares, epochs=5, second_phase=0.4)
    first, second = strategy.at_epoch(2), strategy.at_epoch(3)
    assert first.epochs == 3
    assert first is strategy.at_epoch(0)
    assert second is strategy.at_epoch(4) is not first


def test_labels_that_do_not_pass_are_not_learned_in_the_second_phase(squares):
    dataset = noisy(squares)
    wrong = dataset.labels != squares.labels
    strategy, model = begun(dataset, epochs=12, second_phase=0.4)
    kept = strategy.state_dict()["second"]["kept"].numpy()
    assert kept[~wrong].mean() > 0.9
    assert kept[wrong].mean() < 0.6
    plans = strategy.at_epoch(11).plan_epoch(11)
    labeled, others = (
        torch.cat([getattr(plan, name) for plan in plans]).unique().tolist()
        for name in ("rows", "extra_rows")
    )
    assert labeled == np.flatnonzero(kept).tolist()
    assert others == np.flatnonzero(~kept).tolist()
    assert np.isfinite(model.dynamics.loss).all()  # of all images, labeled or not


class NoneOf(Sampler):
    """Leaves out the samples of a label."""

    label: int

    def draw(self, labels, context, generator):
        """Draw the others, in order."""
        return (labels != self.label).nonzero()[:, 0]


def test_images_without_labels_are_not_sampled_by_labels(squares):
    strategy, _ = begun(squares, epochs=3, second_phase=0.4, sampler=NoneOf(label=0))
    second = strategy.at_epoch(2)
    second._kept = torch.arange(31) < 16  # both parts have samples of all labels
    plans = second.plan_epoch(2)
    labeled, others = (
        torch.cat([getattr(plan, name) for plan in plans]) for name in ("rows", "extra_rows")
    )
    assert (squares.labels[labeled] != 0).all()
    assert sorted(set(others.tolist())) == list(range(16, 31))


def test_the_sieve_stays_as_it_was_at_the_start_of_the_second_phase(squares):
    strategy, _ = begun(squares, epochs=3, second_phase=0.4)
    second = strategy.at_epoch(2)
    kept = strategy.state_dict()["second"]["kept"]
    second._kept = ~kept
    second.begin_epoch(3, [])  # no network is asked
    assert torch.equal(second._kept, ~kept)


def test_where_no_label_is_left_out_or_all_are(squares):
    strategy, _ = begun(squares, epochs=3, second_phase=0.4)
    second = strategy.at_epoch(2)
    second._kept = torch.ones(31, dtype=torch.bool)
    assert all(plan.extra_rows is None for plan in second.plan_epoch(2))

    class Contrary(torch.nn.Module):
        """Whatever the images, a class that nobody has."""

        def forward(self, images):
            return torch.tensor([[0.0, 0, 0, 9]]).expand(len(images), 4)

    second._kept = None
    second.begin_epoch(2, [Contrary()])
    assert second._kept.all()
