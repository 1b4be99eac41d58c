"""Everything that a pipeline produced, as metrics and the report see it."""

from typing import Literal

from pydantic import Field

from adc_core.arrays.validation import Labels
from adc_core.records.curation import Curation
from adc_core.records.dataset import Dataset
from adc_core.records.design import Brief, Design
from adc_core.records.display import counted, table
from adc_core.records.findings import Findings
from adc_core.records.model import Epoch, Predictions
from adc_core.records.record import Record

TrainingSet = Literal["raw", "curated", "clean"]
"""What a learner is given: the labels as collected, as repaired, or the true ones (a yardstick)."""


class Measurement(Record):
    """One figure.

    Attributes:
        metric: what was measured: `F1`.
        subject: of what: `simifeat`, or `cross-entropy on curated`.
        value: the figure; None where it is undefined.
        better: which direction is good.
        detail: one of many, such as the accuracy of one class; the terminal leaves it out.
    """

    metric: str
    subject: str
    value: float | None
    better: Literal["higher", "lower"]
    detail: bool = False


class Training(Record):
    """One learner's result on one training set.

    Attributes:
        learner: the learner's name in the pipeline.
        trained_on: which labels it was given.
        history: one line per epoch.
        predictions: on the test set, or None without one.
    """

    learner: str
    trained_on: TrainingSet
    history: tuple[Epoch, ...] = ()
    predictions: Predictions | None = None

    @property
    def subject(self) -> str:
        """How measurements name this training."""
        return f"{self.learner} on {self.trained_on}"


class Run(Record):
    """The records of one run.

    Attributes:
        brief: the wish, or None where the dataset was given.
        design: the classes and queries, or None where the dataset was given.
        collected: the dataset with its noisy labels and evidence.
        findings: detector name to findings.
        curations: curator name to curation, in the order in which they were applied.
        trainings: one per learner and training set.
        truth: N int64 true labels of `collected`, `UNKNOWN` (-1) where nobody knows, `NO_CLASS`
            (-2) where the label is wrong and no other class is known to be right; or None.
        test: a dataset with trusted labels, or None.
        measurements: what the metrics found.
    """

    brief: Brief | None = None
    design: Design | None = None
    collected: Dataset
    findings: dict[str, Findings] = Field(default_factory=dict)
    curations: dict[str, Curation] = Field(default_factory=dict)
    trainings: tuple[Training, ...] = ()
    truth: Labels | None = None
    test: Dataset | None = None
    measurements: tuple[Measurement, ...] = ()

    def __repr__(self) -> str:
        parts = [
            counted(len(self.collected), "sample"),
            *(
                counted(len(part), thing)
                for part, thing in (
                    (self.findings, "detector"),
                    (self.curations, "curator"),
                    (self.trainings, "training"),
                    (self.measurements, "measurement"),
                )
                if part
            ),
        ]
        return f"<Run: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        shown = {**self.findings, **self.curations}
        rows: list[tuple[str, object]] = [(name, repr(one)[1:-1]) for name, one in shown.items()]
        rows += [
            (f"{one.metric} of {one.subject}", one.value)
            for one in self.measurements
            if not one.detail
        ]
        return table(repr(self)[1:-1], ("of", "result"), rows)

    @property
    def curated(self) -> Dataset:
        """The dataset after the last curator, or as collected where there is none."""
        return list(self.curations.values())[-1].dataset if self.curations else self.collected
