"""Setting aside: what the detectors flag stays, and its label no longer counts."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from adc_core import Curation, Curator, Dataset, Findings
from adc_plugins_detect.curation.flag_counts import count_flags, flag_sentences


class SetAside(Curator):
    """Keeps the samples that detectors flag, without their labels.

    For learners that use images without labels, such as `uda`; others refuse the dataset. Samples
    that belong to no class are better dropped: such a learner would give them one.
    """

    min_detectors: int = Field(default=1, ge=1, description="detectors that must flag a sample")

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Void the labels that at least `min_detectors` of the findings flag.

        Raises:
            InputError: there are fewer findings than `min_detectors`, or no label would be left.
        """
        counts = count_flags(dataset, findings, self.min_detectors)
        rows = np.flatnonzero((counts.flagged >= self.min_detectors) & dataset.labeled)
        return Curation.of(dataset, set_aside=rows, reasons=flag_sentences(counts, rows))
