"""What reaches a layer of a network, for methods that look at features."""

import torch
from torch import Tensor, nn

from adc_plugins_learn.training.data.sampler import TrainingSampler


def layer_inputs(
    sampler: TrainingSampler, network: nn.Module, layer: nn.Module, rows: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run samples through a network, without augmentation and in evaluation mode.

    Args:
        sampler: of the samples.
        network: without what runs it in shares or another precision.
        layer: of the network; maps that reach it are averaged.
        rows: of the samples; without them all.

    Returns:
        N × D float32 inputs of the layer, and N × K logits.
    """
    seen: list[Tensor] = []

    def remember(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(
            inputs[0].float().flatten(2).mean(2) if inputs[0].ndim > 2 else inputs[0].float()
        )

    hook = layer.register_forward_pre_hook(remember)
    try:
        logits = sampler.evaluate(network, rows)
    finally:
        hook.remove()
    return torch.cat(seen), logits
