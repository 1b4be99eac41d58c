"""Features of photographs: a pretrained network against pixels, judged by a linear probe."""

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression

from adc_core.images.sequence import ImageArray
from adc_plugins_learn.encoders.pixels import PixelEncoder
from adc_plugins_learn.encoders.torchvision import TorchvisionEncoder

pytestmark = pytest.mark.shared_data


def tiles(path, count):
    """The first images of a mosaic, scaled from 32 to 96 pixels."""
    with Image.open(path) as mosaic:
        pixels = np.asarray(mosaic.convert("RGB"))
    rows, columns = pixels.shape[0] // 32, pixels.shape[1] // 32
    small = pixels.reshape(rows, 32, columns, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)
    large = [
        Image.fromarray(tile).resize((96, 96), Image.Resampling.BICUBIC) for tile in small[:count]
    ]
    return np.stack([np.asarray(tile) for tile in large])


@pytest.fixture(scope="module")
def photographs(shared_data):
    """600 images of CIFAR-10 to learn from and 300 to test, with their labels."""
    folder = shared_data / "cifar10"
    with np.load(folder / "labels.npz") as labels:
        train, test = labels["train_label"][:600], labels["test_label"][:300]
    images = np.concatenate(
        [tiles(folder / "train_00.avif", 600), tiles(folder / "test_00.avif", 300)]
    )
    return ImageArray(images), train, test


@pytest.fixture(scope="module")
def pretrained(shared_data, tmp_path_factory):
    """A file of weights under torchvision's names, from int8 weights with folded BatchNorm."""
    path = shared_data / "mobilenet_v2" / "mobilenet_v2_torchvision_keys_int8.npz"
    with np.load(path) as arrays:
        folded = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    state = torchvision.models.mobilenet_v2().state_dict()
    norms = {name.rpartition(".")[0] for name in state if name.endswith("running_mean")}
    for name in norms:
        state[f"{name}.weight"].fill_(1)
        state[f"{name}.running_mean"].fill_(0)
        state[f"{name}.running_var"].fill_(1 - 1e-5)
    for name in {name.rpartition(".")[0] for name in folded}:
        quantised = folded[f"{name}.q"]
        scale = folded[f"{name}.scale"].reshape(-1, *[1] * (quantised.ndim - 1))
        state[f"{name}.weight"] = quantised * scale
        parent, _, number = name.rpartition(".")
        after = f"{parent}.{int(number) + 1}"
        state[f"{after if after in norms else name}.bias"] = folded[f"{name}.bias"]
    # Made for images in -1 … 1, where the encoder gives the normalization of ImageNet.
    first = state["features.0.0.weight"]
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    state["features.0.1.bias"] = state["features.0.1.bias"] + (
        first.sum(dim=(2, 3)) @ (2 * mean - 1)
    )
    state["features.0.0.weight"] = first * (2 * std)[:, None, None]
    path = tmp_path_factory.mktemp("weights") / "mobilenet_v2.safetensors"
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    return path


def probe(features, train, test):
    """Accuracy on the test images of a linear classifier of the training images."""
    classifier = LogisticRegression(C=0.01, max_iter=2000).fit(features[: len(train)], train)
    return classifier.score(features[len(train) :], test)


def test_a_pretrained_network_knows_photographs_better_than_pixels(photographs, pretrained):
    """Measured: 0.637 against 0.243, with a standard error of 0.03 on 300 images.

    Pixels did no better than 0.28 with any penalty and any number of components that were tried.
    The network would do better still with the padding that its weights were made for: that is
    TensorFlow's, and torchvision pads symmetrically. The images went through AVIF, too.
    """
    images, train, test = photographs
    encoder = TorchvisionEncoder(
        model="mobilenet_v2", weights=str(pretrained), image_size=96, batch_size=50
    )
    by_network = probe(encoder.encode(images), train, test)
    by_pixels = probe(PixelEncoder(color=True, components=32).encode(images), train, test)
    assert by_network > 0.58
    assert by_pixels < 0.33
