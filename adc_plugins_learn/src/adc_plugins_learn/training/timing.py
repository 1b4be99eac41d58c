"""How long a training will take here, measured by a few of its steps."""

import time

import torch

from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.hardware.devices import find_device, seeded
from adc_plugins_learn.training.networks.backbones import build_backbone
from adc_plugins_learn.training.networks.weights import RANDOM

_STEPS = 4


def seconds_per_sample(config: TrainingConfig, classes: int) -> float:
    """Time steps of plain training on noise; the first one, which sets things up, does not count.

    Args:
        config: its backbone, image size, batch size and device are used.
        classes: K.

    Raises:
        InputError: there is no such backbone or device.
    """
    device = find_device(config.device)
    with seeded(config.seed, device):
        network = (
            build_backbone(config.backbone, classes, RANDOM, config.backbone_options)
            .to(device)
            .train()
        )
        images = torch.rand(config.batch_size, 3, config.image_size, config.image_size)
        labels = torch.randint(0, classes, (config.batch_size,))
    images, labels = images.to(device), labels.to(device)
    if config.channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9)
    taken = []
    for _ in range(_STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        torch.autograd.backward(loss)
        optimizer.step()
        loss.item()  # waits for the device
        taken.append(time.perf_counter() - start)
    return sum(taken[1:]) / len(taken[1:]) / config.batch_size
