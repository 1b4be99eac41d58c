"""How many detectors flag each sample of a dataset."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adc_core import Dataset, Findings, InputError
from adc_core.arrays import Array


class FlagCounts(NamedTuple):
    """Verdicts on each sample.

    Attributes:
        flagged: N int64, detectors that flag it.
        judged: N int64, detectors that judged it.
    """

    flagged: NDArray[np.int64]
    judged: NDArray[np.int64]


def count_flags(dataset: Dataset, findings: Sequence[Findings], at_least: int) -> FlagCounts:
    """Count the verdicts of several detectors.

    Raises:
        InputError: there are fewer than `at_least` findings.
        ValueError: a sample is unknown to the findings.
    """
    if len(findings) < at_least:
        raise InputError(
            f"min_detectors is {at_least} but there are findings of {len(findings)}: "
            "lower it, or add detectors"
        )
    aligned = [one.for_ids(dataset) for one in findings]
    return FlagCounts(
        flagged=np.sum([one.flagged for one in aligned], axis=0, dtype=np.int64),
        judged=np.sum([one.covered for one in aligned], axis=0, dtype=np.int64),
    )


def flag_sentences(counts: FlagCounts, rows: Array) -> pa.Array:
    """Return one text per row: `flagged by 2 of 3 detectors`."""
    judged = pa.array(counts.judged[rows])
    noun = pc.if_else(pc.equal(judged, 1), "detector", "detectors")
    return sentence("flagged by", counts.flagged[rows], "of", judged, noun)


def sentence(*words: str | Array | pa.Array) -> pa.Array:
    """Join constant words and columns to one text per row."""
    parts = [word if isinstance(word, str) else pa.array(word).cast(pa.string()) for word in words]
    return pc.binary_join_element_wise(*parts, " ")
