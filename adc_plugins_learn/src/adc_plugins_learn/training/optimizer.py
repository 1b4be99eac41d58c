"""The optimizer of a training: any class of torch.optim by its name, with its own options."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator
from torch import nn

from adc_core.errors import unknown_name

_UNFIT = {"lbfgs", "muon", "optimizer", "rprop", "sparseadam"}
"""Needs closures; takes matrices alone; is abstract; needs whole data sets; sparse gradients."""

OPTIMIZERS: Mapping[str, type[torch.optim.Optimizer]] = {
    name.lower(): kind
    for name, kind in sorted(vars(torch.optim).items())
    if inspect.isclass(kind) and issubclass(kind, torch.optim.Optimizer)
    if name.lower() not in _UNFIT
}
"""Name in lower case to class."""

_OWN = {"lr": "learning_rate", "momentum": "momentum", "weight_decay": "weight_decay"}
"""What torch calls the options that all optimizers have in common, to what they are here."""


def _known(name: str) -> str:
    if name not in OPTIMIZERS:
        raise ValueError(unknown_name("optimizer", name, OPTIMIZERS))
    return name


OptimizerName = Annotated[str, AfterValidator(_known)]


class OptimizerConfig(BaseModel):
    """Which steps are made of gradients."""

    optimizer: OptimizerName = Field(
        default="sgd",
        description="sgd, adam, adamw, rmsprop, … : a class of torch.optim in lower case",
    )
    learning_rate: float = Field(default=0.05, gt=0, le=1000, description="at the start")
    momentum: float = Field(
        default=0.9,
        ge=0,
        lt=1,
        description="Nesterov's of SGD, RMSprop's, or the first beta of Adam's kin",
    )
    weight_decay: float = Field(
        default=5e-4, ge=0, le=1, description="L2 penalty, or the decay of adamw"
    )
    optimizer_options: dict[str, Any] = Field(
        default={},
        description="further arguments of its class: {nesterov: false}, {betas: [0.9, 0.99]}",
    )
    decay_biases: bool = Field(
        default=True,
        description="false: biases and normalization, parameters of one axis, do not decay",
    )
    clip_gradient_norm: float | None = Field(
        default=None, gt=0, description="scale gradients of each network down to this norm"
    )

    @field_validator("optimizer_options")
    @classmethod
    def _check_options(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Try them on one weight, where what the class is built with is known."""
        if not info.data.keys() >= _NEEDED:
            return options
        name = info.data["optimizer"]
        takes = [*inspect.signature(OPTIMIZERS[name]).parameters]
        for option in options:
            if option in _OWN:
                raise ValueError(f'"{option}" is not set here: set {_OWN[option]} of the learner')
            if option not in takes or option == "params":
                known = [taken for taken in takes if taken not in (*_OWN, "params")]
                raise ValueError(unknown_name(f"option of {name}", option, known))
        config = cls.model_construct(**info.data, optimizer_options=options)
        try:
            build_optimizer([nn.Parameter(torch.zeros(1))], config)
        except Exception as error:  # torch checks by errors of many types
            raise ValueError(f"{name} does not take them ({error})") from error
        return options


_NEEDED = {"optimizer", "learning_rate", "momentum", "weight_decay"}


def build_optimizer(
    parameters: Iterable[nn.Parameter] | Sequence[Mapping[str, Any]], config: OptimizerConfig
) -> torch.optim.Optimizer:
    """Build one optimizer over all parameters; it skips those without a gradient.

    Args:
        parameters: all, or groups of them as torch takes them.
        config: of the optimizer.
    """
    groups: Any = list(parameters)
    if not config.decay_biases:
        groups = [
            {**group, "params": own, **decay}
            for group in (groups if isinstance(groups[0], Mapping) else [{"params": groups}])
            for own, decay in (
                ([p for p in group["params"] if p.ndim > 1], {}),
                ([p for p in group["params"] if p.ndim <= 1], {"weight_decay": 0}),
            )
            if own
        ]
    kind = OPTIMIZERS[config.optimizer]
    takes = inspect.signature(kind).parameters
    arguments: dict[str, Any] = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    if "momentum" in takes:
        arguments["momentum"] = config.momentum
    if "nesterov" in takes:
        arguments["nesterov"] = config.momentum > 0
    if "betas" in takes:
        arguments["betas"] = (config.momentum, takes["betas"].default[1])
    for name, value in config.optimizer_options.items():
        arguments[name] = tuple(value) if isinstance(value, list) else value
    return kind(groups, **arguments)
