import pytest
import torch

from adc_plugins_learn.training.networks.architecture import (
    Architecture,
    Ensemble,
    build_network,
    members_of,
)
from adc_plugins_learn.training.networks.heads import Output, taylor_log_exp

ABOUT = {"backbone": "small-cnn", "image_size": 8, "mean": (0.5,) * 3, "std": (0.2,) * 3}


class Constant(torch.nn.Module):
    """Gives the same logits for every image."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, images):
        return self.logits.expand(len(images), -1)


def test_one_network_is_itself():
    network = build_network(Architecture(**ABOUT), 4)
    assert members_of(network) == [network]
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 4)


@pytest.mark.parametrize(
    "output",
    [
        Output(),
        Output("taylor-softmax", {"order": 2}),
        Output("mc-softmax", {"rank": 2, "draws": 3, "temperature": 1}),
    ],
)
@pytest.mark.parametrize("members", [1, 2])
def test_every_output_gives_a_number_for_every_class(output, members):
    network = build_network(Architecture(**ABOUT, members=members, output=output), 4)
    assert len(members_of(network)) == members
    assert network.eval()(torch.zeros(2, 3, 8, 8)).shape == (2, 4)


def test_votes():
    members = [Constant([0.0, 1.0]), Constant([2.0, 0.0])]
    images = torch.zeros(1, 3, 8, 8)
    each = torch.stack([member(images).softmax(dim=1) for member in members])
    together = Ensemble(members, "probabilities")(images).softmax(dim=1)
    torch.testing.assert_close(together, each.mean(dim=0))
    assert Ensemble(members, "logits")(images).tolist() == [[2, 1]]


def test_taylor_polynomial():
    z = torch.tensor([-3.0, 0, 0.5])
    torch.testing.assert_close(taylor_log_exp(z, 2), (1 + z + z**2 / 2).log())
    torch.testing.assert_close(taylor_log_exp(z, 20), z, atol=1e-4, rtol=1e-4)
