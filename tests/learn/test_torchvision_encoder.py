import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from adc_core.errors import InputError, WorkError
from adc_core.images.sequence import ImageArray, ImageFiles
from adc_plugins_learn.encoders.torchvision import TorchvisionEncoder, penultimate
from adc_plugins_learn.training.hardware.devices import seeded
from adc_plugins_learn.training.networks.backbones import build_backbone

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 40, 40, 3), dtype=np.uint8)
IMAGES = ImageArray(PIXELS)
RANDOM = TorchvisionEncoder(model="resnet18", weights="random", image_size=32)


@pytest.mark.parametrize(
    ("name", "size", "width"),
    [
        ("small-cnn", 16, 128),
        ("resnet18", 32, 512),
        ("mobilenet_v2", 32, 1280),
        ("squeezenet1_0", 48, 512),
        ("densenet121", 32, 1024),
        ("googlenet", 32, 1024),
        ("vit_b_16", 224, 768),
        ("convnext_tiny", 32, 768),
    ],
)
def test_width_of_each_family(name, size, width):
    network = build_backbone(name, 5).eval()
    with torch.inference_mode():
        assert penultimate(network, torch.rand(2, 3, size, size)).shape == (2, width)


def test_features_are_those_of_the_network():
    with seeded(0):
        network = build_backbone("resnet18", 5).eval()
    images = torch.rand(3, 3, 32, 32)
    with torch.inference_mode():
        features = penultimate(network, images)
        network.fc = nn.Identity()
        assert torch.equal(features, network(images))


def test_features_with_extent_are_averaged():
    with seeded(0):
        network = build_backbone("squeezenet1_0", 5).eval()
    images = torch.rand(3, 3, 64, 64)
    with torch.inference_mode():
        maps = network.features(images)
        assert maps.shape[2:] == (3, 3)
        assert torch.equal(penultimate(network, images), maps.mean(dim=(2, 3)))


def test_no_hook_stays_behind_even_after_an_error():
    network = build_backbone("alexnet", 5).eval()
    with pytest.raises(RuntimeError):
        penultimate(network, torch.rand(1, 3, 8, 8))
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_images_are_given_as_torchvision_gives_them():
    encoder = TorchvisionEncoder(model="resnet18", weights="random", image_size=40)
    with seeded(0):
        network = build_backbone("resnet18", 1000).eval()
    normalize = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    images = torch.from_numpy(PIXELS.copy()).permute(0, 3, 1, 2) / 255
    images = torchvision.transforms.functional.normalize(images, normalize.mean, normalize.std)
    with torch.inference_mode():
        wanted = penultimate(network, images).numpy()
    np.testing.assert_allclose(encoder.encode(IMAGES), wanted, rtol=1e-4, atol=1e-5)


def test_auto_cuts_off_the_margin_that_the_weights_were_made_with():
    wide = np.random.default_rng(1).integers(0, 256, (3, 300, 400, 3), dtype=np.uint8)
    encoder = TorchvisionEncoder(model="mobilenet_v2", weights="random")
    with seeded(0):
        network = build_backbone("mobilenet_v2", 1000).eval()
    prepare = torchvision.models.MobileNet_V2_Weights.DEFAULT.transforms()
    images = torch.stack([prepare(Image.fromarray(image)) for image in wide])
    with torch.inference_mode():
        wanted = penultimate(network, images).numpy()
    np.testing.assert_allclose(encoder.encode(ImageArray(wide)), wanted, rtol=1e-3, atol=1e-4)


def test_batches_change_nothing_but_rounding():
    whole = RANDOM.encode(IMAGES)
    for batch_size in (1, 3):
        parts = RANDOM.model_copy(update={"batch_size": batch_size}).encode(IMAGES)
        np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-5)


def test_random_weights_come_from_the_seed_and_leave_the_global_generator():
    before = torch.get_rng_state()
    first, again = RANDOM.encode(IMAGES), RANDOM.encode(IMAGES)
    other = RANDOM.model_copy(update={"seed": 1}).encode(IMAGES)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_weights_from_a_file_with_any_number_of_classes(tmp_path):
    path = tmp_path / "net.safetensors"
    with seeded(3):
        network = build_backbone("resnet18", 4)
    save_file(network.state_dict(), path)
    encoder = TorchvisionEncoder(model="resnet18", weights=str(path), image_size=32)
    other = encoder.model_copy(update={"seed": 9})
    np.testing.assert_array_equal(encoder.encode(IMAGES), other.encode(IMAGES))
    assert not np.array_equal(encoder.encode(IMAGES), RANDOM.encode(IMAGES))


def test_files_of_several_shapes(tmp_path):
    for number, shape in enumerate([(30, 50), (64, 20), (32, 32)]):
        Image.fromarray(np.full((*shape, 3), 80, np.uint8)).save(tmp_path / f"{number}.png")
    features = RANDOM.encode(ImageFiles(tmp_path, ["0.png", "1.png", "2.png"]))
    # One colour is one image, whatever its shape.
    np.testing.assert_array_equal(features[0], features[1])
    np.testing.assert_array_equal(features[0], features[2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"model": "resnet-18"},
            'there is no torchvision model "resnet-18": did you mean "resnet18"?',
        ),
        (
            {"model": "vit_b_16", "image_size": 32},
            "vit_b_16 does not take images of 32 × 32 pixels "
            "(Wrong image height! Expected 224 but got 32): change image_size",
        ),
        ({"device": "gpu"}, 'there is no device "gpu": use auto, cpu, cuda or cuda:1'),
    ],
)
def test_bad_options_are_one_line(options, message):
    with pytest.raises(InputError) as error:
        TorchvisionEncoder(weights="random", **options).encode(IMAGES)
    assert str(error.value) == message


def test_a_lack_of_memory_is_one_line():
    with pytest.raises(WorkError) as error:
        RANDOM.model_copy(update={"image_size": 1 << 20, "batch_size": 64}).encode(IMAGES)
    assert str(error.value) == "out of memory with batch_size 64: lower batch_size or image_size"
