"""Two views of an image whose predictions are to agree: how they are made, and compared."""

from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from adc_plugins_learn.training.data.augment.steps import (
    Augmentation,
    AugmentStep,
    ColorJitter,
    Cutout,
    build_augmentation,
)
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import BatchPlan


def consistency_losses(
    plain: Tensor, strong: Tensor, temperature: float = 1, confidence: float = 0
) -> Tensor:
    """Compute KL(target ‖ prediction of the strong view), the target being the plain view's.

    Xie et al., "Unsupervised data augmentation for consistency training", NeurIPS 2020. The mask
    asks the probability before it is sharpened. Average over all rows, masked ones included: the
    weight of the others would else be largest while few are sure.

    Args:
        plain: B × K logits of a weak view, which get no gradient.
        strong: B × K logits of a strong view.
        temperature: of the target's softmax; below 1 it is sharper than the prediction.
        confidence: rows whose largest probability is not above it count 0.

    Returns:
        B losses, in nats.
    """
    plain = plain.detach()
    target = (plain / temperature).log_softmax(dim=1)
    losses = (target.exp() * (target - strong.log_softmax(dim=1))).sum(dim=1)
    sure = plain.softmax(dim=1).amax(dim=1) > confidence
    return losses * sure


class Views(NamedTuple):
    """What a network says of samples with labels, and of two views of others.

    Attributes:
        batch: B samples with labels.
        own: B × K logits of them.
        rows: M rows of the others.
        plain: M × K logits of a weak view.
        strong: M × K logits of a strong view.
    """

    batch: Batch
    own: Tensor
    rows: Tensor
    plain: Tensor
    strong: Tensor


def look_twice(
    sampler: TrainingSampler, network: nn.Module, plan: BatchPlan, further: Augmentation
) -> Views:
    """Run a network on a batch and on two views of the plan's further rows, all together.

    Together, so that BatchNorm sees images with and without labels, as in UDA's official code.
    """
    assert plan.extra_rows is not None
    batch, weak = sampler.batch(plan.rows), sampler.batch(plan.extra_rows)
    strong = sampler.batch(plan.extra_rows, further)
    counts = [len(batch.rows), len(weak.rows), len(weak.rows)]
    logits = network(torch.cat([batch.images, weak.images, strong.images]))
    own, plain, changed = logits.split(counts)
    return Views(batch, own, weak.rows, plain, changed)


class TwoViewLearner(NetworkLearner):
    """Trains on a weak view of an image, and on a strong one that adds further changes."""

    strong_augment: tuple[AugmentStep, ...] | None = Field(
        default=None,
        description="changes that make the strong view of an image, after those of every view: "
        "steps as of augment; without it color-jitter, and cutout of half its side",
    )

    @property
    def further(self) -> Augmentation:
        """The changes that the strong view has and the weak one has not."""
        steps = self.strong_augment
        if steps is None:
            hole = max(1, self.image_size // 2)
            steps = (ColorJitter(use="color-jitter"), Cutout(use="cutout", length=hole))
        return build_augmentation(steps, max_translation=0, horizontal_flip=False)
