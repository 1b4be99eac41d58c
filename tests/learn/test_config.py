from pathlib import Path

import pytest
from pydantic import ValidationError

from adc_plugins_learn.training.config import TrainingConfig


def test_every_option_is_described():
    assert all(field.description for field in TrainingConfig.model_fields.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 1},
        {"image_size": 7},
        {"learning_rate": 0},
        {"learning_rate": float("inf")},
        {"momentum": 1},
        {"weight_decay": -1},
        {"weight_decay": 2},
        {"schedule": "steps"},
        {"ramp_up_epochs": -1},
        {"restart_epochs": 0},
        {"clip_gradient_norm": 0},
        {"weight_average": 1},
        {"max_translation": -1},
        {"seed": -1},
        {"seed": 2**63},
        {"epoch": 3},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError) as error:
        TrainingConfig(**wrong)
    assert [fault["loc"] for fault in error.value.errors()] == [tuple(wrong)]


def test_a_weights_file_is_found_beside_the_pipeline_file():
    context = {"folder": Path("/somewhere")}
    beside = TrainingConfig.model_validate({"weights": "net.safetensors"}, context=context)
    assert beside.weights == Path("/somewhere/net.safetensors")
    official = TrainingConfig.model_validate({"weights": "IMAGENET1K_V2"}, context=context)
    assert official.weights == "IMAGENET1K_V2"


def test_without_a_pipeline_file_a_weights_file_is_where_it_says():
    assert TrainingConfig(weights="net.pth").weights == Path("net.pth")
    assert TrainingConfig(weights="~/net.pth").weights == Path.home() / "net.pth"
