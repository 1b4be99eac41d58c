from contextlib import closing

import numpy as np
import pytest
import torch
from PIL import Image

from adc_core.components.interfaces import Learner
from adc_core.components.registry import registry
from adc_core.errors import InputError
from adc_core.images.sequence import ImageFiles
from adc_core.records.dataset import Dataset
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.data.image_source import (
    InMemoryImages,
    StreamingImages,
    memory_bytes,
    open_image_source,
)
from adc_plugins_learn.training.data.normalize import channel_statistics

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """21 noisy images of different shapes in files, three classes."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for row in range(21):
        pixels = rng.integers(0, 120, (20 + row % 3, 24, 3), dtype=np.uint8)
        pixels[..., row % 3] += 110
        Image.fromarray(pixels).save(folder / f"{row}.png")
    images = ImageFiles(folder, [f"{row}.png" for row in range(21)])
    return Dataset(labels=np.arange(21) % 3, classes=("red", "green", "blue"), images=images)


@pytest.fixture
def streamed(files):
    with closing(StreamingImages(files.images, 16, 2, CPU)) as source:
        yield source


@pytest.fixture(scope="module")
def held(files):
    return InMemoryImages(torch.from_numpy(files.images.resized(16)))


def test_in_order(streamed, held):
    assert len(streamed) == len(held) == 21
    assert torch.equal(torch.cat(list(streamed)), torch.cat(list(held)))
    assert channel_statistics(streamed) == channel_statistics(held)


def test_expected_rows_come_from_the_processes(streamed, held, monkeypatch):
    plan = [torch.tensor([7, 3, 5]), torch.tensor([20, 0]), torch.tensor([3, 4, 20, 9])]
    streamed.prefetch(plan)
    # The processes hold what they were forked with, so that here nothing is decoded any more.
    streamed.take(plan[0])
    monkeypatch.setattr(ImageFiles, "resized", None)
    for rows in plan:
        for wanted in (rows, rows, rows[1:]):
            assert torch.equal(streamed.take(wanted), held.take(wanted))


def test_unexpected_rows_are_decoded_on_the_spot(streamed, held):
    streamed.prefetch([torch.tensor([1, 2]), torch.tensor([3, 4])])
    for rows in ([1, 2], [9, 1], [3, 4], [3, 3], [1]):
        assert torch.equal(streamed.take(torch.tensor(rows)), held.take(torch.tensor(rows)))


def test_a_new_plan_replaces_the_old(streamed, held):
    for plan in ([[1, 2], [3, 4]], [[5, 6], [7, 8]]):
        streamed.prefetch([torch.tensor(rows) for rows in plan])
        first = torch.tensor(plan[0])
        assert torch.equal(streamed.take(first), held.take(first))


def test_nothing_is_drawn_from_the_global_generator(streamed):
    before = torch.get_rng_state()
    streamed.prefetch([torch.tensor([1, 2])])
    streamed.take(torch.tensor([1, 2]))
    list(streamed)
    assert torch.equal(before, torch.get_rng_state())


def test_auto_holds_what_is_small(files, monkeypatch):
    def kind(keeping):
        return type(open_image_source(files.images, 16, keeping, 1, CPU))

    assert kind("auto") is kind("in-memory") is InMemoryImages
    assert kind("streaming") is StreamingImages
    assert memory_bytes(CPU) > 1e8
    monkeypatch.setattr("os.sysconf", lambda name: 4096 if name == "SC_PAGE_SIZE" else 15)
    assert memory_bytes(CPU) / 4 < 21 * 16 * 16 * 3
    assert kind("auto") is StreamingImages
    assert kind("in-memory") is InMemoryImages


@pytest.mark.parametrize(
    "name",
    ["cross-entropy", "peer-loss", "jocor", "dividemix", "elr-plus", "mixup", "forward-correction"],
)
def test_streaming_learns_the_same(files, learned, name):
    """Plain steps, drawn peers, two views, divisions, averages, blends and plain passes."""
    learner = registry.load(Learner, name)
    settings = {"image_size": 16, "epochs": 2, "batch_size": 8, "backbone": "small-cnn"}
    held, streamed = (
        learner(**settings, image_loading=loading, num_workers=2)
        for loading in ("in-memory", "streaming")
    )
    assert held.fingerprint == streamed.fingerprint
    assert learned(held.learn(files, files)) == learned(streamed.learn(files, files))


def test_a_damaged_image_is_one_line(files, tmp_path):
    for row in range(21):
        content = (files.images.root / f"{row}.png").read_bytes()
        (tmp_path / f"{row}.png").write_bytes(content if row != 11 else content[:60])
    damaged = files.replace(images=ImageFiles(tmp_path, files.images.paths))
    learner = CrossEntropy(image_size=16, epochs=1, image_loading="streaming", num_workers=1)
    with pytest.raises(InputError) as caught:
        learner.learn(damaged)
    assert str(caught.value).startswith(f"{tmp_path}/11.png is damaged")
    assert "\n" not in str(caught.value)
