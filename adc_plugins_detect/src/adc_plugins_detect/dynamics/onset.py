"""The epoch after which a network learns labels by heart, by the curve of each class."""

import warnings
from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

from adc_core import Dynamics, InputError
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_labels, of_type, same_length
from adc_plugins_detect.options import ClassCount

FEWEST_EPOCHS, FEWEST_ROWS = 8, 20
"""With fewer epochs the fit is free, with fewer samples a class's curve is noise."""


@array_function
def memorization_onset(
    labels: ArrayLike,
    dynamics: Dynamics,
    *,
    threshold: Annotated[float, Gt(0), Lt(1)] = 0.9,
    n_classes: ClassCount | None = None,
) -> NDArray[np.float64]:
    """Find when learning of each class slows down: from then on wrong labels are learned by heart.

    The share of a class's samples that are predicted as labeled is fitted by a(1 - exp(-t^b / c)),
    late epochs counting more; the onset is the epoch at which the slope has lost `threshold` of
    its size in the first (ADELE, Liu et al., CVPR 2022, whose curves are of segmentations). Before
    the first epoch the curve is 0, which does not hold of pretrained networks.

    Args:
        labels: N given labels.
        dynamics: of a training; what was correct in each epoch, gaps left out.
        threshold: part of the slope that is lost.
        n_classes: K; by default the largest label says.

    Returns:
        K epochs, one more than the last where the slope never loses so much; NaN of a class without
        samples, or whose curve cannot be fitted.

    Raises:
        InputError: no dynamics, of other samples, or of fewer than 8 epochs.
    """
    given = as_labels(labels, n_classes)
    seen = of_type(dynamics, Dynamics, "dynamics", "a learner, or the enricher training-dynamics")
    same_length(given, seen.correct, "dynamics")
    if len(seen.epochs) < FEWEST_EPOCHS:
        raise InputError(
            f"an onset takes {FEWEST_EPOCHS} epochs, and {len(seen.epochs)} were recorded: train "
            "for longer, or give the epoch"
        )
    curves = _curves(given, seen.correct, n_classes or number_of_classes(given))
    epochs = np.concatenate([[0], seen.epochs]).astype(np.float64)
    found = np.full(len(curves), np.nan)
    for k, curve in enumerate(curves):
        known = ~np.isnan(curve)
        if known.sum() >= FEWEST_EPOCHS:
            fitted = fit_curve(epochs[np.append(True, known)], np.append(0, curve[known]))
            if fitted is not None:
                found[k] = onset_of(fitted, int(epochs[-1]) + 1, threshold)
    return found


def _curves(labels: NDArray[np.int64], correct: NDArray[np.float32], K: int) -> NDArray[np.float64]:
    """Average N × E curves over the samples of each class; K × E, NaN where none was seen."""
    E = correct.shape[1]
    cell = (labels[:, None] * E + np.arange(E)).ravel()
    values = correct.ravel().astype(np.float64)
    seen = ~np.isnan(values)
    counts = np.bincount(cell[seen], minlength=K * E)
    sums = np.bincount(cell[seen], values[seen], minlength=K * E)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).reshape(K, E)


def _curve(t: NDArray[np.float64], a: float, b: float, c: float) -> NDArray[np.float64]:
    return np.asarray(a * (1 - np.exp(-(t**b) / c)))


def fit_curve(
    epochs: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[float, float, float] | None:
    """Fit a(1 - exp(-t^b / c)), a and b in 0…1; None where no fit is found."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a covariance that cannot be estimated, and is not used
        try:
            (a, b, c), _ = curve_fit(
                _curve,
                epochs,
                values,
                p0=(1, 1, 1),
                method="trf",
                sigma=np.geomspace(1, 0.1, len(values)),
                absolute_sigma=True,
                bounds=([0, 0, 0], [1, 1, np.inf]),
            )
        except (RuntimeError, ValueError):
            return None
    return float(a), float(b), float(c)


def onset_of(curve: tuple[float, float, float], end: int, threshold: float) -> int:
    """Count the epochs 1 … end - 1 in which the slope has not lost so much, and add one."""
    a, b, c = curve
    t = np.arange(1, end) + 1e-6
    with np.errstate(all="ignore"):
        slope = np.abs(a * b / c * np.exp(-(t**b) / c) * t ** (b - 1))
        lost = np.abs(slope - slope[0]) / slope[0]
    lost[~(lost <= 1)] = 0  # a slope that grows is not lost
    return int((lost <= threshold).sum()) + 1


def first_onset(labels: NDArray[np.int64], dynamics: Dynamics) -> int | None:
    """Return the recorded epoch at, or last before, the first onset of the classes.

    Classes with few samples count only where all have few. None, with a warning, where there are
    too few epochs or no curve can be fitted.
    """
    try:
        onsets = memorization_onset(labels, dynamics)
    except InputError as error:
        warnings.warn(f"{error}; the usual one is taken", stacklevel=3)
        return None
    enough = np.bincount(labels, minlength=len(onsets)) >= FEWEST_ROWS
    judged = onsets[enough & ~np.isnan(onsets)]
    if not len(judged):
        judged = onsets[~np.isnan(onsets)]
    if not len(judged):
        warnings.warn("no class's curve can be fitted; the usual epoch is taken", stacklevel=3)
        return None
    recorded = np.sort(dynamics.epochs)
    place = max(0, int(np.searchsorted(recorded, judged.min(), side="right")) - 1)
    return int(recorded[place])
