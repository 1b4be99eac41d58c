import pytest
import torch
from torch import nn

from adc_plugins_learn.encoders.torchvision import penultimate
from adc_plugins_learn.training.networks.backbones import build_backbone, last_layer
from adc_plugins_learn.training.networks.cifar import CIFAR_NETWORKS

MILLIONS = {  # for ten classes: He et al. 2016, table 6, and what noisy-label papers' code counts
    "resnet-cifar-20": 0.27,
    "resnet-cifar-32": 0.46,
    "resnet-cifar-44": 0.66,
    "resnet-cifar-56": 0.85,
    "preact-resnet18": 11.17,
    "resnet34-cifar": 21.28,
    "resnet-9": 6.57,
}
WIDTHS = {"preact-resnet18": 512, "resnet34-cifar": 512, "resnet-9": 512}


def test_these_are_all():
    assert CIFAR_NETWORKS.keys() == MILLIONS.keys()


@pytest.fixture(params=MILLIONS)
def name(request):
    return request.param


def test_as_many_weights_as_the_papers_say(name):
    network = build_backbone(name, 10)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert round(count / 1e6, 2) == MILLIONS[name]


def test_as_many_layers_as_its_name_says(name):
    """Convolutions and linear layers, but for the projections of shortcuts (1 × 1)."""
    layers = [m for m in build_backbone(name, 10).modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    counted = [m for m in layers if isinstance(m, nn.Linear) or m.kernel_size == (3, 3)]
    digits = "".join(letter for letter in name if letter.isdigit())
    assert len(counted) == int(digits)


def test_images_of_several_sizes_and_the_last_layer(name):
    network = build_backbone(name, 7).eval()
    assert last_layer(network).out_features == 7
    with torch.inference_mode():
        for size in (16, 32):
            images = torch.zeros(2, 3, size, size)
            assert network(images).shape == (2, 7)
            assert penultimate(network, images).shape == (2, WIDTHS.get(name, 64))


def test_the_stem_keeps_the_size_of_the_image(name):
    network = build_backbone(name, 10).eval()
    sizes = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda *given: sizes.append(given[2].shape[2]))
    with torch.inference_mode():
        network(torch.zeros(1, 3, 32, 32))
    assert sizes[0] == 32
    assert min(sizes) == (8 if name.startswith("resnet-cifar") else 4)


def test_a_plain_shortcut_has_no_weights_and_keeps_what_it_can():
    """With convolutions of zero, a block gives its input: subsampled, zeros around the channels."""
    network = build_backbone("resnet-cifar-20", 10).eval()
    block = network.stages[1][0]
    nn.init.zeros_(block.norm2.weight)
    maps = torch.rand(2, 16, 8, 8)
    with torch.inference_mode():
        out = block(maps)
    assert out.shape == (2, 32, 4, 4)
    assert torch.equal(out[:, 8:24], maps[:, :, ::2, ::2])
    assert not out[:, :8].any() and not out[:, 24:].any()


def test_a_pre_activation_shortcut_is_the_identity():
    network = build_backbone("preact-resnet18", 10).eval()
    block = network.stages[0][0]
    nn.init.zeros_(block.conv2.weight)
    maps = torch.randn(2, 64, 8, 8)
    with torch.inference_mode():
        assert torch.equal(block(maps), maps)  # negative numbers too: nothing is rectified after


def test_logits_of_resnet_9_are_an_eighth_of_the_last_layers():
    network = build_backbone("resnet-9", 10).eval()
    layer = []
    network.classifier.register_forward_hook(lambda *given: layer.append(given[1:]))
    images = torch.rand(2, 3, 16, 16)
    with torch.inference_mode():
        logits = network(images)
        maps = network.stages(network.stem(images))
    ((features,), made) = layer[0]
    assert torch.equal(logits, made / 8)
    assert torch.equal(features, maps.flatten(2).max(dim=2).values)


def test_signals_neither_vanish_nor_explode(name):
    torch.manual_seed(0)
    with torch.inference_mode():
        logits = build_backbone(name, 10).train()(torch.randn(16, 3, 32, 32))
    assert 0.05 < logits.std() < 5
