"""What a training may be given beside its method: four parts, each a kind of component."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from adc_core import Component
from adc_core.components import ResultFault


@dataclass
class TrainingContext:
    """What a part is told of the training that it belongs to.

    Attributes:
        class_counts: K float32 numbers of training samples with each given label.
        epochs: of the whole training.
        epoch: the present one, from 0.
    """

    class_counts: Tensor
    epochs: int
    epoch: int = 0

    @property
    def progress(self) -> float:
        """The part of the epochs that is over, 0 … 1."""
        return self.epoch / self.epochs

    @property
    def log_prior(self) -> Tensor:
        """K logarithms of the classes' parts of the samples; of no sample 10⁻¹² is taken."""
        return (self.class_counts / self.class_counts.sum()).clamp_min(1e-12).log()


class Criterion(Component):
    """The loss of one sample, where a method leaves it open."""

    kind: ClassVar[str] = "criteria"

    @property
    def cosine_scale(self) -> float | None:
        """What cosines are multiplied by that shall be the logits; None: the network's own."""
        return None

    @abstractmethod
    def losses(self, logits: Tensor, targets: Tensor, context: TrainingContext) -> Tensor:
        """Compute B losses, in nats.

        Args:
            logits: B × K float32.
            targets: B int64 class indices, or B × K probabilities.
            context: of the training.
        """


class Sampler(Component):
    """Chooses which samples an epoch consists of, and their order."""

    kind: ClassVar[str] = "samplers"

    @abstractmethod
    def draw(self, labels: Tensor, context: TrainingContext, generator: torch.Generator) -> Tensor:
        """Draw positions in the labels, in the order in which they are learned from.

        Args:
            labels: N int64, on the CPU: of the samples that there are to choose from.
            context: of the training.
            generator: what all chance comes from; checkpoints keep it.

        Returns:
            int64 positions, as many as the epoch shall have; repeated or left out as need be.
        """


class Adjustment(Component):
    """Changes the logits that are learned from; predictions stay as the network makes them."""

    kind: ClassVar[str] = "adjustments"

    @abstractmethod
    def adjusted(self, logits: Tensor, context: TrainingContext) -> Tensor:
        """Return B × K logits for B × K float32 logits of a training step."""


class Posthoc(Component):
    """Shifts the logits of a trained model, by what is known of classes or of held-out samples."""

    kind: ClassVar[str] = "posthocs"

    needs_validation: ClassVar[bool] = True
    """Whether it looks at held-out samples."""

    @abstractmethod
    def shift(
        self,
        logits: NDArray[np.float32],
        labels: NDArray[np.int64],
        class_counts: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """Compute K numbers that are added to logits before they become probabilities.

        Args:
            logits: M × K of held-out samples; M is 0 where it needs none.
            labels: M class indices.
            class_counts: K numbers of training samples.
        """


BoundCriterion = Callable[[Tensor, Tensor], Tensor]
"""B × K logits and B indices or B × K probabilities of classes to B losses."""


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Compute the negative log-probability of the target: the criterion where none is given.

    Args:
        logits: B × K.
        targets: B int64 class indices, or B × K probabilities.

    Returns:
        B losses, in nats.
    """
    return nn.functional.cross_entropy(logits, targets, reduction="none")


def sample_losses(
    criterion: Criterion, context: TrainingContext, logits: Tensor, targets: Tensor
) -> Tensor:
    """Ask a criterion for the losses of a batch.

    Raises:
        ResultFault: it returned anything but one loss for each sample.
    """
    losses = criterion.losses(logits, targets, context)
    if losses.shape == logits.shape[:1]:
        return losses
    raise ResultFault(
        f"the criterion {criterion.name} returned a tensor of shape {tuple(losses.shape)} for "
        f"{len(logits)} samples: it must return one loss for each"
    )


def draw_rows(
    sampler: Sampler, context: TrainingContext, labels: Tensor, generator: torch.Generator
) -> Tensor:
    """Ask a sampler what an epoch consists of.

    Raises:
        ResultFault: it returned anything but positions in the labels.
    """
    drawn = sampler.draw(labels, context, generator)
    is_list = drawn.ndim == 1 and drawn.dtype == torch.int64 and len(drawn) > 0
    if is_list and int(drawn.min()) >= 0 and int(drawn.max()) < len(labels):
        return drawn
    raise ResultFault(
        f"the sampler {sampler.name} returned {tuple(drawn.shape)} {drawn.dtype}: it must return "
        f"int64 positions in 0…{len(labels) - 1}"
    )


class AdjustedNetwork(nn.Module):
    """A network whose logits are adjusted while they are learned from.

    In evaluation mode, and where no gradient is taken, methods judge samples: by what the network
    says, so that nothing is adjusted there.
    """

    def __init__(
        self, network: nn.Module, adjustment: Adjustment, context: TrainingContext
    ) -> None:
        super().__init__()
        self.network, self._adjustment, self._context = network, adjustment, context

    def forward(self, images: Tensor) -> Tensor:
        """Compute B × K float32 logits of B × 3 × H × W images, and what follows them."""
        logits: Tensor = self.network(images)
        if not (self.training and torch.is_grad_enabled()):
            return logits
        K = len(self._context.class_counts)
        adjusted = self._adjustment.adjusted(logits[:, :K].float(), self._context)
        # Some heads pass on features behind the logits.
        return torch.cat([adjusted, logits[:, K:].float()], dim=1)
