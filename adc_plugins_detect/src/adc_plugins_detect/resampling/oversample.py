"""Oversampling by the rules of imbalanced-learn: every class gets as many rows as the largest."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from adc_core import InputError

OversampleRule = Literal["random", "smote", "borderline-smote", "adasyn"]
"""Repeat rows; or invent them between neighbors of one class: all, at borders, where hard."""

_NEIGHBORS = 5


def oversample(
    features: NDArray[np.floating], labels: NDArray[np.int64], rule: OversampleRule, seed: int
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Add rows until each class has as many as the largest; those that there are come first.

    The rules are imbalanced-learn's, called as they are: random oversampling, SMOTE (Chawla et al.
    2002), Borderline-SMOTE (Han et al. 2005) and ADASYN (He et al. 2008). A class of one row has no
    neighbor of its own, and its row is repeated; a class without a border to others is grown by
    SMOTE where the rule asks for one.

    Args:
        features: N × D.
        labels: N class numbers.
        rule: how rows are made.
        seed: of the draws.

    Returns:
        Features and labels of all rows, M × D and M.

    Raises:
        InputError: imbalanced-learn is not installed.
    """
    counts = np.bincount(labels)
    size = int(counts.max())
    added = [features]
    names = [labels]
    for k in np.flatnonzero((counts > 0) & (counts < size)):
        # Each from the rows that there are: what was invented for one says nothing of the next.
        rows = _grown(features, labels, int(k), size, rule if counts[k] > 1 else "random", seed)
        added.append(rows)
        names.append(np.full(len(rows), k, labels.dtype))
    return np.concatenate(added), np.concatenate(names)


def _grown(
    features: NDArray[np.floating],
    labels: NDArray[np.int64],
    k: int,
    size: int,
    rule: OversampleRule,
    seed: int,
) -> NDArray[np.floating]:
    """Return new rows of one class, as many as it lacks."""
    own = int(np.count_nonzero(labels == k))
    try:
        grown, _ = _sampler(rule, k, size, own, seed).fit_resample(features, labels)
    except (RuntimeError, ValueError) as error:
        # ADASYN, where all neighbors of all rows are of their own class, or next to all.
        if "Use SMOTE" not in str(error) and "No samples will be generated" not in str(error):
            raise
        grown = features
    if len(grown) == len(features) and rule in ("borderline-smote", "adasyn"):
        return _grown(features, labels, k, size, "smote", seed)
    rows: NDArray[np.floating] = np.asarray(grown[len(features) :], features.dtype)
    return rows


def _sampler(rule: OversampleRule, k: int, size: int, own: int, seed: int) -> Any:
    try:
        from imblearn import over_sampling
    except ImportError as error:
        raise InputError(
            "oversample needs imbalanced-learn: pip install 'adc-plugins-detect[resampling]'"
        ) from error
    options: dict[str, Any] = {"sampling_strategy": {k: size}, "random_state": seed}
    neighbors = min(_NEIGHBORS, own - 1)
    if rule == "random":
        return over_sampling.RandomOverSampler(**options)
    if rule == "smote":
        return over_sampling.SMOTE(k_neighbors=neighbors, **options)
    if rule == "borderline-smote":
        return over_sampling.BorderlineSMOTE(k_neighbors=neighbors, **options)
    return over_sampling.ADASYN(n_neighbors=neighbors, **options)
