import copy

import pytest
import torch
from pydantic import ValidationError
from torch.optim.optimizer import register_optimizer_step_pre_hook

from adc_plugins_learn.learners.co_teaching import CoTeaching
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.optimizer import OPTIMIZERS, build_optimizer

COMMON = {"lr": 0.01, "weight_decay": 0.02}
BY_HAND = {
    "sgd": lambda p: torch.optim.SGD(p, momentum=0.8, nesterov=True, **COMMON),
    "rmsprop": lambda p: torch.optim.RMSprop(p, momentum=0.8, **COMMON),
    "adam": lambda p: torch.optim.Adam(p, betas=(0.8, 0.999), **COMMON),
    "adamw": lambda p: torch.optim.AdamW(p, betas=(0.8, 0.999), **COMMON),
    "adagrad": lambda p: torch.optim.Adagrad(p, **COMMON),
}


def config(**options):
    return TrainingConfig(learning_rate=0.01, momentum=0.8, weight_decay=0.02, **options)


def after_steps(optimizer, network):
    for step in range(3):
        optimizer.zero_grad()
        network(torch.full((2, 3), 1.0 + step)).pow(2).sum().backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.fixture
def networks():
    """Two equal networks: a matrix and a bias."""
    network = torch.nn.Linear(3, 2)
    return network, copy.deepcopy(network)


@pytest.mark.parametrize("name", BY_HAND)
def test_it_is_torchs(networks, name):
    ours, theirs = networks
    built = build_optimizer(ours.parameters(), config(optimizer=name))
    by_hand = BY_HAND[name](theirs.parameters())
    assert torch.equal(after_steps(built, ours), after_steps(by_hand, theirs))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_all_that_are_offered_make_steps(networks, name):
    network, before = networks
    built = build_optimizer(network.parameters(), config(optimizer=name))
    assert not torch.equal(after_steps(built, network), before.weight.flatten())


def test_options_of_its_class(networks):
    ours, theirs = networks
    built = build_optimizer(ours.parameters(), config(optimizer_options={"nesterov": False}))
    by_hand = torch.optim.SGD(theirs.parameters(), momentum=0.8, **COMMON)
    assert torch.equal(after_steps(built, ours), after_steps(by_hand, theirs))
    lists = config(optimizer="adamw", optimizer_options={"betas": [0.7, 0.9]})
    (group,) = build_optimizer(ours.parameters(), lists).param_groups
    assert group["betas"] == (0.7, 0.9)


def test_biases_need_not_decay(networks):
    network, _ = networks
    matrices, vectors = build_optimizer(
        network.parameters(), config(decay_biases=False)
    ).param_groups
    assert (matrices["params"], matrices["weight_decay"]) == ([network.weight], 0.02)
    assert (vectors["params"], vectors["weight_decay"]) == ([network.bias], 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adamm"}, 'there is no optimizer "adamm": did you mean "adam"?'),
        (
            {"optimizer_options": {"nestrov": False}},
            'there is no option of sgd "nestrov": did you mean "nesterov"?',
        ),
        (
            {"optimizer_options": {"lr": 1}},
            '"lr" is not set here: set learning_rate of the learner',
        ),
        (
            {"optimizer": "adam", "optimizer_options": {"betas": [2, 0.9]}},
            "adam does not take them (Invalid beta parameter at index 0: 2)",
        ),
        (
            {"optimizer_options": {"dampening": 0.5}},
            "sgd does not take them (Nesterov momentum requires a momentum and zero dampening)",
        ),
    ],
    ids=str,
)
def test_what_it_does_not_take_is_one_line(options, message):
    with pytest.raises(ValidationError) as error:
        TrainingConfig(**options)
    (fault,) = error.value.errors()
    assert fault["loc"] == ([*options][-1],)
    assert fault["msg"].removeprefix("Value error, ") == message


def test_gradients_of_each_network_are_clipped_by_themselves(squares):
    """Co-teaching trains two networks by one optimizer."""
    norms = []

    def keep(optimizer, *_):
        gradients = [p.grad.flatten() for p in optimizer.param_groups[0]["params"]]
        half = len(gradients) // 2
        norms.extend(torch.cat(own).norm().item() for own in (gradients[:half], gradients[half:]))

    def trained(limit):
        options = {"image_size": 8, "epochs": 1, "batch_size": 8}
        CoTeaching(**options, clip_gradient_norm=limit).learn(squares)

    hook = register_optimizer_step_pre_hook(keep)
    try:
        trained(None)
        assert max(norms) > 0.5
        norms.clear()
        trained(0.1)
    finally:
        hook.remove()
    assert norms == pytest.approx([0.1] * 8, rel=1e-4)
