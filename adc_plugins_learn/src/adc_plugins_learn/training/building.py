"""What a training is made of, built from its options: network, wrappers, sampler."""

from functools import partial

import torch
from torch import Tensor, nn

from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.data.augment.steps import build_augmentation
from adc_plugins_learn.training.data.image_source import ImageSource
from adc_plugins_learn.training.data.normalize import IMAGENET_MEAN, IMAGENET_STD, Channels
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.hardware.distributed import shard_forward, sync_batch_norm
from adc_plugins_learn.training.hardware.precision import Bfloat16Autocast
from adc_plugins_learn.training.networks.architecture import Architecture, build_network, members_of
from adc_plugins_learn.training.networks.backbones import require_image_size
from adc_plugins_learn.training.networks.layers import with_rates
from adc_plugins_learn.training.optimizer import build_optimizer
from adc_plugins_learn.training.parts import (
    AdjustedNetwork,
    BoundCriterion,
    TrainingContext,
    cross_entropy,
    draw_rows,
    sample_losses,
)
from adc_plugins_learn.training.strategy import Strategy


def architecture_of(config: TrainingConfig, strategy: Strategy) -> Architecture:
    """Describe the networks of a training, whose images have the channels of ImageNet's.

    The statistics of the training set are not known before the network has taken an image.
    """
    return Architecture(
        backbone=config.backbone,
        image_size=config.image_size,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        members=strategy.n_networks,
        combine=strategy.combine,
        output=strategy.output,
        backbone_options=config.backbone_options,
        cosine_scale=None if config.criterion is None else config.criterion.cosine_scale,
    )


def network_on(
    device: torch.device, architecture: Architecture, classes: int, config: TrainingConfig
) -> nn.Module:
    """Build the network of a training; random weights come from torch's global generator.

    Raises:
        InputError: no such backbone or weights, or it takes no images of this size.
    """
    network = build_network(architecture, classes, str(config.weights))
    require_image_size(network, config.backbone, config.image_size, classes)
    network = sync_batch_norm(network.to(device), device)
    if config.channels_last:
        network.to(memory_format=torch.channels_last)
    return network


def optimizer_of(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Build the optimizer over all layers, each at its rate."""
    if config.first_layer_rate == 1:
        return build_optimizer(network.parameters(), config)
    return build_optimizer(with_rates(members_of(network), config.first_layer_rate), config)


def wrapped(
    networks: list[nn.Module], config: TrainingConfig, context: TrainingContext
) -> list[nn.Module]:
    """Wrap networks for precision, compiler, processes and adjustment; parameters stay shared.

    The compiler must see the cast to bfloat16, and a process compiles what it runs itself.
    """
    if config.precision == "bfloat16":
        networks = [Bfloat16Autocast(network) for network in networks]
    if config.torch_compile:
        for network in networks:
            network.compile()
    networks = shard_forward(networks)
    if config.adjust is not None:
        networks = [AdjustedNetwork(network, config.adjust, context) for network in networks]
    return networks


def training_sampler(
    images: ImageSource,
    labels: Tensor,
    channels: tuple[Channels, Channels],
    config: TrainingConfig,
    context: TrainingContext,
) -> TrainingSampler:
    """Build what draws batches, and changes their images.

    Args:
        images: N.
        labels: N int64 given labels, on the images' device.
        channels: mean and standard deviation of each.
        config: of the training.
        context: of the training.
    """
    mean, std = channels
    return TrainingSampler(
        images,
        labels,
        len(context.class_counts),
        batch_size=config.batch_size,
        augmentation=build_augmentation(
            config.augment, config.max_translation, config.horizontal_flip
        ),
        seed=config.seed,
        mean=mean,
        std=std,
        draw=None if config.sampler is None else partial(draw_rows, config.sampler, context),
    )


def criterion_of(config: TrainingConfig, context: TrainingContext) -> BoundCriterion:
    """Return the loss of a sample: that of the options, or cross-entropy."""
    if config.criterion is None:
        return cross_entropy
    return partial(sample_losses, config.criterion, context)
