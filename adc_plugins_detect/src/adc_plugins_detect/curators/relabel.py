"""Relabelling by vote: where enough detectors suggest the same label, it is given."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from adc_core import Curation, Curator, Dataset, Findings
from adc_plugins_detect.curation.flag_counts import count_flags, flag_sentences, sentence
from adc_plugins_detect.curation.suggestions import most_suggested


class Relabel(Curator):
    """Relabels samples to which enough detectors would give the same other label.

    A sample is changed if at least `min_detectors` of the findings flag it and suggest one and
    the same label, with a mean confidence above `min_confidence`.
    """

    min_detectors: int = Field(
        default=1, ge=1, description="detectors that must suggest the same label"
    )
    min_confidence: float = Field(
        default=0.5, ge=0, le=1, description="relabel where their mean confidence is above this"
    )
    otherwise: Literal["keep", "drop"] = Field(
        default="keep", description="what happens to other samples that so many detectors flag"
    )

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Relabel, keep or drop what is flagged.

        Raises:
            InputError: there are fewer findings than `min_detectors`.
        """
        counts = count_flags(dataset, findings, self.min_detectors)
        best = most_suggested(dataset.labels, [found.for_ids(dataset) for found in findings])
        relabel = (best.support >= self.min_detectors) & (best.confidence > self.min_confidence)
        changed = relabel
        if self.otherwise == "drop":
            changed = relabel | (counts.flagged >= self.min_detectors)
        rows = np.flatnonzero(changed)
        new = np.where(relabel[rows], best.label[rows], -1)
        names = pa.array(dataset.classes).take(pa.array(new.clip(min=0)))
        sure = np.char.mod("(confidence %.2f)", best.confidence[rows])
        judged = counts.judged[rows]
        says = sentence("suggested by", best.support[rows], "of", judged, "detectors:", names, sure)
        given = new >= 0
        return Curation.of(
            dataset,
            drop=rows[~given],
            relabel=rows[given],
            labels=new[given],
            reasons=pc.if_else(pa.array(given), says, flag_sentences(counts, rows)),
        )
