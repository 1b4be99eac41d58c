"""cleanlab behind the interface: its own answers, beside ours."""

import sys

import numpy as np
import pytest

from adc_core import Dataset, InputError, Probabilities
from adc_core.testing.toys import toy_dataset
from adc_plugins_detect import Cleanlab, ConfidentLearning


def test_without_cleanlab(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(InputError) as caught:
        Cleanlab().detect(toy_dataset())
    assert str(caught.value) == (
        "the detector cleanlab needs cleanlab: pip install 'adc-plugins-detect[cleanlab]', or "
        "take confident-learning, which gives the same answers"
    )


@pytest.mark.parametrize("rule", ["prune_by_noise_rate", "predicted_neq_given", "both"])
def test_its_answers_are_those_of_confident_learning(rule):
    pytest.importorskip("cleanlab", reason="cleanlab is not installed")
    dataset = toy_dataset()
    found, ours = Cleanlab(rule=rule).detect(dataset), ConfidentLearning(rule=rule).detect(dataset)
    np.testing.assert_array_equal(found.flagged, ours.flagged)
    np.testing.assert_allclose(found.suspicion, ours.suspicion, atol=1e-6)


def test_options_and_what_it_refuses():
    pytest.importorskip("cleanlab", reason="cleanlab is not installed")
    dataset = toy_dataset()
    seen = Probabilities(values=dataset.probabilities.values, origin="in sample")
    with pytest.raises(InputError, match="the probabilities are in sample"):
        Cleanlab().detect(dataset.replace(probabilities=seen))
    allowed = Cleanlab(allow_in_sample=True).detect(dataset.replace(probabilities=seen))
    assert allowed == Cleanlab().detect(dataset)
    half = Dataset(labels=[0, 1], probabilities=np.full((2, 2), 0.5, np.float32))
    assert not Cleanlab().detect(half).flagged.all()
