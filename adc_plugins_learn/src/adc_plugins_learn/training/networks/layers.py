"""Layers of a network from the first to the last: which learn, and how fast."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase


def layers_of(network: nn.Module) -> list[list[nn.Parameter]]:
    """Return the parameters of each layer, in the order in which layers are defined.

    A layer is a module with parameters of its own; parameters that two share count as the first's.
    """
    seen: set[nn.Parameter] = set()
    layers = []
    for module in network.modules():
        own = [p for p in module.parameters(recurse=False) if p not in seen]
        seen.update(own)
        if own:
            layers.append(own)
    return layers


def with_rates(networks: Sequence[nn.Module], first_layer_rate: float) -> list[dict[str, Any]]:
    """Group parameters by how much of the learning rate they get, for an optimizer.

    The first layer gets `first_layer_rate` of it, the last all of it, those between in geometric
    steps: a group's "rate_factor".
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for network in networks:
        layers = layers_of(network)
        for place, layer in enumerate(layers):
            depth = place / (len(layers) - 1) if len(layers) > 1 else 1
            groups.setdefault(first_layer_rate ** (1 - depth), []).extend(layer)
    return [{"params": layer, "rate_factor": factor} for factor, layer in groups.items()]


@contextmanager
def frozen_but_for(network: nn.Module, last: nn.Module) -> Iterator[None]:
    """Keep everything but one layer as it is: weights, and statistics of normalization.

    Within it, normalization works as in evaluation, whatever mode the network is put in.
    """
    kept = [p for p in network.parameters() if p.requires_grad]
    own = {id(p) for p in last.parameters()}
    hooks = [
        module.register_forward_pre_hook(lambda module, _: module.eval() and None)
        for module in network.modules()
        if isinstance(module, _NormBase)
    ]
    for parameter in kept:
        parameter.requires_grad_(id(parameter) in own)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for parameter in kept:
            parameter.requires_grad_(True)


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Let batches pass in training mode without their mean and variance being remembered."""
    norms = [module for module in network.modules() if isinstance(module, _NormBase)]
    kept = [module.momentum for module in norms]
    for module in norms:
        module.momentum = 0.0
    try:
        yield
    finally:
        for module, momentum in zip(norms, kept, strict=True):
            module.momentum = momentum
