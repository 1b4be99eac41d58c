"""Class Gaussians: a label is as likely as the Gaussian of its class says of the features."""

import warnings
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from threadpoolctl import threadpool_limits

from adc_core import Dataset, Detector, Findings
from adc_core.arrays import ClassMoments, chunks, class_moments, principal_components
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_features, as_ids, as_labels, needed, same_length
from adc_plugins_detect.options import Count, Positive, Share, WholeNumber

Prior = Literal["uniform", "counts"]

_MANY = 0.3
"""Of a class with a larger share of outliers is warned."""


@array_function
def class_gaussians(
    labels: ArrayLike,
    features: ArrayLike,
    *,
    prior: Prior = "uniform",
    dimensions: Count = 64,
    k: Count = 10,
    max_outlier_factor: Positive = 1.5,
    heads: WholeNumber = 3,
    gamma: Share = 0.3,
    ridge: Positive = 1e-3,
    ids: ArrayLike | None = None,
) -> Findings:
    """Judge labels by the posterior of a Gaussian of each class in frozen features.

    Features are brought to unit length, then to their first principal components. A class's
    Gaussian is that of its samples without outliers; classes of fewer samples than the median one
    move `gamma` of the way towards their nearest common classes. Suspicion is one minus the
    posterior of the label; flagged is where another class is likelier, which is suggested. After
    Zhang et al. (RCAL), ICCV 2023, who train with these Gaussians; judging by them, the unit
    length (on CIFAR-10N average precision gains .02) and the choice of `ridge` are this project's.

    Traps: features must be of a self-supervised or pretrained encoder; those of a network trained
    on the labels are bent towards the wrong ones. One Gaussian does not fit a class of several
    kinds of images. Posteriors are far surer than they are right, and it flags too much where few
    labels are wrong: of CIFAR-10N 34 % where 18 % are, and 45 % where 41 % are. `prior` uniform
    spares rare classes; where large classes' mistakes fill the small ones, `counts` finds more.
    Time grows by the square of the largest class.

    Args:
        labels: N given labels.
        features: N × D floats.
        prior: of the posterior: all classes alike, or by their number of labels.
        dimensions: principal components at most. Of fewer samples than ten a dimension in the
            median class fewer are taken, or a Gaussian fits each sample, right or wrong.
        k: neighbors by which outliers of a class are found, the sample itself not among them.
        max_outlier_factor: samples whose local outlier factor is above it are left out of the
            estimates; about 1 within a cluster.
        heads: common classes from which a rare one borrows.
        gamma: how much a rare class borrows.
        ridge: added to variances, as a share of their mean over dimensions and classes.
        ids: N texts; by default the row numbers.

    Returns:
        Findings; the suggestion's confidence is its posterior.

    Raises:
        InputError: arrays of other shapes, options out of range.
    """
    given = as_labels(labels)
    values = as_features(features)
    same_length(given, values, "features")
    counts = np.bincount(given)
    typical, others = int(np.median(counts[counts > 0])), (counts > 0).sum() - 1
    most = max(2, typical // 10, min(others, typical // 4))
    with threadpool_limits(1, "blas"):  # so that any number of threads adds alike
        points = principal_components(values, min(dimensions, most))
        moments = class_moments(
            given,
            points,
            k=k,
            max_outlier_factor=max_outlier_factor,
            heads=heads,
            gamma=gamma,
        )
        logs = log_densities(points, moments, ridge)
    _warn_of_outliers(given, moments)
    if prior == "counts":
        logs += np.log(counts[moments.classes])
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    rows, place = np.arange(len(given)), np.searchsorted(moments.classes, given)
    # The others' sum, since one minus the label's own loses what is below 1e-16.
    others = powers.copy()
    others[rows, place] = 0
    best = logs.argmax(axis=1)
    flagged = best != place
    total = powers.sum(axis=1)
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=(others.sum(axis=1) / total).clip(0, 1),
        flagged=flagged,
        suggested_labels=np.where(flagged, moments.classes[best], -1),
        suggestion_confidence=np.where(flagged, powers[rows, best] / total, np.nan),
    )


def log_densities(
    points: NDArray[np.float64], moments: ClassMoments, ridge: float
) -> NDArray[np.float64]:
    """Compute the logarithm of each class's density at each point, up to one constant.

    Args:
        points: N × D.
        moments: of C classes, in D dimensions.
        ridge: added to all variances, as a share of their mean over dimensions and classes: the
            same for all, since determinants of singular covariances are the ridge's.

    Returns:
        N × C.
    """
    D = points.shape[1]
    mean = np.trace(moments.covariances, axis1=1, axis2=2).mean() / D
    added = ridge * (mean or 1.0) * np.eye(D)
    logs = np.empty((len(points), len(moments.classes)))
    for place, (center, covariance) in enumerate(
        zip(moments.means, moments.covariances, strict=True)
    ):
        root = np.linalg.cholesky(covariance + added)
        whitening = np.linalg.inv(root).T
        for part in chunks(len(points), 16 * D):
            apart = (points[part] - center) @ whitening
            logs[part, place] = -0.5 * (apart**2).sum(axis=1)
        logs[:, place] -= np.log(root.diagonal()).sum()
    return logs


def _warn_of_outliers(labels: NDArray[np.int64], moments: ClassMoments) -> None:
    """Warn of the class with the most outliers, where its Gaussian fits few of its samples."""
    sizes = np.bincount(labels)[moments.classes]
    share = 1 - moments.counts / sizes
    if share.max() > _MANY:
        worst = int(share.argmax())
        warnings.warn(
            f"{share[worst]:.0%} of the samples of class {moments.classes[worst]} are outliers "
            "among its own, so that its Gaussian says little: its labels are wrong, or it holds "
            "several kinds of images",
            stacklevel=4,
        )


class ClassGaussians(Detector):
    """Finds labels whose class's Gaussian, in frozen features, is unlikelier than another's.

    It says what a Gaussian model of the features says, and spares rare classes: these borrow shape
    and place from their nearest common ones. It flags too much; rank by suspicion, or set
    `threshold` around it.
    """

    requires: ClassVar[tuple[str, ...]] = ("features",)

    prior: Prior = Field(
        default="uniform", description="all classes alike, or by counts: rare ones are then suspect"
    )
    dimensions: Count = Field(
        default=64,
        description="principal components; fewer where the median class has not ten samples each",
    )
    k: Count = Field(
        default=10,
        description="neighbors by which outliers are found, the sample itself not among them",
    )
    max_outlier_factor: Positive = Field(
        default=1.5,
        description="samples above this local outlier factor do not enter the estimates",
    )
    heads: WholeNumber = Field(
        default=3, description="common classes from which a rare one borrows"
    )
    gamma: Share = Field(default=0.3, description="how much a rare class borrows")
    ridge: Positive = Field(
        default=1e-3, description="added to variances, as a share of their mean"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's features."""
        return class_gaussians(
            dataset.labels,
            needed(dataset.features, "features", "an encoder"),
            prior=self.prior,
            dimensions=self.dimensions,
            k=self.k,
            max_outlier_factor=self.max_outlier_factor,
            heads=self.heads,
            gamma=self.gamma,
            ridge=self.ridge,
            ids=dataset.ids,
        )
