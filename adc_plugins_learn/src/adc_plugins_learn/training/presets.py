"""Published trainings by name: what all methods share in them; each method adds its own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

ADC: Mapping[str, Any] = MappingProxyType(
    {
        "backbone": "resnet50",
        "weights": "IMAGENET1K_V1",
        "image_size": 256,
        "epochs": 20,
        "batch_size": 64,
        "learning_rate": 0.01,
        "weight_decay": 1e-3,
        "schedule": "step",
        "step_epochs": 2,
        "step_factor": 0.8,
        "max_translation": 4,
    }
)
"""The training of the ADC paper (C.2 to C.4), which leaves weight decay and translation open."""

CIFAR_N: Mapping[str, Any] = MappingProxyType(
    {
        "backbone": "resnet34-cifar",
        "image_size": 32,
        "epochs": 100,
        "batch_size": 128,
        "learning_rate": 0.1,
        "momentum": 0.9,
        "optimizer_options": {"nesterov": False},
        "weight_decay": 5e-4,
        "schedule": "milestones",
        "milestones": (60,),
        "step_factor": 0.1,
        "max_translation": 4,
        "horizontal_flip": True,
    }
)
"""The training of CIFAR-10N's official code (UCSC-REAL/cifar-10-100n, main.py)."""

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType({"adc": ADC, "cifar-n": CIFAR_N})


def with_preset(
    options: Mapping[str, Any], shared: Mapping[str, Any], own: Mapping[str, Any]
) -> dict[str, Any]:
    """Fill options that are left out with those of a method, then with those of all."""
    preset = {**shared, **own}
    if "optimizer" in options:
        preset.pop("optimizer_options", None)  # another class does not take them
    return {**preset, **options, "preset": "default"}
