"""What must be added so that detectors can read it, where nothing installed is needed."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from adc_core import Dataset, Detector, InputError
from adc_core.cli.evidence_makers import EvidenceMakers
from adc_core.registry import registry

PATH = Path("d.npz")


class VoteReader(Detector):
    """Reads what people say, and a column of its own."""

    reads: ClassVar = ("votes", "mine")

    def detect(self, dataset):
        raise AssertionError("never reached")


registry.add("vote-reader", VoteReader)


def test_a_column_that_nobody_makes_is_named():
    makers = EvidenceMakers(Dataset(labels=[0, 1]), PATH, None)
    with pytest.raises(InputError) as caught:
        makers.serve(VoteReader())
    assert str(caught.value) == (
        'it reads "votes", which nothing here adds: give a dataset that has "votes"'
    )


def test_columns_of_ones_own_are_there(toys):
    own = {"mine": np.zeros(2), "votes": np.zeros(2)}
    makers = EvidenceMakers(Dataset(labels=[0, 1], columns=own), PATH, None)
    makers.serve(VoteReader())
    assert (makers.encoder, makers.enrichers) == (None, ())


def test_the_chosen_encoder_makes_the_features(toys):
    images = np.zeros((2, 4, 4), np.uint8)
    makers = EvidenceMakers(Dataset(labels=[0, 1], images=images), PATH, toys.ToyEncoder())
    assert makers.encoder == toys.ToyEncoder()
    with pytest.raises(InputError) as caught:
        EvidenceMakers(Dataset(labels=[0, 1]), PATH, toys.ToyEncoder())
    assert str(caught.value) == (
        '--encoder toy: it reads "images", which d.npz has not: leave the encoder out'
    )
