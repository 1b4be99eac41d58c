"""What must be added so that detectors can read it, where nothing installed is needed."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from adc_core import Dataset, Detector, InputError
from adc_core.components.component import create
from adc_core.components.interfaces import Curator, Enricher
from adc_core.components.registry import registry
from adc_core.runs.missing_evidence import EvidenceMakers, Rung

PATH = Path("d.npz")
NOTHING = Rung(None, None, neighbors=False)


class VoteReader(Detector):
    """Reads what people say, and a column of its own."""

    requires: ClassVar = ("votes", "mine")

    def detect(self, dataset):
        raise AssertionError("never reached")


registry.add("vote-reader", VoteReader)


def test_a_column_that_nobody_makes_is_named():
    makers = EvidenceMakers(Dataset(labels=[0, 1]), PATH, NOTHING)
    with pytest.raises(InputError) as caught:
        makers.serve(VoteReader())
    assert str(caught.value) == (
        'it reads "votes", which nothing here adds: give a dataset that has "votes"'
    )


def test_columns_of_ones_own_are_there(toys):
    own = {"mine": np.zeros(2), "votes": np.zeros(2)}
    makers = EvidenceMakers(Dataset(labels=[0, 1], columns=own), PATH, NOTHING)
    makers.serve(VoteReader())
    assert (makers.encoder, makers.enrichers) == (None, ())


def test_the_chosen_encoder_makes_the_features(toys):
    images = np.zeros((2, 4, 4), np.uint8)
    by_toy = Rung(toys.ToyEncoder(), None, neighbors=False)
    makers = EvidenceMakers(Dataset(labels=[0, 1], images=images), PATH, by_toy)
    makers.serve(toys.ToyDetector())
    assert makers.encoder == toys.ToyEncoder()
    with pytest.raises(InputError) as caught:
        EvidenceMakers(Dataset(labels=[0, 1]), PATH, by_toy)
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


FEATURES = np.eye(2, dtype=np.float32)


def names(makers):
    return [maker.model_dump(exclude_defaults=True) for maker in makers]


def test_what_makes_two_columns_is_there_once():
    rung = Rung(None, Both(), neighbors=False)
    makers = EvidenceMakers(Dataset(labels=[0, 1]), PATH, rung)
    makers.serve(BothReader())
    assert makers.enrichers == (Both(),)


def test_neighbors_that_only_the_report_shows():
    rung = Rung(None, None, neighbors=True)
    shown = [{"use": "adc-plugins-detect/neighbors"}]
    makers = EvidenceMakers(Dataset(labels=[0, 1], features=FEATURES), PATH, rung)
    assert names(makers.enrichers) == shown and makers.enrichers[0].k == 10
    makers.serve(NeighborReader())  # now they are read: the planner knows how many
    assert makers.enrichers == ()
    nothing_to_compare = EvidenceMakers(Dataset(labels=[0, 1]), PATH, rung)
    assert nothing_to_compare.enrichers == ()
    dear = Rung(None, None, neighbors=False)
    assert EvidenceMakers(Dataset(labels=[0, 1], features=FEATURES), PATH, dear).enrichers == ()


def test_labels_are_repaired_where_there_are_probabilities(monkeypatch):
    given = Dataset(labels=[0, 1], probabilities=FEATURES)
    makers = EvidenceMakers(given, PATH, NOTHING)
    assert names(makers.curators()) == [{"use": "adc-plugins-detect/expected-gain"}]
    assert EvidenceMakers(Dataset(labels=[0, 1]), PATH, NOTHING).curators() == ()
    made = EvidenceMakers(Dataset(labels=[0, 1]), PATH, Rung(None, Both(), neighbors=False))
    made.serve(BothReader())
    assert len(made.curators()) == 1

    def not_installed(interface, *rest):
        if interface is Curator:
            raise InputError("adc.curators has no such name")
        return create(interface, *rest)

    monkeypatch.setattr("adc_core.runs.missing_evidence.create", not_installed)
    assert makers.curators() == ()


def test_what_it_would_be_made_from_is_named():
    class ProbabilityReader(VoteReader):
        requires: ClassVar = ("probabilities",)

    makers = EvidenceMakers(Dataset(labels=[0, 1]), PATH, NOTHING)
    with pytest.raises(InputError) as caught:
        makers.serve(ProbabilityReader())
    assert str(caught.value) == (
        'it reads "probabilities", and d.npz has neither that nor features nor images to make it '
        "from: give one of them"
    )
