"""RCAL: features near frozen ones, and a head that also learns points drawn for rare classes."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset, InputError
from adc_core.arrays import ClassMoments, class_moments, principal_components
from adc_plugins_learn.learners.mixup import mixed_cross_entropy, sample_beta
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.hardware.distributed import process_count
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.heads import FeatureSpace, Output
from adc_plugins_learn.training.networks.stages import unwrapped
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy

_RIDGE = 1e-3
"""Added to variances, as a share of their mean: covariances of few samples are singular."""


def feature_pull(features: Tensor, frozen: Tensor) -> Tensor:
    """Compute ‖f − f⁰‖² of each sample, from B × D features and B × D frozen ones."""
    return ((features - frozen) ** 2).sum(dim=1)


class ClassPoints:
    """Draws points of rare classes from their Gaussians, so that all are as many as the largest.

    Args:
        moments: a Gaussian of each class.
        sizes: K numbers of samples.
    """

    def __init__(self, moments: ClassMoments, sizes: Tensor) -> None:
        D = moments.means.shape[1]
        ridge = _RIDGE * np.trace(moments.covariances, axis1=1, axis2=2).mean() / D
        roots = np.linalg.cholesky(moments.covariances + max(ridge, 1e-12) * np.eye(D))
        self._classes = torch.from_numpy(moments.classes)
        self._means = torch.from_numpy(moments.means).float()
        self._roots = torch.from_numpy(roots).float()
        self._missing = (sizes.max() - sizes)[self._classes].double()

    @property
    def total(self) -> int:
        """How many points an epoch takes."""
        return int(self._missing.sum())

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw points of classes, each as often as it lacks samples.

        Returns:
            count × D points, and their class indices.
        """
        place = torch.multinomial(self._missing, count, replacement=True, generator=generator)
        spread = torch.randn(count, self._means.shape[1], generator=generator)
        points = self._means[place] + torch.einsum("nij,nj->ni", self._roots[place], spread)
        return points, self._classes[place]


class RepresentationCalibration(NetworkLearner):
    """Trains on blends, near frozen features, with points drawn for rare classes.

    For a dataset that is long-tailed and noisy, with features of a self-supervised or pretrained
    encoder. The network makes f of `dimensions` numbers and from them the logits. Loss: mixup's
    cross-entropy + beta · ‖f − f⁰‖², f⁰ the dataset's features in their principal components + the
    head's cross-entropy on points drawn from the Gaussians of classes, so many that all are as
    many as the largest. A class's Gaussian is that of its features without outliers, and rare
    classes borrow from common ones, as in the detector `class-gaussians`. Zhang et al., "When noisy
    labels meet long tail dilemmas: a representation calibration method", ICCV 2023.

    Unlike the paper, whose network goes on from the weights that made the features, any network is
    pulled towards features of any encoder; the pull is that of the blends, whose f⁰ are blended
    too; weights of the parts are this project's, since the paper's could not be read.

    Traps: set `adjust: logit-adjustment`, which drawn points do without: blends alone still teach
    how frequent classes are. Of 13,996 labels of CIFAR-10N with a tail of 50 to 1, from random
    weights in 8 epochs, mean recall is .57 with it (cross-entropy with `balanced-softmax` .55;
    recall of the three rarest .67 against .53) and .37 without (mixup .33, cross-entropy .39). What
    a rare class borrows moves it towards the common ones: of three patterns in 300, 60 and 12
    images, with right labels, mean recall falls to .88 where cross-entropy has .96. Features of a
    network that was trained on the labels keep the wrong ones. One Gaussian does not fit a class of
    several kinds of images. Where all classes are as large, nothing is drawn, and it is mixup with
    a pull. A large `beta` needs a small learning rate.
    """

    requires: ClassVar[tuple[str, ...]] = ("images", "features")

    beta: float = Field(
        default=1, ge=0, description="weight of the pull towards the frozen features"
    )
    alpha: float = Field(default=1, ge=0.01, description="of the Beta distribution that blends")
    dimensions: int = Field(
        default=64, ge=1, description="principal components of the features, at most"
    )
    heads: int = Field(default=3, ge=0, description="common classes from which a rare one borrows")
    gamma: float = Field(default=0.3, ge=0, le=1, description="how much a rare class borrows")

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the three losses together.

        Raises:
            InputError: the dataset has no features.
        """
        if dataset.features is None:
            raise InputError(
                "rcal learns beside frozen features, and the dataset has none: add an encoder"
            )
        points = principal_components(dataset.features, self.dimensions)
        points /= np.sqrt((points**2).sum(axis=1).mean()) or 1
        moments = class_moments(dataset.labels, points, heads=self.heads, gamma=self.gamma)
        return _Calibrated(self, torch.from_numpy(points).float(), moments)


class _Calibrated(Strategy):
    def __init__(
        self, options: RepresentationCalibration, frozen: Tensor, moments: ClassMoments
    ) -> None:
        self._options, self._frozen, self._moments = options, frozen, moments
        self.output = Output("feature-space", {"dimensions": frozen.shape[1]})

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        sizes = torch.bincount(sampler.labels.cpu(), minlength=sampler.n_classes)
        self._drawn = ClassPoints(self._moments, sizes)
        self._frozen = self._frozen.to(sampler.device)

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        plans = super().plan_epoch(epoch)
        self._count = -(-self._drawn.total // len(plans))
        return plans

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        batch, share = self.sampler.batch(plan.rows), float(sample_beta(self._options.alpha))
        order = torch.randperm(len(batch.rows), generator=self.sampler.generator)
        order = order.to(batch.rows.device)
        found = networks[0](share * batch.images + (1 - share) * batch.images[order])
        logits, features = found.split([self.sampler.n_classes, self._frozen.shape[1]], dim=1)
        losses = mixed_cross_entropy(logits, batch.labels, batch.labels[order], share)
        frozen = self._frozen[batch.rows]
        frozen = share * frozen + (1 - share) * frozen[order]
        losses = losses + self._options.beta * feature_pull(features, frozen)
        if self._count:
            losses = losses + self._head_loss(networks) / process_count()
        return Step(losses, batch.rows, logits)

    def _head_loss(self, networks: Networks) -> Tensor:
        """Compute the head's mean loss on drawn points, which never pass the backbone."""
        points, labels = self._drawn.draw(self._count, self.sampler.generator)
        device = self.sampler.device
        head = next(m for m in unwrapped(networks[0]).modules() if isinstance(m, FeatureSpace))
        return cross_entropy(head.logits(points.to(device)), labels.to(device)).mean()
