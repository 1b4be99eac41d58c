"""A network as a row of stages, from the images to the logits."""

from itertools import chain

from torch import Tensor, nn

from adc_core import InputError
from adc_plugins_learn.training.hardware.distributed import ShardedForward
from adc_plugins_learn.training.hardware.precision import Bfloat16Autocast
from adc_plugins_learn.training.parts import AdjustedNetwork

_CONTAINERS = ("blocks", "features", "stages")
"""Names that networks give to such a row."""


def unwrapped(network: nn.Module) -> nn.Module:
    """Return the network without what adjusts it or runs it in another precision or in shares."""
    while isinstance(network, AdjustedNetwork | Bfloat16Autocast | ShardedForward):
        network = network.network
    return network


def stages_of(network: nn.Module) -> list[nn.ModuleList]:
    """Return the children of a network that have weights, those within its containers one by one.

    A normalization by itself belongs to the stage before it. The last one makes the logits.
    """
    children: list[nn.Module] = []
    for name, child in network.named_children():
        children += child.children() if name in _CONTAINERS else [child]
    stages: list[nn.ModuleList] = []
    for child in children:
        weights = list(child.parameters())
        if weights and (not stages or any(weight.ndim > 1 for weight in weights)):
            stages.append(nn.ModuleList([child]))
        elif stages:
            stages[-1].append(child)
    return stages


def renew_last(network: nn.Module, count: int, fresh: nn.Module) -> None:
    """Give the last stages of a network the weights and statistics of another of its shape.

    Args:
        network: changed in place.
        count: of stages, at most all.
        fresh: the other.
    """
    pairs = zip(stages_of(network)[-count:], stages_of(fresh)[-count:], strict=True)
    for own, new in pairs:
        own.load_state_dict(new.state_dict())


def freeze_all_but_last(network: nn.Module, count: int) -> list[Tensor]:
    """Let only the last stages get gradients; return their parameters.

    Raises:
        InputError: the network has no stage before the last.
    """
    network.requires_grad_(False)
    stages = stages_of(network)
    if len(stages) < 2:
        raise InputError(
            f"{type(network).__name__} is one stage: give its parts modules of their own, or name "
            f"their container {' or '.join(_CONTAINERS)}"
        )
    last = stages[-count:]
    for stage in last:
        stage.requires_grad_(True)
    return list(chain.from_iterable(stage.parameters() for stage in last))
