"""What is added to a pipeline so that its detectors can read it."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from adc_core import Dataset, Detector, InputError
from adc_core.components.component import create
from adc_core.components.interfaces import Curator, Enricher
from adc_core.components.registry import registry
from adc_core.errors import InputErrors
from adc_core.runs.completion import Rung, complete
from adc_core.runs.pipeline import Pipeline

PATH = Path("d.npz")
NOTHING = Rung(None, None, neighbors=False)
FEATURES = np.eye(2, dtype=np.float32)


def completed(detectors, rung=NOTHING, **columns):
    """A pipeline with these detectors, completed for two samples that have these columns."""
    pipeline = Pipeline(dataset=PATH, detectors=detectors)
    return complete(pipeline, Dataset(labels=[0, 1], **columns), rung)[0]


class VoteReader(Detector):
    """Reads what people say, and a column of its own."""

    requires: ClassVar = ("votes", "mine")

    def detect(self, dataset):
        raise AssertionError("never reached")


registry.add("vote-reader", VoteReader)


def test_a_column_that_nobody_makes_is_named():
    with pytest.raises(InputErrors) as caught:
        completed([VoteReader()])
    assert caught.value.faults == (
        '--use vote-reader: it reads "votes", which nothing here adds: give a dataset that has '
        '"votes"',
    )


def test_columns_of_ones_own_are_there():
    own = {"mine": np.zeros(2), "votes": np.zeros(2)}
    pipeline = completed([VoteReader()], columns=own)
    assert (pipeline.encoder, pipeline.enrichers) == (None, ())


def test_the_chosen_encoder_makes_the_features(toys):
    by_toy = Rung(toys.ToyEncoder(), None, neighbors=False)
    pipeline = completed([toys.ToyDetector()], by_toy, images=np.zeros((2, 4, 4), np.uint8))
    assert pipeline.encoder == toys.ToyEncoder()
    with pytest.raises(InputError) as caught:
        completed([toys.ToyDetector()], by_toy)
    assert str(caught.value) == (
        '--encoder toy: it reads "images", which d.npz does not have: leave the encoder out'
    )


class Both(Enricher):
    """Makes two columns at once."""

    provides: ClassVar = ("probabilities", "dynamics")

    def enrich(self, dataset):
        raise AssertionError("never reached")


class BothReader(VoteReader):
    """Reads both columns."""

    requires: ClassVar = ("probabilities", "dynamics")


class NeighborReader(VoteReader):
    """Reads neighbors."""

    requires: ClassVar = ("neighbors",)


registry.add("both", Both)
registry.add("both-reader", BothReader)
registry.add("neighbor-reader", NeighborReader)


def test_what_makes_two_columns_is_there_once():
    rung = Rung(None, Both(), neighbors=False)
    pipeline = Pipeline(dataset=PATH, detectors=[BothReader()])
    found, rung_used = complete(pipeline, Dataset(labels=[0, 1]), rung)
    assert (found.enrichers, rung_used) == ((Both(),), True)
    without = Pipeline(dataset=PATH)
    assert complete(without, Dataset(labels=[0, 1]), rung) == (without, False)


def test_neighbors_that_only_the_report_shows():
    rung = Rung(None, None, neighbors=True)
    (search,) = completed([], rung, features=FEATURES).enrichers
    assert (search.name, search.k) == ("neighbors", 10)
    # Where they are read, the plan adds them: it knows how many, and of how many samples.
    assert completed([NeighborReader()], rung, features=FEATURES).enrichers == ()
    assert completed([], rung).enrichers == ()
    assert completed([], NOTHING, features=FEATURES).enrichers == ()


def test_labels_are_repaired_where_there_are_probabilities(monkeypatch):
    (curator,) = completed([], probabilities=FEATURES).curators
    assert curator.model_dump(exclude_defaults=True) == {"use": "adc-plugins-detect/expected-gain"}
    assert completed([]).curators == ()
    assert len(completed([BothReader()], Rung(None, Both(), neighbors=False)).curators) == 1

    def not_installed(interface, *rest):
        if interface is Curator:
            raise InputError("adc.curators has no such name")
        return create(interface, *rest)

    monkeypatch.setattr("adc_core.runs.completion.create", not_installed)
    assert completed([], probabilities=FEATURES).curators == ()


def test_what_it_would_be_made_from_is_named():
    class ProbabilityReader(VoteReader):
        requires: ClassVar = ("probabilities",)

    with pytest.raises(InputErrors) as caught:
        completed([ProbabilityReader()])
    assert caught.value.faults[0].partition(": ")[2] == (
        'it reads "probabilities", and d.npz has neither that nor features nor images to make it '
        "from: give one of them"
    )
