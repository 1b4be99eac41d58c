"""How to train, whatever the method: the options that every learner shares."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from adc_plugins_learn.training.devices import DeviceName


class Recipe(BaseModel):
    """Network, pictures, schedule and seed of a training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = Field("small-cnn", description="small-cnn or a torchvision model")
    weights: str = Field(
        "random", description="random, an official name, or the path of a weights file"
    )
    image_size: int = Field(32, ge=8, description="side of the pictures given to it, in pixels")
    epochs: int = Field(10, ge=1, description="passes over the training set")
    batch_size: int = Field(64, ge=2, description="pictures per step")
    learning_rate: float = Field(0.05, gt=0, description="of SGD, at the start")
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov momentum of SGD")
    weight_decay: float = Field(5e-4, ge=0, description="L2 penalty of SGD")
    schedule: Literal["cosine", "constant"] = Field("cosine", description="of the learning rate")
    shift: int = Field(2, ge=0, description="move pictures by up to so many pixels")
    mirror: bool = Field(True, description="mirror pictures at random; not for digits or text")
    device: DeviceName = "auto"
    seed: int = Field(0, description="draws weights, order and augmentation")
