"""The training set: batches in random order, draws, and a plain pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from adc_plugins_learn.training.config import Recipe
from adc_plugins_learn.training.data.augment import mirror, shift
from adc_plugins_learn.training.data.image_source import Pictures
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


class Samples:
    """The training samples, and all that is drawn of them.

    Args:
        pictures: N.
        labels: N int64 given labels.
        classes: K.
        recipe: batch size, augmentation and seed.
        mean: of each channel.
        std: of each channel.
    """

    def __init__(
        self,
        pictures: Pictures,
        labels: Tensor,
        classes: int,
        recipe: Recipe,
        mean: Channels,
        std: Channels,
    ) -> None:
        self.labels, self.classes, self.batch_size = labels, classes, recipe.batch_size
        self.device = pictures.device
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self._pictures, self._recipe, self._channels = pictures, recipe, (mean, std)

    def __len__(self) -> int:
        return len(self.labels)

    def shuffled(self, rows: Tensor | None = None, size: int | None = None) -> list[Tensor]:
        """Rows in random order, cut into batches; a last one of one joins the one before.

        BatchNorm cannot normalize a single picture whose maps have shrunk to one pixel.

        Args:
            rows: those to take, on the CPU; without them all.
            size: of a batch, if not that of the recipe.
        """
        count = len(self) if rows is None else len(rows)
        order = torch.randperm(count, generator=self.generator)
        if rows is not None:
            order = rows[order]
        size = size or self.batch_size
        starts = list(range(0, count, size))
        if count - starts[-1] == 1 and len(starts) > 1:
            starts.pop()
        return [order[a:b] for a, b in zip(starts, [*starts[1:], count], strict=True)]

    def drawn(self, count: int) -> Tensor:
        """Rows drawn with replacement, independently of everything before."""
        return torch.randint(0, len(self), (count,), generator=self.generator)

    def expect(self, plan: Sequence[Tensor]) -> None:
        """Tell which rows will be asked for next, step by step."""
        self._pictures.expect(plan)

    def batch(self, rows: Tensor) -> Batch:
        """These samples under a new augmentation: taken twice, they make two views."""
        pixels, rows = self._pictures.take(rows), rows.to(self.device)
        if self._recipe.shift:
            pixels = shift(pixels, self._recipe.shift, self.generator)
        if self._recipe.mirror:
            pixels = mirror(pixels, self.generator)
        return Batch(rows, to_input(pixels, *self._channels), self.labels[rows])

    @torch.no_grad()
    def evaluate(self, network: nn.Module) -> Tensor:
        """N × K float32 logits of all samples: no augmentation, no gradient, evaluation mode."""
        training = network.training
        network.eval()
        parts = [network(to_input(pixels, *self._channels)).float() for pixels in self._pictures]
        network.train(training)
        return torch.cat(parts)
