"""Small loss: labels are right where the loss is small; a mixture of two bells says how small."""

import warnings
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from adc_core import Dataset, Detector, Dynamics, Findings
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.dynamics.curves import (
    dynamics_of,
    epoch_index,
    mean_of_epochs,
    refuse_unseen,
    seen_curves_of,
)
from adc_plugins_detect.inputs import as_ids, as_labels
from adc_plugins_detect.options import Count, WholeNumber

WINSORISED = 99.9
"""Losses above this percentile count as this percentile, where that is asked for."""

LEAST_VARIANCE = 5e-4
"""Added to the variances of both Gaussians."""


@array_function
def small_loss(
    labels: ArrayLike,
    evidence: Dynamics | ArrayLike,
    *,
    last_epochs: Count = 5,
    epoch: WholeNumber | None = None,
    monotone: bool = True,
    winsorize: bool = False,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find wrong labels by a Gaussian mixture of losses (Li, Socher and Hoi, ICLR 2020).

    The losses of each epoch are brought to 0…1 and averaged over epochs; two Gaussians are
    fitted to them in ten steps at most, from the best division into two groups. The one of the
    smaller mean is that of right labels. Suspicion is the posterior of the other one; from one
    half on a sample is flagged. The paper measures losses without augmentation, after a few
    epochs, before wrong labels are memorised; it starts from a random division, on which its
    flags depend.

    Args:
        labels: N given labels.
        evidence: training dynamics, or their N × E losses, NaN in epochs in which a sample was not
            seen: the mean is over the others.
        last_epochs: average the last epochs, as many as this or all that there are.
        epoch: judge by this epoch instead; those of a bare matrix are 1, 2, ….
        monotone: never suspect a sample less than one of smaller loss. The paper does, where
            the Gaussian of wrong labels is so wide that it wins at very small losses again.
        winsorize: cut losses off at their 99.9th percentile first: one huge loss would press
            all others together.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the share of flagged samples as noise rate. Where all losses are equal
        nothing is suspect.

    Raises:
        InputError: arrays of other shapes, an epoch that was not recorded.
    """
    given = as_labels(labels)
    curves = seen_curves_of(given, evidence, "loss")
    if epoch is None:
        losses = curves[:, -last_epochs:].astype(np.float64)
    else:
        losses = curves[:, [epoch_index(epoch, evidence, curves)]].astype(np.float64)
    gaps = np.isnan(losses)
    refuse_unseen(gaps, "loss")
    losses = losses[:, ~gaps.all(axis=0)]
    if winsorize:
        # A recorded loss: interpolated, one huge loss would raise the limit.
        limit = np.nanpercentile(losses, WINSORISED, axis=0, method="lower")
        losses = np.minimum(losses, limit)
    least = np.nanmin(losses, axis=0)
    spread = np.nanmax(losses, axis=0) - least
    losses = (losses - least) / np.where(spread > 0, spread, 1)
    clean = clean_probability(mean_of_epochs(losses), monotone=monotone)
    flagged = clean <= 0.5
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=1 - clean,
        flagged=flagged,
        noise_rate=float(flagged.mean()),
    )


class SmallLoss(Detector):
    """Flags labels whose loss belongs to the larger of two Gaussians."""

    requires: ClassVar[tuple[str, ...]] = ("dynamics",)

    renamed_options: ClassVar[Mapping[str, str]] = {"winsorise": "winsorize"}

    last_epochs: Count = Field(default=5, description="average the losses of so many last epochs")
    epoch: WholeNumber | None = Field(default=None, description="judge by this epoch instead")
    monotone: bool = Field(
        default=True, description="never suspect a sample less than one of smaller loss"
    )
    winsorize: bool = Field(
        default=False, description="cut losses off at their 99.9th percentile first"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's dynamics."""
        return small_loss(
            dataset.labels,
            dynamics_of(dataset),
            last_epochs=self.last_epochs,
            epoch=self.epoch,
            monotone=self.monotone,
            winsorize=self.winsorize,
            ids=dataset.ids,
        )


def clean_probability(losses: NDArray[np.float64], *, monotone: bool = True) -> NDArray[np.float64]:
    """Fit two Gaussians to the losses; return N posteriors of the one with the smaller mean.

    Args:
        losses: N losses in 0…1.
        monotone: raise a posterior to the largest at any higher loss.
    """
    order = np.argsort(losses, kind="stable")
    ascending = losses[order]
    if ascending[0] == ascending[-1]:
        return np.ones(len(losses))
    posterior = fit_from(ascending, best_cut(ascending))
    if monotone:
        posterior = np.maximum.accumulate(posterior[::-1])[::-1]
    clean = np.empty(len(losses))
    clean[order] = posterior.clip(0, 1)
    return clean


def best_cut(ascending: NDArray[np.float64]) -> int:
    """Return how many of the smallest losses make the first of the two most compact groups."""
    n, sums = len(ascending), np.cumsum(ascending)
    k = np.arange(1, n)
    between = sums[:-1] ** 2 / k + (sums[-1] - sums[:-1]) ** 2 / (n - k)
    return int(between.argmax()) + 1


def fit_from(ascending: NDArray[np.float64], cut: int) -> NDArray[np.float64]:
    """Fit ten steps from a division; return N posteriors of the Gaussian with the smaller mean.

    Args:
        ascending: N losses, the smallest first.
        cut: how many of them make the first group.
    """
    groups = ascending[:cut], ascending[cut:]
    mixture = GaussianMixture(
        2,
        max_iter=10,
        tol=1e-2,
        reg_covar=LEAST_VARIANCE,
        weights_init=[len(group) / len(ascending) for group in groups],
        means_init=[[group.mean()] for group in groups],
        precisions_init=[[[1 / (group.var() + LEAST_VARIANCE)]] for group in groups],
    )
    column = ascending[:, None]
    with threadpool_limits(1, "blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten steps are the method's
        mixture.fit(column)
        posterior: NDArray[np.float64] = mixture.predict_proba(column)
    return posterior[:, mixture.means_[:, 0].argmin()]
