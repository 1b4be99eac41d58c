"""Dropping: what the detectors flag is left out."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pydantic import Field

from adc_core.components.interfaces import Curator
from adc_core.records.dataset import Dataset
from adc_core.records.findings import CHANGES, Curation, Findings
from adc_plugins_detect.curation.flag_counts import count_flags, flag_sentences


class Drop(Curator):
    """Drops the samples that detectors flag."""

    min_detectors: int = Field(1, ge=1, description="detectors that must flag a sample")

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Leave out what at least `min_detectors` of the findings flag.

        Raises:
            InputError: there are fewer findings than `min_detectors`.
            ValueError: nothing would be left.
        """
        counts = count_flags(dataset, findings, self.min_detectors)
        rows = np.flatnonzero(counts.flagged >= self.min_detectors)
        changes = pa.table(
            {
                "id": dataset.ids[rows],
                "action": np.full(len(rows), "drop"),
                "old_label": dataset.labels[rows],
                "new_label": np.full(len(rows), -1),
                "reason": flag_sentences(counts, rows),
            },
            schema=CHANGES,
        )
        return Curation.apply(dataset, changes)
