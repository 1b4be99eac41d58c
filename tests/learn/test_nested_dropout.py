"""Features of which the first ones are kept, as many as a draw says."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from adc_core import InputError
from adc_plugins_learn import NestedDropout, NetworkModel
from adc_plugins_learn.learners.nested_dropout import accuracy_by_width, best_width
from adc_plugins_learn.training.networks.heads import FirstFeatures, width_chances

QUICK = {"image_size": 12, "batch_size": 8, "epochs": 2, "backbone": "tiny-cnn"}


def test_chances_of_the_worked_example(numbers):
    example = numbers["nested_dropout"]
    chances = width_chances(example["width"], example["spread"])
    np.testing.assert_allclose(chances, example["chances"], atol=1e-9)
    np.testing.assert_allclose(chances.flip(0).cumsum(0).flip(0), example["kept_chance"], atol=1e-9)
    big = width_chances(512, 100)
    assert (big * torch.arange(1, 513)).sum().item() == pytest.approx(example["big"]["mean_width"])
    np.testing.assert_allclose(width_chances(8, 1e9), 1 / 8)  # any number, not all of them


def test_the_width_of_the_worked_example(numbers):
    example = numbers["nested_dropout"]
    assert best_width(torch.tensor(example["accuracy_by_width"])) == example["chosen_width"]


def head_of(example, **options):
    head = FirstFeatures(8, 3, **options).double()
    head.linear.weight.data = torch.tensor(example["weights"], dtype=torch.float64).T
    return head, torch.tensor(example["features"], dtype=torch.float64)


def test_logits_of_the_worked_example(numbers):
    example = numbers["nested_dropout"]
    head, features = head_of(example)
    head.eval().keep(3)
    np.testing.assert_allclose(head(features).detach(), example["logits_at_width_3"], atol=1e-9)
    head.keep(8)
    plain = torch.nn.functional.linear(features, head.linear.weight)
    torch.testing.assert_close(head(features), plain)
    found = accuracy_by_width(features, head.linear.weight.detach(), plain.argmax(dim=1))
    assert found[-1] == 1 and found.shape == (8,)


def test_a_batch_has_one_width_drawn_by_the_chances(numbers):
    example = numbers["nested_dropout"]
    head, features = head_of(example, spread=3)  # of which a fifth of 8 is taken
    possible = torch.stack([features[:, :k] @ head.linear.weight.T[:k] for k in range(1, 9)])
    torch.manual_seed(0)
    drawn = [int((possible - head(features)).abs().sum(dim=(1, 2)).argmin()) for _ in range(2000)]
    shares = np.bincount(drawn, minlength=8) / 2000
    np.testing.assert_allclose(shares, width_chances(8, 1.6), atol=0.03)


def test_every_option_changes_what_is_learned_and_the_width_is_saved(squares, learned, tmp_path):
    found = set()
    for options in ({"spread": 5}, {"spread": 20}, {"held_out": 0.3}, {"variant": "plain"}):
        model = NestedDropout(**QUICK, **options).learn(squares)
        found.add(learned(model))
    found.add(learned(NestedDropout(**QUICK, variant="plain", rate=0.6).learn(squares)))
    assert len(found) == 5
    model = NestedDropout(**QUICK, spread=5).learn(squares)
    assert 0 < model.network.classifier.kept.sum() < 96
    model.save(tmp_path / "model")
    again = NetworkModel.load(tmp_path / "model")
    before, after = (one.predict(squares.images).probabilities for one in (model, again))
    np.testing.assert_array_equal(before, after)


def test_what_does_not_go_with_it_is_refused(squares):
    with pytest.raises(ValidationError, match="chosen for the weights themselves"):
        NestedDropout(weight_average=0.9)
    with pytest.raises(InputError, match="has a last layer of its own"):
        NestedDropout(**QUICK, criterion="ldam").learn(squares)
    convolution = {"backbone": "squeezenet1_1", "image_size": 32}
    with pytest.raises(InputError, match="squeezenet1_1 cannot be those of nested-dropout"):
        NestedDropout(**QUICK | convolution).learn(squares)
