"""How to train, whatever the method: the options that every learner shares."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationInfo

from adc_core.components.component import LocalPath
from adc_plugins_learn.training.devices import DeviceName
from adc_plugins_learn.training.pictures import Keeping
from adc_plugins_learn.training.precision import Precision
from adc_plugins_learn.training.weights import is_weights_file

_LOCAL: TypeAdapter[Path] = TypeAdapter(LocalPath)


def _from_the_file(weights: str | Path, info: ValidationInfo) -> str | Path:
    if is_weights_file(str(weights)):
        return _LOCAL.validate_python(weights, context=info.context)
    return weights


Weights = Annotated[str | Path, AfterValidator(_from_the_file)]
"""`random`, an official name, or a file; a path is relative to the pipeline file, as everywhere."""


PACE = ("pictures", "decoders")
"""Options that leave the result as it is."""


class Recipe(BaseModel):
    """Network, pictures, schedule and seed of a training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = Field(
        "small-cnn",
        description="small-cnn, tiny-cnn, resnet-cifar-20, preact-resnet18, a torchvision model, "
        "timm/NAME, or your own module:function",
    )
    weights: Weights = Field(
        "random", description="random, an official name, or the path of a weights file"
    )
    image_size: int = Field(32, ge=8, description="side of the pictures given to it, in pixels")
    epochs: int = Field(10, ge=1, description="passes over the training set")
    batch_size: int = Field(64, ge=2, description="pictures per step")
    optimizer: Literal["sgd", "adam"] = Field("sgd", description="what makes the steps")
    learning_rate: float = Field(0.05, gt=0, le=1000, description="at the start")
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov's of SGD, or Adam's first beta")
    weight_decay: float = Field(5e-4, ge=0, le=1, description="L2 penalty")
    schedule: Literal["cosine", "constant", "step", "linear"] = Field(
        "cosine", description="of the learning rate"
    )
    step_epochs: int = Field(2, ge=1, description="step: epochs between two drops")
    step_factor: float = Field(0.8, gt=0, le=1, description="step: what a drop multiplies by")
    decay_from: float = Field(
        0.4, ge=0, lt=1, description="linear: the part of the epochs before the rate falls"
    )
    shift: int = Field(2, ge=0, description="move pictures by up to so many pixels")
    mirror: bool = Field(True, description="mirror pictures at random; not for digits or text")
    validation_share: float = Field(
        0, ge=0, lt=1, description="share of the samples held out to judge epochs by"
    )
    keep: Literal["last", "best"] = Field(
        "last", description="the last epoch, or the best one by the validation set"
    )
    keep_logits: bool = Field(
        False,
        description="keep each epoch's logits of every sample among the training dynamics, in "
        "2 × classes bytes a sample and epoch",
    )
    precision: Precision = Field(
        "float32", description="bfloat16 computes faster where the hardware has it"
    )
    channels_last: bool = Field(
        False, description="lay pictures out by pixel, which some hardware likes better"
    )
    compiled: bool = Field(
        False,
        description="torch.compile: minutes before the first step, faster ones on a GPU, and "
        "nearly the same result",
    )
    pictures: Keeping = Field(
        "auto",
        description="held decoded where the network is, streamed by processes that decode them "
        "again in each epoch, or auto: held in up to a quarter of the memory; the result is one",
    )
    decoders: int = Field(4, ge=1, description="processes that decode, where pictures are streamed")
    device: DeviceName = "auto"
    devices: int = Field(
        1,
        ge=1,
        description="GPUs, or processes on the CPU, that share every batch out among themselves",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="draws weights, order and augmentation")
