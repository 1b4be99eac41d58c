"""A network as a row of parts, from the images to the logits."""

from itertools import chain

from torch import Tensor, nn

from adc_plugins_learn.training.hardware.distributed import ShardedForward
from adc_plugins_learn.training.hardware.precision import Bfloat16Autocast
from adc_plugins_learn.training.parts import AdjustedNetwork

_CONTAINERS = ("blocks", "features", "stages")
"""Names that networks give to a row of parts."""


def unwrapped(network: nn.Module) -> nn.Module:
    """Return the network without what adjusts it or runs it in another precision or in shares."""
    while isinstance(network, AdjustedNetwork | Bfloat16Autocast | ShardedForward):
        network = network.network
    return network


def parts_of(network: nn.Module) -> list[nn.ModuleList]:
    """Return the children of a network that have weights, those of its `stages` one by one.

    A normalization by itself belongs to the part before it. The last part makes the logits.
    """
    children: list[nn.Module] = []
    for name, child in network.named_children():
        children += child.children() if name in _CONTAINERS else [child]
    parts: list[nn.ModuleList] = []
    for child in children:
        weights = list(child.parameters())
        if weights and (not parts or any(weight.ndim > 1 for weight in weights)):
            parts.append(nn.ModuleList([child]))
        elif parts:
            parts[-1].append(child)
    return parts


def renew_last(network: nn.Module, count: int, fresh: nn.Module) -> None:
    """Give the last parts of a network the weights and statistics of another of its shape.

    Args:
        network: changed in place.
        count: of parts, at most all.
        fresh: the other.
    """
    pairs = zip(parts_of(network)[-count:], parts_of(fresh)[-count:], strict=True)
    for own, new in pairs:
        own.load_state_dict(new.state_dict())


def freeze_all_but_last(network: nn.Module, count: int) -> list[Tensor]:
    """Let only the last parts get gradients; return their parameters."""
    network.requires_grad_(False)
    last = parts_of(network)[-count:]
    for part in last:
        part.requires_grad_(True)
    return list(chain.from_iterable(part.parameters() for part in last))
