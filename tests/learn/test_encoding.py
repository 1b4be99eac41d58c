"""What every encoder with a frozen network does, with a network that can be watched."""

import threading
from typing import ClassVar

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torchvision import transforms

from adc_core.components.context import work_context
from adc_core.errors import InputError, WorkError
from adc_core.images.sequence import ImageArray, ImageFiles, Images
from adc_plugins_learn.encoding import network_encoder as encoding
from adc_plugins_learn.encoding.network_encoder import FrozenNetwork, NetworkEncoder

PIXELS = np.random.default_rng(0).integers(0, 256, (23, 20, 16, 3), dtype=np.uint8)
IMAGES = ImageArray(PIXELS)
COLORS = [0.5, 0.4, 0.3]
PREPARE = transforms.Compose(
    [
        transforms.Resize(16),
        transforms.CenterCrop(16),
        transforms.ToTensor(),
        transforms.Normalize(COLORS, [0.2, 0.3, 0.4]),
    ]
)


class Watched(nn.Module):
    """Averages colours, notes the sizes of its batches, and takes no larger ones than it can."""

    def __init__(self, most):
        super().__init__()
        self.most = most
        self.batches = []

    def forward(self, images):
        if len(images) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        self.batches.append(len(images))
        return images.mean(dim=(2, 3))


class WatchedEncoder(NetworkEncoder):
    """Encodes images as their mean colour."""

    most: int = 1000
    opened: ClassVar[list] = []

    def open_network(self):
        network = Watched(self.most)
        self.opened.append(network)
        return "watched", FrozenNetwork.of(network, 16, PREPARE)


@pytest.fixture(autouse=True)
def forgotten():
    WatchedEncoder.opened.clear()


def batches():
    """Sizes of the batches, without the one image that shows whether the size suits."""
    return [network.batches[1:] for network in WatchedEncoder.opened]


class StopError(Exception):
    pass


def stop_after(row):
    def on_progress(done, total, unit):
        assert (total, unit) == (23, "image")
        if done >= row:
            raise StopError

    return on_progress


def test_features_are_those_of_the_prepared_images():
    features = WatchedEncoder(batch_size=5).encode(IMAGES)
    prepared = [PREPARE(transforms.functional.to_pil_image(image)) for image in PIXELS]
    wanted = torch.stack(prepared).mean(dim=(2, 3))
    np.testing.assert_allclose(features, wanted, atol=1e-5)
    assert features.dtype == np.float32
    assert isinstance(features, np.memmap)
    assert batches() == [[5, 5, 5, 5, 3]]


def test_auto_halves_the_batch_when_memory_runs_out():
    whole = WatchedEncoder().encode(IMAGES)
    assert batches() == [[23]]
    features = WatchedEncoder(most=6).encode(IMAGES)
    assert batches()[1] == [4, 4, 4, 4, 4, 3]  # of 32, 16, 8, 4
    np.testing.assert_allclose(features, whole, atol=1e-6)


def test_auto_keeps_what_was_prepared():
    """No image is decoded twice because a batch was too large."""
    images = Counting(23)
    WatchedEncoder(most=6).encode(images)
    assert sorted(images.decoded) == list(range(23))


def test_a_batch_size_of_the_user_s_is_not_changed():
    with pytest.raises(WorkError) as error:
        WatchedEncoder(most=6, batch_size=10).encode(IMAGES)
    assert str(error.value) == "out of memory with batch_size 10: lower batch_size or image_size"


def test_not_even_one_image_fits():
    with pytest.raises(WorkError) as error:
        WatchedEncoder(most=0).encode(IMAGES)
    assert str(error.value) == (
        "out of memory with one image at a time: lower image_size or choose a smaller model"
    )


def test_other_errors_of_a_network_are_not_hidden(monkeypatch):
    def broken(self, images):
        if len(images) > 1:
            raise RuntimeError("a bug")
        return images.mean(dim=(2, 3))

    monkeypatch.setattr(Watched, "forward", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        WatchedEncoder().encode(IMAGES)


@pytest.mark.parametrize("options", [{"batch_size": 5}, {"most": 6}, {"batch_size": 1}])
@pytest.mark.parametrize("row", [1, 9, 16, 22])
def test_interrupted_anywhere_it_ends_with_the_same_bytes(tmp_path, options, row):
    encoder = WatchedEncoder(**options)
    wanted = encoder.encode(IMAGES).tobytes()
    full = batches()[0]
    with pytest.raises(StopError), work_context(tmp_path, stop_after(row)):
        encoder.encode(IMAGES)
    with work_context(tmp_path):
        assert encoder.encode(IMAGES).tobytes() == wanted
    # What was encoded is not encoded again, nor is a batch tried again that was too large.
    assert [size for run in batches()[1:] for size in run] == full


def test_a_finished_encoding_opens_no_network(tmp_path):
    with work_context(tmp_path):
        first = WatchedEncoder().encode(IMAGES)
        again = WatchedEncoder().encode(IMAGES)
    np.testing.assert_array_equal(first, again)
    assert len(WatchedEncoder.opened) == 1


def test_other_images_and_other_options_do_not_meet(tmp_path):
    with work_context(tmp_path):
        first = WatchedEncoder().encode(IMAGES)
        other = WatchedEncoder().encode(ImageArray(255 - PIXELS))
        WatchedEncoder(seed=1).encode(IMAGES)
    assert not np.array_equal(first, other)
    assert len(WatchedEncoder.opened) == 3


class Counting(Images):
    """Makes images, notes which, and how far decoding was ahead of the network."""

    def __init__(self, count):
        self.count, self.decoded, self.ahead = count, [], 0
        self.lock, self.all_decoded = threading.Lock(), threading.Event()

    def __len__(self):
        return self.count

    def __getitem__(self, row):
        with self.lock:
            self.decoded.append(row)
            encoded = sum(WatchedEncoder.opened[0].batches[1:]) if WatchedEncoder.opened else 0
            self.ahead = max(self.ahead, len(self.decoded) - encoded)
            if len(self.decoded) == self.count:
                self.all_decoded.set()
        return np.full((16, 16, 3), row % 256, np.uint8)

    def take(self, rows):
        raise NotImplementedError

    @property
    def fingerprint(self):
        return f"counting {self.count}"


def test_the_next_batch_is_prepared_while_the_network_works(monkeypatch):
    images = Counting(20)
    network_saw_it = []

    def forward(self, batch):
        if len(batch) == 10 and not network_saw_it:  # the first of two
            network_saw_it.append(images.all_decoded.wait(timeout=60))
        return batch.mean(dim=(2, 3))

    monkeypatch.setattr(Watched, "forward", forward)
    WatchedEncoder(batch_size=10).encode(images)
    assert network_saw_it == [True]


def test_never_more_than_a_few_batches_are_prepared():
    images = Counting(400)
    features = WatchedEncoder(batch_size=10).encode(images)
    assert sorted(images.decoded) == list(range(400))
    assert images.ahead <= 10 * (1 + encoding._AHEAD)
    shade = (np.arange(400) % 256 / 255 - COLORS[0]) / 0.2
    np.testing.assert_allclose(features[:, 0], shade, atol=1e-5)


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(InputError) as error:
        WatchedEncoder().encode(ImageFiles(tmp_path, ["a.png"]))
    assert str(error.value) == f"{tmp_path}/a.png is not an image: replace or remove it"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"image_size": 8}, "expected auto or a whole number from 16, got 8"),
        ({"batch_size": 0}, "expected auto or a whole number from 1, got 0"),
        ({"batch_size": "many"}, "expected auto or a whole number from 1, got 'many'"),
        ({"batch_size": True}, "expected auto or a whole number from 1, got True"),
    ],
)
def test_sizes_that_are_none(options, fault):
    with pytest.raises(ValidationError) as error:
        WatchedEncoder(**options)
    (found,) = error.value.errors()
    assert found["msg"].endswith(fault)
    assert WatchedEncoder(image_size="32", batch_size="4").batch_size == 4


def test_no_images():
    with pytest.raises(InputError) as error:
        WatchedEncoder().encode(ImageArray(PIXELS[:0]))
    assert str(error.value) == "there are no images to encode: give at least one"


def test_no_thread_stays_behind(tmp_path):
    before = threading.active_count()
    WatchedEncoder().encode(IMAGES)
    with pytest.raises(StopError), work_context(tmp_path, stop_after(1)):
        WatchedEncoder().encode(IMAGES)
    assert threading.active_count() == before
