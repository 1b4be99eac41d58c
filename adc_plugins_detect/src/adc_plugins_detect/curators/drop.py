"""Dropping: what the detectors flag is left out."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from adc_core import Curation, Curator, Dataset, Findings
from adc_plugins_detect.curation.flag_counts import count_flags, flag_sentences


class Drop(Curator):
    """Drops the samples that detectors flag."""

    min_detectors: int = Field(default=1, ge=1, description="detectors that must flag a sample")

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Leave out what at least `min_detectors` of the findings flag.

        Raises:
            InputError: there are fewer findings than `min_detectors`.
            ValueError: nothing would be left.
        """
        counts = count_flags(dataset, findings, self.min_detectors)
        rows = np.flatnonzero(counts.flagged >= self.min_detectors)
        return Curation.of(dataset, drop=rows, reasons=flag_sentences(counts, rows))
