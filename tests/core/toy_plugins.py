"""Components for tests of the core, given names by `registry.add` and not installed."""

import time
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from adc_core import (
    Collector,
    Curation,
    Curator,
    Dataset,
    Design,
    Designer,
    Detector,
    Encoder,
    Enricher,
    Findings,
    ImageArray,
    Learner,
    Measurement,
    Metric,
    Model,
    Page,
    Predictions,
    Query,
    Searcher,
    Simulator,
    progress,
    status,
    work_folder,
)
from adc_core.components.component import Column
from adc_core.components.registry import Registry, registry
from adc_core.records.corruption import Corruption
from adc_core.records.curation import CHANGES
from adc_core.records.evidence import Neighbors

CALLS: list[str] = []


class ToyDesigner(Designer):
    """Asks for each class by its name."""

    def design(self, brief):
        CALLS.append("design")
        queries = tuple(Query(text=name, class_name=name) for name in brief.classes)
        return Design(classes=brief.classes, queries=queries)


class ToySearcher(Searcher):
    """Finds nothing; the toy collector needs nothing."""

    def page(self, query, cursor=None):
        return Page()


class ToyCollector(Collector):
    """Paints the images itself, a few at a time, and remembers how far it came."""

    rows: int = Field(default=60, description="images to paint")
    pause: float = Field(default=0, description="seconds per image")

    def collect(self, design, searchers):
        CALLS.append("collect")
        folder = work_folder()
        for row in range(self.rows):
            if not (folder / f"{row}.npy").exists():
                rng = np.random.default_rng(row)
                pixels = rng.integers(0, 100, (8, 8, 3))
                pixels[:, :, row % len(design.classes)] += 120
                np.save(folder / "new.npy", pixels.astype(np.uint8))
                (folder / "new.npy").rename(folder / f"{row}.npy")
                time.sleep(self.pause)
            progress(row + 1, self.rows, "image")
        status(f"{self.rows} painted")
        images = np.stack([np.load(folder / f"{row}.npy") for row in range(self.rows)])
        labels = np.arange(self.rows) % len(design.classes)
        labels[::7] = (labels[::7] + 1) % len(design.classes)
        return Dataset(labels=labels, classes=design.classes, images=ImageArray(images))


class ToyEncoder(Encoder):
    """Encodes an image as its mean colour."""

    requires: ClassVar = ("images",)

    def encode(self, images):
        CALLS.append("encode")
        return np.stack([image.mean(axis=(0, 1)) for image in images]).astype(np.float32)


class ToyNeighbors(Enricher):
    """Finds neighbors by sorting."""

    requires: ClassVar = ("features",)
    provides: ClassVar = ("neighbors",)
    k: int = Field(default=10, description="how many")

    def enrich(self, dataset):
        CALLS.append("neighbors")
        distance = ((dataset.features[:, None] - dataset.features[None]) ** 2).sum(axis=2)
        np.fill_diagonal(distance, np.inf)
        nearest = np.argsort(distance, axis=1, kind="stable")[:, : self.k]
        found = Neighbors(
            indices=nearest, similarities=-np.take_along_axis(distance, nearest, axis=1)
        )
        return dataset.replace(neighbors=found)


class ToyColumn(Enricher):
    """Adds a column of its own."""

    provides: ClassVar = ("brightness",)
    requires: ClassVar = ("features",)

    def enrich(self, dataset):
        brightness = dataset.features.mean(axis=1)
        return dataset.replace(columns={**dataset.columns, "brightness": brightness})


class ToyDetector(Detector):
    """Flags labels that most neighbors do not share."""

    requires: ClassVar = ("neighbors",)
    k: int = Field(default=5, ge=1, description="neighbors that vote")

    @property
    def required_columns(self):
        return (Column("neighbors", k=self.k),)

    def detect(self, dataset):
        CALLS.append("detect")
        nearest, _ = dataset.neighbors.first(self.k)
        suspicion = (dataset.labels[nearest] != dataset.labels[:, None]).mean(axis=1)
        return Findings(ids=dataset.ids, suspicion=suspicion, flagged=suspicion > 0.5)


class ToyProbabilityReader(Detector):
    """Reads a column that nothing adds."""

    requires: ClassVar = ("probabilities",)

    def detect(self, dataset):
        raise AssertionError("never reached")


class ToyCurator(Curator):
    """Drops what is flagged."""

    def curate(self, dataset, findings):
        CALLS.append("curate")
        flagged = findings[0].for_ids(dataset).flagged
        rows = [
            (id_, "drop", label, -1, "flagged")
            for id_, label in zip(dataset.ids[flagged], dataset.labels[flagged], strict=True)
        ]
        changes = [dict(zip(CHANGES.names, row, strict=True)) for row in rows]
        return Curation.apply(dataset, pa.Table.from_pylist(changes, CHANGES))


class ToyModel(Model):
    """Nearest mean colour."""

    history = ()
    dynamics = None

    def __init__(self, means, classes):
        self.means, self.classes = means, classes

    def predict(self, images):
        colors = np.stack([image.mean(axis=(0, 1)) for image in images])
        distance = ((colors[:, None] - self.means[None]) ** 2).sum(axis=2)
        weights = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / 1e3)
        return Predictions(
            probabilities=weights / weights.sum(axis=1, keepdims=True), classes=self.classes
        )

    def save(self, folder):
        folder.mkdir()
        np.save(folder / "means.npy", self.means)

    @classmethod
    def load(cls, folder):
        raise AssertionError("not needed")


class ToyLearner(Learner):
    """Learns the mean colour of each class, slowly."""

    model: ClassVar = ToyModel
    requires: ClassVar = ("images",)
    epochs: int = Field(default=3, description="naps")
    pause: float = Field(default=0, description="seconds per nap")

    def learn(self, dataset, validation=None):
        CALLS.append("learn")
        for epoch in range(self.epochs):
            time.sleep(self.pause)
            progress(epoch + 1, self.epochs, "epoch")
        colors = np.stack([image.mean(axis=(0, 1)) for image in dataset.images])
        means = [colors[dataset.labels == label].mean(axis=0) for label in range(3)]
        return ToyModel(np.stack(means), dataset.classes)


class ToyMetric(Metric):
    """Counts."""

    def measure(self, run):
        CALLS.append("measure")
        return (
            Measurement(
                metric="samples", subject="curated", value=len(run.curated), better="higher"
            ),
        )


class ToySimulator(Simulator):
    """Makes the first label wrong."""

    def corrupt(self, dataset):
        labels = dataset.labels.copy()
        labels[0] = (labels[0] + 1) % len(dataset.classes)
        return Corruption(labels=labels, mask=labels != dataset.labels)


TOYS = (
    ToyDesigner,
    ToySearcher,
    ToyCollector,
    ToyEncoder,
    ToyNeighbors,
    ToyColumn,
    ToyDetector,
    ToyProbabilityReader,
    ToyCurator,
    ToyLearner,
    ToyMetric,
    ToySimulator,
)


def add_toys(target: Registry = registry) -> None:
    """Name them `toy`, where two are of a kind the second by what it is about."""
    names = {ToyProbabilityReader: "toy-probabilities", ToyColumn: "toy-column"}
    for toy in TOYS:
        target.add(names.get(toy, "toy"), toy)


PIPELINE = """
brief: {subject: colours, classes: [red, green, blue], samples_per_query: 20}
designer: toy
searchers: [toy]
collector: {use: toy, rows: 60}
encoder: toy
enrichers: [toy]
detectors: [toy, {use: toy, k: 3}]
curators: [toy]
learners: [toy]
metrics: [toy]
"""
