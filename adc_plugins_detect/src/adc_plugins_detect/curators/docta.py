"""Docta: what is flagged is relabelled where its neighbors agree on another label."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Column, Curation, Curator, Dataset, Findings, InputError, Neighbors
from adc_plugins_detect.curation.docta_rounds import (
    Judge,
    flag_share,
    neighbors_for_rounds,
    run_rounds,
    suggest_for_rows,
)
from adc_plugins_detect.curation.flag_counts import (
    FlagCounts,
    count_flags,
    flag_sentences,
    sentence,
)
from adc_plugins_detect.detectors.simifeat import flag_by_rank, wrong_rates
from adc_plugins_detect.inputs import needed
from adc_plugins_detect.noise.hoc import hoc


class Docta(Curator):
    """Relabels flagged samples whose neighbors agree on another label.

    A sample is suspected when at least `min_detectors` of the findings flag it. Without findings
    the curator looks for itself: in each of `rounds` random subsets SimiFeat flags samples by
    rank, and those are suspected that are flagged in more than half of their rounds.

    In every round the neighbors within the subset vote for the label of each suspect. The
    confidence of the label that wins most often is its share of the rounds, where each class is
    taken to have won one more (or less, so that these do not outnumber the rounds), times the
    share of rounds that flagged the sample. A suspect is relabelled if its own label did not win
    most often and this confidence exceeds `min_confidence`; otherwise it is kept or dropped.

    The rounds are those of Docta (Zhu et al., 2023) and of Algorithm 1 of the ADC paper.
    """

    requires: ClassVar[tuple[str, ...]] = ("neighbors",)

    k: int = Field(default=10, ge=3, description="voters, the sample itself among them")
    rounds: int = Field(default=21, ge=1, description="random subsets in which neighbors vote")
    share: float = Field(default=0.9, gt=0, le=1, description="share of the samples in each subset")
    min_detectors: int = Field(default=1, ge=1, description="detectors that must flag a sample")
    min_confidence: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="relabel where the suggestion is more confident than this",
    )
    otherwise: Literal["keep", "drop"] = Field(
        default="keep", description="what happens to the other flagged samples"
    )
    seed: int = Field(default=0, ge=0, description="seed of the random subsets")

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Enough that nearly every random subset holds k - 1 neighbors of a sample."""
        return (Column("neighbors", k=neighbors_for_rounds(self.k, self.share)),)

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Relabel, keep or drop what is suspected.

        Raises:
            InputError: too few findings or neighbors.
        """
        graph = needed(dataset.neighbors, "neighbors", "the enricher neighbors")
        if graph.k < self.k - 1:
            raise InputError(
                f"{self.k} voters are the sample and {self.k - 1} neighbors, but the graph has "
                f"{graph.k}: search more neighbors or lower k"
            )
        labels, K = dataset.labels, len(dataset.classes)
        counts = count_flags(dataset, findings, self.min_detectors) if findings else None
        tally = run_rounds(
            labels,
            graph,
            K,
            k=self.k,
            rounds=self.rounds,
            share=self.share,
            seed=self.seed,
            judge=self._by_rank(labels, graph, dataset.classes)
            if counts is None
            else self._by_flags(counts),
        )
        rows = np.flatnonzero(flag_share(tally.flags, tally.seen) > 0.5)
        label, confidence = suggest_for_rows(tally, rows, labels, K)
        relabel = (confidence > self.min_confidence) & (label >= 0)
        if self.otherwise == "keep":
            rows, label, relabel = rows[relabel], label[relabel], relabel[relabel]
        if counts is None:
            verdict = sentence("flagged in", tally.flags[rows], "of", tally.seen[rows], "rounds")
        else:
            verdict = flag_sentences(counts, rows)
        near = labels[graph.indices[rows, : self.k - 1]]
        agree = (near == label[:, None]).sum(axis=1)
        names = pa.array(dataset.classes).take(pa.array(label.clip(min=0)))
        votes = sentence(agree, f"of {self.k - 1} neighbors say", names)
        votes = pc.if_else(pa.array(relabel), votes, "its neighbors agree on no other label")
        return Curation.of(
            dataset,
            drop=rows[~relabel],
            relabel=rows[relabel],
            labels=label[relabel],
            reasons=pc.binary_join_element_wise(verdict, votes, "; "),
        )

    def _by_flags(self, counts: FlagCounts) -> Judge:
        flagged = counts.flagged >= self.min_detectors
        return lambda rows, agreement: flagged[rows]

    def _by_rank(
        self, labels: NDArray[np.int64], graph: Neighbors, classes: tuple[str, ...]
    ) -> Judge:
        indices, similarities = graph.first(self.k - 1)
        near = Neighbors(indices=indices, similarities=similarities)
        estimate = hoc(labels, near, n_classes=len(classes), classes=classes)

        def judge(rows: NDArray[np.int64], agreement: NDArray[np.float64]) -> NDArray[np.bool_]:
            return flag_by_rank(labels[rows], agreement, wrong_rates(labels[rows], estimate))

        return judge
