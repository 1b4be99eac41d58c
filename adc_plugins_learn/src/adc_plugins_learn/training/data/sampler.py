"""The training set: batches in random order, draws with replacement, and a plain pass."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from adc_plugins_learn.training.data.augment.steps import Augmentation
from adc_plugins_learn.training.data.image_source import ImageSource
from adc_plugins_learn.training.data.normalize import Channels, to_input


@dataclass(frozen=True)
class Batch:
    """Some training samples.

    Attributes:
        rows: B int64 rows of the dataset.
        images: B × 3 × H × W float32, augmented and normalized.
        labels: B int64 given labels.
    """

    rows: Tensor
    images: Tensor
    labels: Tensor


class TrainingSampler:
    """The training samples, and all that is drawn of them.

    Args:
        images: N.
        labels: N int64 given labels.
        n_classes: K.
        batch_size: of a step.
        augmentation: random changes of images.
        seed: of the order, the draws and the augmentation.
        mean: of each channel.
        std: of each channel.
        draw: what an epoch consists of: positions in N labels, by a generator; without it all of
            them once, in random order.
    """

    def __init__(
        self,
        images: ImageSource,
        labels: Tensor,
        n_classes: int,
        *,
        batch_size: int,
        augmentation: Augmentation,
        seed: int,
        mean: Channels,
        std: Channels,
        draw: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    ) -> None:
        self.labels, self.n_classes, self.batch_size = labels, n_classes, batch_size
        self.device = images.device
        # Not the generator of the weights, whose numbers would be the same.
        self.generator = torch.Generator().manual_seed(
            int(np.random.SeedSequence([seed, 1]).generate_state(1, np.uint64)[0] >> np.uint64(1))
        )
        self._images, self._augmentation, self._channels = images, augmentation, (mean, std)
        self._draw, self._labels = draw, labels.cpu()

    def __len__(self) -> int:
        return len(self.labels)

    def shuffled_batches(
        self,
        rows: Tensor | None = None,
        batch_size: int | None = None,
        *,
        by_labels: bool = True,
    ) -> list[Tensor]:
        """Draw rows and cut them into batches; a last batch of one joins the one before.

        BatchNorm cannot normalize a single image whose maps have shrunk to one pixel.

        Args:
            rows: those to take, on the CPU; without them all.
            batch_size: if not that of a step.
            by_labels: whether the training's sampler may choose among them by their labels; else
                each is taken once.
        """
        if by_labels and self._draw is not None:
            order = self._draw(self._labels if rows is None else self._labels[rows], self.generator)
        else:
            order = torch.randperm(
                len(self) if rows is None else len(rows), generator=self.generator
            )
        count = len(order)
        if rows is not None:
            order = rows[order]
        size = batch_size or self.batch_size
        starts = list(range(0, count, size))
        if count - starts[-1] == 1 and len(starts) > 1:
            starts.pop()
        return [order[a:b] for a, b in zip(starts, [*starts[1:], count], strict=True)]

    def endless_batches(
        self, rows: Tensor, batch_size: int | None = None, *, by_labels: bool = True
    ) -> Iterator[Tensor]:
        """Yield batches of rows without end, drawn anew each time; see `shuffled_batches`."""
        while True:
            yield from self.shuffled_batches(rows, batch_size, by_labels=by_labels)

    def sample_with_replacement(self, count: int) -> Tensor:
        """Draw rows with replacement, independently of everything before."""
        return torch.randint(0, len(self), (count,), generator=self.generator)

    def prefetch(self, batches: Sequence[Tensor]) -> None:
        """Announce which rows `batch` will be asked for next, step by step."""
        self._images.prefetch(batches)

    def batch(self, rows: Tensor, further: Augmentation | None = None) -> Batch:
        """Load samples under a new augmentation: taken twice, they make two views.

        Args:
            rows: B of the dataset.
            further: changes after the usual ones, which make a strong view.
        """
        pixels, rows = self._images.take(rows), rows.to(self.device)
        pixels = self._augmentation(pixels, self.generator)
        if further is not None:
            pixels = further(pixels, self.generator)
        return Batch(rows, to_input(pixels, *self._channels), self.labels[rows])

    def of_others(self, images: ImageSource, labels: Tensor) -> "TrainingSampler":
        """Make batches of other samples, each once, augmented and normalized by the same generator.

        Args:
            images: M.
            labels: M int64 labels.
        """
        others = copy(self)
        others._images, others.labels = images, labels
        others._draw, others._labels = None, labels.cpu()
        return others

    @torch.no_grad()
    def evaluate(self, network: nn.Module, rows: Tensor | None = None) -> Tensor:
        """Return N × K float32 logits of samples, without augmentation, in evaluation mode.

        Args:
            network: put back into the mode that it was in.
            rows: of the samples; without them all.
        """
        training = network.training
        network.eval()
        images: Iterable[Tensor] = self._images
        if rows is not None:
            images = (self._images.take(part) for part in torch.split(rows, 2 * self.batch_size))
        parts = [network(to_input(pixels, *self._channels)).float() for pixels in images]
        network.train(training)
        return torch.cat(parts)
