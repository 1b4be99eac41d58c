"""A project of somebody else's, as mypy --strict sees it from outside; `make check` looks at it.

Each `assert_type` fails where a name of a face loses its type.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, assert_type

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import (
    Curation,
    Curator,
    Dataset,
    Detector,
    Findings,
    Pipeline,
    Probabilities,
    Run,
    read_dataset,
    read_run,
    run_pipeline,
    work_folder,
)
from adc_plugins_ask import VisualQuestions, read_answers
from adc_plugins_detect import SimiFeat, confident_learning, simifeat
from adc_plugins_learn import CrossEntropy
from adc_plugins_review import ask_next, choose_exemplars


class Shortest(Detector):
    """Flags the samples whose features are shortest."""

    requires: ClassVar[tuple[str, ...]] = ("features",)

    share: float = Field(default=0.1, ge=0, le=1, description="to flag")

    def detect(self, dataset: Dataset) -> Findings:
        """Judge by the length of features."""
        assert dataset.features is not None
        lengths = np.linalg.norm(dataset.features, axis=1)
        rank = lengths.argsort().argsort() / len(lengths)
        return Findings(ids=dataset.ids, suspicion=1 - rank, flagged=rank < self.share)


class DropFlagged(Curator):
    """Drops what any detector flags."""

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Drop it."""
        flagged = np.zeros(len(dataset), np.bool_)
        for found in findings:
            flagged |= found.for_ids(dataset).flagged
        rows = np.flatnonzero(flagged)
        return Curation.of(dataset, drop=rows, reasons=["flagged"] * len(rows))


def use(path: Path) -> list[str]:
    """Do what users do."""
    dataset = assert_type(read_dataset(path), Dataset)
    assert_type(dataset.classes, tuple[str, ...])
    found = assert_type(Shortest(share=0.2).detect(dataset), Findings)
    assert_type(found.noise_rate, float | None)
    probabilities = Probabilities(values=np.full((len(dataset), 2), 0.5), origin="out of sample")
    assert_type(confident_learning(dataset.labels, probabilities.values), Findings)
    assert_type(SimiFeat(k=5).detect(dataset), Findings)
    assert dataset.features is not None
    assert_type(simifeat(dataset.labels, dataset.features), Findings)
    pipeline = Pipeline.model_validate({"dataset": str(path), "detectors": [{"use": "simifeat"}]})
    run_pipeline(pipeline, path / "run")
    run = assert_type(read_run(path / "run"), Run)
    assert_type(run.findings["simifeat"].flagged, NDArray[np.bool_])
    CrossEntropy(epochs=1).learn(dataset)
    VisualQuestions(questions=0, max_requests=5)
    read_answers("yes", 1)
    assert_type(work_folder(), Path)
    return [str(one) for one in dataset.ids]


__all__ = ["DropFlagged", "Shortest", "ask_next", "choose_exemplars", "use"]
