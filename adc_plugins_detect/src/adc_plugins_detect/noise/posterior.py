"""How likely each label is wrong, and what it would rather be."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from adc_core.arrays import Array, chunks
from adc_plugins_detect.noise.counterfactual import Counterfactual

_FEWEST, _MOST = 10, 100
_PER_GROUP = 40
"""Labels of similar suspicion that are judged together, at least."""


def wrong_probability(expected: Counterfactual, noise_rate: float) -> NDArray[np.float64]:
    """Estimate the probability that each label is wrong, by how suspicious it is.

    It is the share of expected wrong labels among the labels of similar suspicion, made to rise
    with suspicion.

    Args:
        expected: suspicion of the labels, and of wrong ones.
        noise_rate: share of wrong labels in all.

    Returns:
        N probabilities.
    """
    suspicion = expected.suspicion
    n = len(suspicion)
    order = np.argsort(-suspicion, kind="stable")
    groups = int(np.clip(n // _PER_GROUP, min(_FEWEST, n), _MOST))
    edges = np.unique(np.linspace(0, n, groups + 1).round().astype(int))
    sizes = np.diff(edges)
    curve = expected.curve("class-pair")
    reached = np.array([curve.reaching(cut) for cut in suspicion[order[edges[1:] - 1]]])
    share = (np.diff(reached, prepend=0.0) * noise_rate * n / sizes).clip(0, 1)
    share = isotonic_regression(share, weights=sizes, increasing=False).x
    share *= sizes / (sizes + 2)  # no group is so large that its labels are wrong for sure
    probability = np.empty(n)
    probability[order] = np.repeat(share, sizes)
    return probability


def best_other_label(
    labels: NDArray[np.int64], probabilities: Array
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the most probable class other than the given one, and its share of the others' chance.

    Args:
        labels: N given labels.
        probabilities: N × K.

    Returns:
        N class indices, and N probabilities that the label is that one, if it is not the given one.
    """
    n, K = probabilities.shape
    label, share = np.empty(n, np.int64), np.empty(n)
    for part in chunks(n, 16 * K):
        block = np.array(probabilities[part], np.float64)
        rows = np.arange(len(block))
        block[rows, labels[part]] = 0
        label[part] = block.argmax(axis=1)
        share[part] = block[rows, label[part]] / block.sum(axis=1).clip(min=1e-12)
    return label, share
