"""The stages of a pipeline: what each makes, and what its result depends on."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from adc_core.arrays.hashing import fingerprint
from adc_core.arrays.validation import Array
from adc_core.components.columns import require, require_labels, shown_to
from adc_core.components.component import Component, unique_names
from adc_core.components.interfaces import Curator, Detector, Enricher, Learner, Metric, Simulator
from adc_core.components.plugin_faults import plugin_faults
from adc_core.components.results import (
    corruption_of,
    curation_of,
    enriched_of,
    expect,
    features_of,
    findings_of,
    measurements_of,
    predictions_of,
)
from adc_core.records.corruption import Corruption
from adc_core.records.curation import Curation
from adc_core.records.dataset import EVIDENCE, FROM_LABELS, Dataset
from adc_core.records.design import Design
from adc_core.records.findings import Findings
from adc_core.records.model import Model, Predictions
from adc_core.records.run import Measurement, Run, Training, TrainingSet
from adc_core.runs.image_check import (
    BROKEN_IMAGES,
    Broken,
    absent_images,
    broken_images,
    broken_table,
)
from adc_core.runs.pipeline import Pipeline
from adc_core.runs.plan import Plan, trained_on
from adc_core.runs.run_directory import RunDirectory
from adc_core.runs.run_record import COLLECTOR
from adc_core.runs.stage_formats import (
    CORRUPTION,
    DATASET,
    DESIGN,
    FINDINGS,
    MEASUREMENTS,
    StageFormat,
    curation_form,
    evidence_form,
    training_form,
)

W = TypeVar("W")
R = TypeVar("R")

_WHO = ("ids", "labels", "classes", "attributes")
"""What every component that is given a dataset may look at, beside the columns that it reads."""


class Stages:
    """The stages of one run, each with what its result depends on."""

    def __init__(self, pipeline: Pipeline, directory: RunDirectory) -> None:
        self._pipeline = pipeline
        self._directory = directory

    def _stage(
        self,
        name: str,
        component: Component,
        key: dict[str, Any],
        work: Callable[[], W],
        form: StageFormat[W, R],
    ) -> R:
        """Make the result of a component's stage; errors name the component."""

        def named_work() -> W:
            with plugin_faults(component, name):
                return work()

        return self._directory.stage(
            name,
            key,
            named_work,
            form,
            keeps_cache=component.keeps_cache,
            artifacts=component.artifacts,
        )

    def collect(self, given: Dataset | None) -> tuple[Design | None, Dataset]:
        """Collect the dataset by a design, or take the given one; return both."""
        pipeline = self._pipeline
        if given is not None:
            return None, given if pipeline.in_memory is None else self._kept(given)
        brief, designer, collector = pipeline.brief, pipeline.designer, pipeline.collector
        assert brief is not None and designer is not None and collector is not None
        design = self._stage(
            "designer",
            designer,
            _key(designer, brief=brief),
            lambda: expect(designer.design(brief), Design, "design"),
            DESIGN,
        )
        searchers = pipeline.searchers
        dataset = self._stage(
            COLLECTOR,
            collector,
            _key(collector, design=design, searchers=searchers),
            lambda: expect(collector.collect(design, searchers), Dataset, "collect"),
            DATASET,
        )
        return design, dataset

    def _kept(self, given: Dataset) -> Dataset:
        """Write a dataset from memory into the directory, so that the run can be read again."""
        key = {"dataset": given.fingerprint}
        return self._directory.stage(COLLECTOR, key, lambda: given, DATASET)

    def check(self, name: str, dataset: Dataset) -> list[Broken]:
        """Find the images of a dataset that cannot be used.

        Args:
            name: of the stage.
            dataset: as it was read.
        """
        images = dataset.images
        assert images is not None
        absent = absent_images(images)
        if len(absent) == len(dataset):
            return absent
        there = np.delete(np.arange(len(dataset)), [one.row for one in absent])
        key = {
            "images": images.take(there).fingerprint,
            "absent": [list(one) for one in absent],
        }

        def work() -> pa.Table:
            return broken_table(dataset, broken_images(dataset, absent))

        return self._directory.stage(name, key, work, BROKEN_IMAGES)

    def encode(self, dataset: Dataset) -> Dataset:
        """Add the encoder's features to the dataset."""
        encoder, images = self._pipeline.encoder, dataset.images
        if encoder is None:
            return dataset
        assert images is not None
        added = self._stage(
            "encoder",
            encoder,
            _key(encoder, images=images),
            lambda: dataset.replace(features=features_of(encoder.encode(images), len(images))),
            evidence_form(("features",)),
        )
        return dataset.replace(**added)

    def corrupt(self, dataset: Dataset, truth: Array | None) -> tuple[Dataset, Array | None]:
        """Corrupt the dataset by simulators; its own labels then are the truth, if none is known.

        Both come back without the samples that are left out.
        """
        simulators = self._pipeline.simulators
        for name, simulator in zip(unique_names(simulators), simulators, strict=True):
            require(simulator, dataset)
            shown = shown_to(simulator, dataset)
            corruption = self._stage(
                f"simulators/{name}",
                simulator,
                _key(simulator, shown),
                partial(_corrupted, simulator, shown),
                CORRUPTION,
            )
            truth = corruption.rows_left(dataset.labels if truth is None else truth)
            dataset = corruption.applied_to(dataset)
        return dataset, truth

    def enrich(self, dataset: Dataset, plan: Plan) -> Dataset:
        """Add the enrichers' columns to the dataset."""
        for name, enricher in zip(unique_names(plan.enrichers), plan.enrichers, strict=True):
            added = self._enriched(name, enricher, dataset)
            columns = {**dataset.columns, **added.pop("columns", {})}
            dataset = dataset.replace(**added, columns=columns)
        return dataset

    def _enriched(self, name: str, enricher: Enricher, dataset: Dataset) -> dict[str, Any]:
        shown = shown_to(enricher, dataset)
        from_labels = set(enricher.provided_columns) & {*FROM_LABELS} or set(
            enricher.provided_columns
        ) - {*EVIDENCE}
        read = enricher.required_columns
        if "votes" in enricher.provided_columns:  # they name rows and classes
            read = (*read, "ids", "classes")
        inputs = {name: getattr(shown, name) for name in read}
        key = _key(enricher, shown) if from_labels else _key(enricher, **inputs)
        return self._stage(
            f"enrichers/{name}",
            enricher,
            key,
            lambda: enriched_of(enricher.enrich(shown), shown, enricher.provided_columns),
            evidence_form(enricher.provided_columns),
        )

    def detect(self, dataset: Dataset) -> dict[str, Findings]:
        """Judge the dataset with each detector."""

        def judge(name: str, detector: Detector) -> Findings:
            shown = shown_to(detector, dataset)
            return self._stage(
                f"detectors/{name}",
                detector,
                _key(detector, shown),
                lambda: findings_of(detector.detect(shown), shown),
                FINDINGS,
            )

        detectors = self._pipeline.detectors
        return {
            name: judge(name, detector)
            for name, detector in zip(unique_names(detectors), detectors, strict=True)
        }

    def curate(self, dataset: Dataset, findings: dict[str, Findings]) -> dict[str, Curation]:
        """Repair the dataset with each curator, in turn: each gets what the one before it left."""
        curations: dict[str, Curation] = {}
        curators = self._pipeline.curators
        everything = tuple(findings.values())
        for name, curator in zip(unique_names(curators), curators, strict=True):
            require(curator, dataset)
            shown = shown_to(curator, dataset)

            changed = self._stage(
                f"curators/{name}",
                curator,
                _key(curator, shown, findings=everything),
                partial(_curated, curator, shown, everything),
                curation_form(dataset),
            )
            curations[name] = changed
            dataset = changed.dataset
        return curations

    def learn(self, run: Run) -> tuple[Training, ...]:
        """Train each learner on each set of labels."""
        learners = self._pipeline.learners
        return tuple(
            self._trained(name, learner, labels, run)
            for name, learner in zip(unique_names(learners), learners, strict=True)
            for labels in trained_on(self._pipeline)
        )

    def _trained(self, name: str, learner: Learner, labels: TrainingSet, run: Run) -> Training:
        dataset = shown_to(learner, _training_set(run, labels))
        test = run.test

        def work() -> tuple[Model, Predictions | None]:
            require_labels(learner, dataset)
            model = expect(learner.learn(dataset), Model, "learn")
            images = None if test is None else test.images
            if images is None:
                return model, None
            return model, predictions_of(model.predict(images), model, len(images))

        return self._stage(
            f"learners/{name}.{labels}",
            learner,
            _key(learner, dataset, images=dataset.images, test=test and test.images),
            work,
            training_form(name, labels),
        )

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure the run with each metric."""
        metrics = self._pipeline.metrics
        found: list[Measurement] = []
        for name, metric in zip(unique_names(metrics), metrics, strict=True):
            measured = self._stage(
                f"metrics/{name}",
                metric,
                _key(metric, run=run),
                partial(_measured, metric, run),
                MEASUREMENTS,
            )
            found.extend(measured)
        return tuple(found)


def _corrupted(simulator: Simulator, shown: Dataset) -> Corruption:
    return corruption_of(simulator.corrupt(shown), shown)


def _curated(curator: Curator, shown: Dataset, findings: tuple[Findings, ...]) -> Curation:
    return curation_of(curator.curate(shown, findings), shown)


def _measured(metric: Metric, run: Run) -> tuple[Measurement, ...]:
    return measurements_of(metric.measure(run))


def _training_set(run: Run, labels: TrainingSet) -> Dataset:
    if labels == "raw":
        return run.collected
    if labels == "curated":
        return run.curated
    assert run.truth is not None
    known = np.flatnonzero(run.truth >= 0)  # without those of no class, which none can learn
    return run.collected.take(known).relabeled(run.truth[known])


def _key(component: Component, dataset: Dataset | None = None, **inputs: Any) -> dict[str, Any]:
    """Collect everything that a stage's result depends on."""
    key: dict[str, Any] = {"component": component.identity}
    if dataset is not None:
        key["dataset"] = dataset.fingerprint_of(*_WHO, *EVIDENCE, "columns")
        if "images" in component.required_columns:
            key["images"] = fingerprint(dataset.images)
    return key | {name: fingerprint(value) for name, value in inputs.items()}
