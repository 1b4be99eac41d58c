"""How to train, whatever the method: the options that every learner shares."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from adc_plugins_learn.training.data.augment.steps import AugmentStep
from adc_plugins_learn.training.data.image_source import ImageLoading
from adc_plugins_learn.training.hardware.devices import DeviceName
from adc_plugins_learn.training.hardware.precision import Precision
from adc_plugins_learn.training.networks.own import BackboneName
from adc_plugins_learn.training.networks.weights import Weights
from adc_plugins_learn.training.parts import Adjustment, Criterion, Posthoc, Sampler
from adc_plugins_learn.training.schedule import ScheduleConfig

EXECUTION_OPTIONS = ("image_loading", "num_workers", "checkpoint_minutes")
"""Options that do not change the result."""


class TrainingConfig(ScheduleConfig):
    """Network, images, optimizer, schedule and seed of a training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: BackboneName = Field(
        default="small-cnn",
        description="small-cnn, tiny-cnn, resnet-cifar-20, preact-resnet18, a torchvision model, "
        "timm/NAME, or your own module:function; in Python also a class or a network",
    )
    backbone_options: dict[str, Any] = Field(
        default={}, description="further arguments of your own module:function"
    )
    freeze_backbone: float = Field(
        default=0,
        ge=0,
        le=1,
        description="part of the epochs, first, in which the last layer alone learns; 1: all",
    )
    first_layer_rate: float = Field(
        default=1,
        gt=0,
        le=1,
        description="part of the learning rate that the first layer gets; the last gets all, those "
        "between in geometric steps",
    )
    weights: Weights = Field(
        default="random", description="random, an official name, or the path of a weights file"
    )
    image_size: int = Field(
        default=32, ge=8, description="side of the images given to it, in pixels"
    )
    batch_size: int = Field(default=64, ge=2, description="images per step")
    weight_average: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="judge and return the running average of the weights, which keeps so much of "
        "itself a step; 0: the weights themselves",
    )
    augment: tuple[AugmentStep, ...] | None = Field(
        default=None,
        description="random changes of images, in place of the next two options: random-crop, "
        "horizontal-flip, random-resized-crop, color-jitter, cutout, torchvision/NAME or your own "
        "module:function, each a name or {use: name} with options",
    )
    max_translation: int = Field(default=2, ge=0, description="move images by up to so many pixels")
    horizontal_flip: bool = Field(
        default=True, description="flip images left to right at random; not for digits or text"
    )
    sampler: Sampler | None = Field(
        default=None, description="what an epoch consists of; without it each sample once"
    )
    criterion: Criterion | None = Field(
        default=None,
        description="loss of a sample, for methods that leave it open: cross-entropy else",
    )
    adjust: Adjustment | None = Field(
        default=None, description="change of the logits that are learned from; predictions stay"
    )
    posthoc: Posthoc | None = Field(
        default=None,
        description="shift of the trained model's logits; most are fitted on held-out samples",
    )
    validation_fraction: float = Field(
        default=0, ge=0, lt=1, description="fraction of the samples held out to judge epochs by"
    )
    select_epoch: Literal["last", "best"] = Field(
        default="last", description="return the last epoch, or the best one by the validation set"
    )
    keep_logits: bool = Field(
        default=False,
        description="keep each epoch's logits of every sample among the training dynamics, in "
        "2 × classes bytes a sample and epoch",
    )
    precision: Precision = Field(
        default="float32", description="bfloat16 computes faster where the hardware has it"
    )
    channels_last: bool = Field(
        default=False, description="lay images out by pixel, which is faster on some hardware"
    )
    torch_compile: bool = Field(
        default=False,
        description="torch.compile: minutes before the first step, faster ones on a GPU, and "
        "nearly the same result",
    )
    image_loading: ImageLoading = Field(
        default="auto",
        description="in-memory: decoded once; streaming: decoded by processes in each epoch; auto: "
        "in memory if a quarter of it is enough; the result is the same",
    )
    num_workers: int = Field(default=4, ge=1, description="streaming: processes that decode")
    checkpoint_minutes: float = Field(
        default=1,
        ge=0,
        description="so much work is lost at most when a training is stopped; 0: an epoch",
    )
    device: DeviceName = "auto"
    devices: int = Field(
        default=1,
        ge=1,
        description="GPUs, or processes on the CPU, that share every batch out among themselves",
    )
    seed: int = Field(
        default=0, ge=0, lt=2**63, description="seed of weights, order and augmentation"
    )
