"""Two tables of probabilities as one."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adc_core import InputError
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.confident.predictions import Predicted
from adc_plugins_detect.inputs import as_probabilities
from adc_plugins_detect.options import Share

_LEAST = 1e-12


@array_function
def fuse(
    first: Predicted,
    second: Predicted,
    weight: Share = 0.5,
    how: Literal["linear", "log"] = "linear",
) -> NDArray[np.float64]:
    """Pool two tables of probabilities (after MarvelOVD, ECCV 2024), such as zero-shot and learned.

    Traps: on CIFAR-10N a pool with a weaker model did not beat the stronger alone, so choose the
    weight on samples whose labels were checked, or take `average_models`, which chooses it by log
    loss. Fit a temperature before a log pool, or the sharper model decides.

    Args:
        first: N × K, out of sample.
        second: N × K, out of sample.
        weight: of the first.
        how: `linear`, the weighted mean; `log`, the normalized product of powers.

    Raises:
        InputError: tables of different shapes, in sample, or a weight that is no share.
    """
    one, other = (as_probabilities(table).astype(np.float64) for table in (first, second))
    if one.shape != other.shape:
        raise InputError(f"probabilities are {one.shape} and {other.shape}: give equal shapes")
    if how == "linear":
        pooled: NDArray[np.float64] = weight * one + (1 - weight) * other
        return pooled
    logs = weight * np.log(one.clip(_LEAST)) + (1 - weight) * np.log(other.clip(_LEAST))
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
