"""PLS with LSA: images outside all classes, learned by predictions as far as these hold."""

from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from adc_core import Dataset
from adc_plugins_learn.learners.mixup import sample_beta
from adc_plugins_learn.learners.sop import balance_penalty
from adc_plugins_learn.methods.consistency import TwoViewLearner
from adc_plugins_learn.methods.layer_inputs import layer_inputs
from adc_plugins_learn.methods.separation import chance_outside, seem_outside, small_loss_chance
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.networks.backbones import last_layer
from adc_plugins_learn.training.networks.layers import statistics_kept
from adc_plugins_learn.training.networks.stages import unwrapped
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


def sharpened(probabilities: Tensor) -> Tensor:
    """Square B × K probabilities and divide them by their sum."""
    squares = probabilities**2
    return squares / squares.sum(dim=1, keepdim=True)


def weighted_blend_loss(
    logits: Tensor, targets: Tensor, weights: Tensor, order: Tensor, share: float
) -> Tensor:
    """Compute λ·(weighted mean CE of the own targets) + (1 − λ)·(that of the partners').

    Args:
        logits: B × K of blends.
        targets: B × K probabilities.
        weights: B, of each sample's target.
        order: B positions of those blended in.
        share: λ.
    """

    def half(aims: Tensor, counting: Tensor) -> Tensor:
        total = (counting * cross_entropy(logits, aims)).sum()
        mean: Tensor = total / counting.sum().clamp_min(1e-6)
        return mean

    return share * half(targets, weights) + (1 - share) * half(targets[order], weights[order])


class PseudoLossSelection(TwoViewLearner):
    """Trains by labels, and by its own predictions on images that lie outside all classes.

    In every epoch images outside are found, in turn by a plane between those of large loss and the
    others, and by the loss alone. Their target is the squared prediction of a weak view, learned on
    a strong one; its weight is how likely its loss in this epoch is of the smaller kind. All are
    learned by mixup. The plane is in the dataset's features where it has some, of a
    self-supervised encoder best, else in the network's. Where `set-aside` has voided labels, by the
    flags of `linear-separation` for one, their images are outside in every epoch, and no others.
    Albert et al., "An accurate detection is not all you need to combat label noise in web-noisy
    datasets", ECCV 2024, without its contrastive term, which is off there, and without its second
    network.

    Traps: a plane in the features of a network with random weights means nothing at first, so keep
    a `warm_up` of cross-entropy. A class that is learned late may be taken for outside as a whole.
    On digits of six classes, and as many images of other digits among their labels, it names .98,
    cross-entropy .99, and with the right images set aside .99: wrong labels of that kind hardly
    hurt there. Under symmetric noise it gains .15 and .23 in our tests.
    """

    takes_unlabeled: ClassVar[bool] = True
    optional_columns: ClassVar[tuple[str, ...]] = ("features",)

    warm_up: float = Field(
        default=0.2, ge=0, lt=1, description="part of the epochs by cross-entropy, first"
    )
    alpha: float = Field(default=1, ge=0.01, description="of the Beta distribution that blends")
    ridge: float = Field(
        default=1e-3, ge=0, description="weight of the plane's squared coefficients"
    )
    balance: float = Field(
        default=0, ge=0, description="weight of the penalty for classes out of use"
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Warm up; then find images outside, and learn."""
        features = dataset.features
        return _Selected(
            self,
            torch.from_numpy(dataset.labeled.copy()),
            None if features is None else torch.tensor(features),
        )


class _Selected(Strategy):
    def __init__(
        self, options: PseudoLossSelection, labeled: Tensor, features: Tensor | None
    ) -> None:
        self._options, self._labeled, self._features = options, labeled, features

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        # Without any training there are no losses to judge by.
        self._start = max(1, round(self._options.warm_up * epochs))
        self._rows = self._labeled.nonzero()[:, 0]
        self._labeled = self._labeled.to(sampler.device)
        self._pseudo = torch.zeros(len(sampler), sampler.n_classes, device=sampler.device)

    def begin_epoch(self, epoch: int, networks: Networks) -> Tensor | None:
        """Find the images outside, and what their predictions are worth."""
        if epoch < self._start:
            return None
        network = unwrapped(networks[0])
        features, logits = layer_inputs(self.sampler, network, last_layer(network))
        outside = ~self._labeled
        if not outside.any():
            if self._features is not None:
                features = self._features.to(logits.device)
            outside = self._found(features, logits, (epoch - self._start) % 2 == 0)
        self._outside, self._weights = outside, torch.ones_like(logits[:, 0])
        if outside.any():
            p = logits[outside].log_softmax(dim=1)
            pseudo = self._pseudo[outside]
            fresh = pseudo.sum(dim=1, keepdim=True) == 0
            pseudo = torch.where(fresh, sharpened(p.exp()), pseudo)
            trusted = small_loss_chance(-(pseudo * p).sum(dim=1))
            self._weights[outside] = trusted.to(logits.dtype)
        return logits

    def _found(self, features: Tensor, logits: Tensor, by_plane: bool) -> Tensor:
        """Mark N samples that lie outside, by a plane or by the loss alone."""
        outside = seem_outside(cross_entropy(logits, self.sampler.labels))
        if by_plane and outside.any() and not outside.all():
            outside = chance_outside(features, outside, self._options.ridge) > 0.5
        return outside

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        """Plan all images; those whose labels count alone while these are all that is learned."""
        if epoch < self._start and len(self._rows) < len(self.sampler):
            return [BatchPlan(rows) for rows in self.sampler.shuffled_batches(self._rows)]
        return super().plan_epoch(epoch)

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        if epoch < self._start:
            return super().step(plan, networks, epoch)
        batch = self.sampler.batch(plan.rows)
        images, outside = batch.images, self._outside[batch.rows]
        targets = nn.functional.one_hot(batch.labels, self.sampler.n_classes).float()
        if outside.any():
            with torch.no_grad(), statistics_kept(networks[0]):
                guessed = sharpened(networks[0](images).softmax(dim=1))
            strong = self.sampler.batch(plan.rows, self._options.further).images
            images = torch.where(outside[:, None, None, None], strong, images)
            targets = torch.where(outside[:, None], guessed, targets)
            self._pseudo[batch.rows[outside]] = guessed[outside]
        share = float(sample_beta(self._options.alpha))
        share = max(share, 1 - share)
        order = torch.randperm(len(batch.rows), generator=self.sampler.generator)
        order = order.to(images.device)
        logits = networks[0](share * images + (1 - share) * images[order])
        weights = self._weights[batch.rows]
        loss = weighted_blend_loss(logits, targets, weights, order, share)
        if self._options.balance:
            loss = loss + self._options.balance * balance_penalty(logits.softmax(dim=1))
        return Step(loss, batch.rows, None)

    def state_dict(self) -> dict[str, Any]:
        return {"pseudo": self._pseudo}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._pseudo = state["pseudo"]
