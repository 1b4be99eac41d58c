"""What leaves the machine when a model is asked, and what never does."""

import json
import re

import numpy as np
import pytest
from chat_server import says
from seeing_server import squares

from adc_core import Dataset, ImageArray, InputError, WorkError


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    chat, dataset_of, ask, tmp_path, monkeypatch
):
    monkeypatch.setenv("ADC_VLM_API_KEY", "sk-secret-of-mine")
    chat.script(says('{"answers": ["yes"]} sk-secret-of-mine'))
    ask(dataset_of(6), questions=0)
    assert all(one["Authorization"] == "Bearer sk-secret-of-mine" for one in chat.headers)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"sk-secret-of-mine" not in path.read_bytes(), path


def test_images_are_shown_large_enough_and_no_larger_than_asked(chat, dataset_of, ask):
    ask(dataset_of(3), questions=0)
    assert set(chat.model.sizes) == {(224, 224)}
    images = np.zeros((2, 300, 600, 3), np.uint8)
    images[..., 0] = 220
    images[1, 0, 0] = 1
    large = Dataset(labels=[0, 0], classes=("sweater", "shawl"), images=ImageArray(images))
    ask(large, questions=0, send_size=400)
    assert chat.model.sizes[-1] == (400, 200)


def test_no_title_name_or_address_is_sent(chat, ask, tmp_path):
    import pyarrow as pa

    images, labels, _ = squares(6)
    dataset = Dataset(
        ids=[f"IMG_secret_{n}" for n in range(6)],
        labels=labels,
        classes=("sweater", "shawl", "vest"),
        images=ImageArray(images),
        sources=pa.table({"title": ["my holiday"] * 6, "url": ["http://a.example/x.jpg"] * 6}),
    )
    ask(dataset)
    said = json.dumps(chat.requests)
    assert not re.search("IMG_secret|holiday|example", said)


@pytest.fixture
def elsewhere(monkeypatch, chat):
    """An endpoint beyond the own network, which nobody reaches."""
    monkeypatch.setenv("ADC_VLM_BASE_URL", "https://models.example.com/v1")


@pytest.mark.usefixtures("elsewhere")
def test_nothing_is_sent_elsewhere_without_a_bound(dataset_of, ask):
    with pytest.raises(InputError) as raised:
        ask(dataset_of(3))
    assert str(raised.value) == (
        "models.example.com may charge for 3 images: set max_cost with price_in and price_out, or "
        "max_requests"
    )


@pytest.mark.usefixtures("elsewhere")
def test_what_must_stay_here_is_not_sent_elsewhere(dataset_of, ask):
    marked = dataset_of(3, columns={"local_only": np.array([False, True, False])})
    with pytest.raises(InputError, match="the image 1 is marked local_only"):
        ask(marked, max_requests=9)


@pytest.mark.usefixtures("elsewhere")
def test_what_leaves_the_machine_is_said_before_it_does(dataset_of, ask, monkeypatch):
    def refuse(*_, **__):
        raise WorkError("no network")

    monkeypatch.setattr("adc_endpoint.image_chat.complete", refuse)
    with (
        pytest.warns(UserWarning, match="3 images, of 512 pixels at most, go to models.example"),
        pytest.raises(WorkError),
    ):
        ask(dataset_of(3), questions=0, max_requests=9)
