import pytest
import torch
import torchvision
from torch import nn

from adc_core.errors import InputError
from adc_plugins_learn.training.networks.backbones import (
    SmallCNN,
    build_backbone,
    last_layer,
    require_image_size,
)
from adc_plugins_learn.training.networks.torchvision import torchvision_models


@pytest.mark.parametrize("size", [8, 16, 33, 64])
def test_small_cnn_takes_images_of_any_size(size):
    network = SmallCNN(5, width=4)
    assert network(torch.zeros(2, 3, size, size)).shape == (2, 5)
    assert [m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)] == [4, 8, 16]


def test_the_last_layer_of_every_kind_of_torchvision_model_makes_the_logits():
    """Of each file of torchvision, and each version in it, the first network."""
    kinds = {}
    for name in torchvision_models():
        kind = torchvision.models.get_model_builder(name).__module__, "_v2" in name, "_v3" in name
        kinds.setdefault(kind, name)
    # RegNets read numbers of their weights while they are built, which have none here.
    names = [name for name in kinds.values() if not name.startswith("regnet")]
    assert len(names) >= 15
    with torch.device("meta"):
        wrong = [name for name in names if len(last_layer(build_backbone(name, 7)).weight) != 7]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("small-cnn", 8),
        ("resnet18", 32),
        ("mobilenet_v2", 32),
        ("squeezenet1_0", 32),
        ("densenet121", 32),
        ("googlenet", 32),
        ("inception_v3", 96),
        ("vit_b_16", 224),
        ("regnet_y_400mf", 32),
    ],
)
def test_each_family_has_one_output_per_class(name, size, built):
    network = built(name, 7)
    require_image_size(network, name, size)
    logits = network.train()(torch.zeros(2, 3, size, size))
    assert logits.shape == (2, 7)  # no side outputs, in training either
    assert len(last_layer(network).weight) == 7


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("vit_b_16", 96, "Wrong image height! Expected 224 but got 96"),
        ("squeezenet1_0", 16, "Given input size: (512x1x1)"),
        (
            "inception_v3",
            32,
            "Calculated padded input size per channel: (1 x 1)",
        ),
    ],
)
def test_images_of_another_size_are_refused_in_one_line(name, size, reason, built):
    with pytest.raises(InputError) as error:
        require_image_size(built(name, 2), name, size)
    assert str(error.value) == (
        f"{name} does not take images of {size} × {size} pixels ({reason}): change image_size"
    )


def test_weights_come_from_the_seed(built, weights_of, same):
    first, second, third = (weights_of(built("small-cnn", 3, seed=seed)) for seed in (1, 1, 2))
    assert same(first, second)
    assert not same(first, third)


def test_unknown_models():
    with pytest.raises(InputError) as error:
        build_backbone("resnet-18", 2)
    assert str(error.value) == 'there is no backbone "resnet-18": did you mean "resnet18"?'
    with pytest.raises(InputError) as error:
        build_backbone("?", 2)
    assert str(error.value).startswith(
        'there is no backbone "?"; there is small-cnn, tiny-cnn, resnet-cifar-20, '
    )


def test_unknown_official_weights():
    with pytest.raises(InputError) as error:
        build_backbone("resnet18", 2, "IMAGENET_V1")
    assert str(error.value) == (
        'there is no weights of resnet18 "IMAGENET_V1": did you mean "IMAGENET1K_V1"?'
    )
    with pytest.raises(InputError) as error:
        build_backbone("small-cnn", 2, "DEFAULT")
    assert str(error.value) == ("small-cnn has no official weights: use weights: random or a file")
