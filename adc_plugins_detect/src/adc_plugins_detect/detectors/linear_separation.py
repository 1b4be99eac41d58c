"""Linear separation: images that belong to no class lie on one side of a plane."""

import warnings
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from adc_core import Dataset, Detector, Findings, InputError
from adc_core.reporting import mean_rank
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.detectors.small_loss import SmallLoss
from adc_plugins_detect.inputs import as_array, as_features, as_ids, as_labels, needed, same_length


@array_function
def linear_separation(
    labels: ArrayLike,
    features: ArrayLike,
    outside: ArrayLike,
    *,
    ridge: Annotated[float, Ge(0)] = 1e-3,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find samples of no class by a plane between those that seem to be such and the others.

    Features are brought to unit length, then to mean 0 and deviation 1; a logistic regression
    whose two sides weigh the same is fitted to the guess `outside` and applied to all, so that what
    the guess took for outside and lies among the others is set right, and the other way round.
    Suspicion is the probability of lying outside. Albert et al., ECCV 2024, for contrastive or
    self-supervised features; their `ridge` is 0.

    Traps: it does not see labels that are swapped between classes, so use it beside a detector of
    wrong labels. Where the guess is separable exactly, the plane is the ridge's more than the
    data's, and a warning says so.

    Args:
        labels: N given labels; only their number counts.
        features: N × D floats.
        outside: N booleans, a first guess of which samples belong to no class.
        ridge: weight of the squared coefficients beside the mean loss.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the share of flagged samples as noise rate. Where the guess is none or all of
        the samples, nothing is suspect.

    Raises:
        InputError: arrays of other shapes.
    """
    given = as_labels(labels)
    values = as_features(features)
    same_length(given, values, "features")
    guess = as_array(outside, "outside")
    if guess.dtype != np.bool_ or guess.shape != given.shape:
        raise InputError(
            f"outside: expected {len(given)} booleans, got {guess.dtype} {guess.shape}"
        )
    chance = np.zeros(len(given))
    if guess.any() and not guess.all():
        chance = _chance_outside(values, guess, ridge)
    else:
        warnings.warn(
            f"{'all' if guess.any() else 'no'} samples seem to lie outside, so there is nothing "
            "to separate",
            stacklevel=3,
        )
    flagged = chance > 0.5
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=chance,
        flagged=flagged,
        noise_rate=float(flagged.mean()),
    )


def _chance_outside(
    features: NDArray[np.floating], outside: NDArray[np.bool_], ridge: float
) -> NDArray[np.float64]:
    """Fit the plane; return N probabilities of lying on its outer side."""
    rows = features.astype(np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length > 0, length, 1)
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    plane = LogisticRegression(
        C=1 / (ridge * len(rows)) if ridge else np.inf,
        class_weight="balanced",
        max_iter=1000,
        tol=1e-8,
    )
    with threadpool_limits(1, "blas"):
        plane.fit(rows, outside)
        chance: NDArray[np.float64] = plane.predict_proba(rows)[:, 1]
    if ((chance > 0.5) == outside).all():
        warnings.warn(
            "a plane separates the first guess exactly, so that it finds nothing new: "
            "use fewer features, or a larger ridge",
            stacklevel=4,
        )
    return chance


class LinearSeparation(Detector):
    """Finds images of no class, by a plane between what another detector flags and the rest.

    For features that no label has bent: of a self-supervised or pretrained encoder. It says
    nothing of labels that are swapped between classes.
    """

    requires: ClassVar[tuple[str, ...]] = ("features",)

    outside: Detector = Field(
        default=SmallLoss(), description="its flags are the first guess of what belongs to no class"
    )
    ridge: Annotated[float, Ge(0)] = Field(
        default=1e-3, description="weight of the squared coefficients; 0 in the paper"
    )
    with_guess: bool = Field(
        default=False,
        description="suspicion is the mean rank of the plane's and the first detector's",
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's features."""
        first = self.outside.detect(dataset)
        found = linear_separation(
            dataset.labels,
            needed(dataset.features, "features", "an encoder"),
            first.flagged,
            ridge=self.ridge,
            ids=dataset.ids,
        )
        return found.replace(suspicion=mean_rank([found, first])) if self.with_guess else found
