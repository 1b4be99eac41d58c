"""The option `augment`: steps by name, each with its options."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    model_validator,
)
from torch import Tensor

from adc_core.errors import explain, lines_of, unknown_name
from adc_plugins_learn.training.data.augment.color import color_jitter
from adc_plugins_learn.training.data.augment.foreign import (
    TORCHVISION,
    Change,
    changed_one_by_one,
    function_of_the_user,
    torchvision_transform,
)
from adc_plugins_learn.training.data.augment.geometry import (
    cutout,
    random_horizontal_flip,
    random_resized_crop,
    random_translation,
)

Range = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class Step(BaseModel):
    """One change by its name and options."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str

    @abstractmethod
    def change(self) -> Change:
        """Return the function that changes a batch."""


class RandomCrop(Step):
    """Pads images with black and cuts a random part of their size."""

    use: Literal["random-crop"]
    padding: int = Field(default=4, ge=0)

    def change(self) -> Change:
        """Return `random_translation`."""
        return partial(random_translation, reach=self.padding)


class HorizontalFlip(Step):
    """Flips every second image, left to right."""

    use: Literal["horizontal-flip"]

    def change(self) -> Change:
        """Return `random_horizontal_flip`."""
        return random_horizontal_flip


class RandomResizedCrop(Step):
    """Enlarges a random box to the whole image."""

    use: Literal["random-resized-crop"]
    scale: Range = (0.08, 1)
    ratio: Range = (3 / 4, 4 / 3)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.scale[0] <= self.scale[1] <= 1:
            raise ValueError("scale is the smallest and the largest part of the area, up to 1")
        if self.ratio[0] > self.ratio[1]:
            raise ValueError("ratio is the smallest width by height, then the largest")
        return self

    def change(self) -> Change:
        """Return `random_resized_crop`."""
        return partial(random_resized_crop, scale=self.scale, ratio=self.ratio)


class ColorJitter(Step):
    """Changes brightness, contrast and saturation."""

    use: Literal["color-jitter"]
    brightness: float = Field(default=0.4, ge=0)
    contrast: float = Field(default=0.4, ge=0)
    saturation: float = Field(default=0.4, ge=0)

    def change(self) -> Change:
        """Return `color_jitter`."""
        return partial(color_jitter, **self.model_dump(exclude={"use"}))


class Cutout(Step):
    """Covers a square."""

    use: Literal["cutout"]
    length: int = Field(default=16, ge=1)

    def change(self) -> Change:
        """Return `cutout`."""
        return partial(cutout, length=self.length)


class TorchvisionStep(Step):
    """A transform of torchvision's second version, of one image at a time."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _exists(self) -> Self:
        self._transform()
        return self

    def _transform(self) -> Any:
        return torchvision_transform(self.use.removeprefix(TORCHVISION), self.model_extra or {})

    def change(self) -> Change:
        """Return what runs the transform on image after image."""
        return partial(changed_one_by_one, name=self.use, transform=self._transform())


class OwnStep(Step):
    """A function of the user, `module:function`, of a batch and a generator."""

    model_config = ConfigDict(extra="allow")

    def change(self) -> Change:
        """Return the function, whose results are checked."""
        return function_of_the_user(self.use, self.model_extra or {})


STEPS: Mapping[str, type[Step]] = MappingProxyType(
    {
        "random-crop": RandomCrop,
        "horizontal-flip": HorizontalFlip,
        "random-resized-crop": RandomResizedCrop,
        "color-jitter": ColorJitter,
        "cutout": Cutout,
    }
)
"""Name to our own steps."""


def _parsed(value: Any) -> Step:
    """Make a step of a name, or of a name with options."""
    if isinstance(value, Step):
        return value
    written = {"use": value} if isinstance(value, str) else value
    name = written.get("use") if isinstance(written, Mapping) else None
    if not isinstance(name, str):
        raise ValueError("write a name, or {use: name} with its options")
    try:
        return _kind_of(name).model_validate(written)
    except ValidationError as error:
        faults = lines_of(explain(_kind_of(name), error))
        raise ValueError("; ".join(f"{name}: {fault}" for fault in faults)) from None


def _kind_of(name: str) -> type[Step]:
    if name.startswith(TORCHVISION):
        return TorchvisionStep
    if ":" in name:
        return OwnStep
    if name not in STEPS:
        known = [*STEPS, f"{TORCHVISION}NAME", "module:function"]
        raise ValueError(unknown_name("augmentation", name, known))
    return STEPS[name]


AugmentStep = Annotated[
    SerializeAsAny[Step], BeforeValidator(_parsed, json_schema_input_type=str | dict[str, Any])
]


@dataclass(frozen=True)
class Augmentation:
    """Changes that are made one after the other.

    Attributes:
        changes: of B × H × W × 3 uint8 images, by a generator on the CPU.
    """

    changes: tuple[Change, ...] = ()

    def __call__(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Change each of B × H × W × 3 uint8 images by itself."""
        for change in self.changes:
            pixels = change(pixels, generator)
        return pixels


def build_augmentation(
    steps: Sequence[Step] | None, max_translation: int, horizontal_flip: bool
) -> Augmentation:
    """Make the changes of a training.

    Args:
        steps: in their order; without them, what the other two say.
        max_translation: largest move in each direction, in pixels.
        horizontal_flip: whether images are flipped left to right.

    Raises:
        InputError: a function of the user cannot be used.
    """
    if steps is None:
        steps = []
        if max_translation:
            steps.append(RandomCrop(use="random-crop", padding=max_translation))
        if horizontal_flip:
            steps.append(HorizontalFlip(use="horizontal-flip"))
    return Augmentation(tuple(step.change() for step in steps))
