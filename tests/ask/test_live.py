"""Questions to a real model, where the environment names one: all else here is scripted."""

import os

import numpy as np
import pytest
from seeing_server import squares

from adc_core import Dataset, ImageArray, work_context
from adc_plugins_ask import Annotators, VisualQuestions


@pytest.mark.live
def test_a_real_model_tells_red_from_green_and_blue(tmp_path):
    missing = [
        name
        for name in ("ADC_LIVE", "ADC_VLM_BASE_URL", "ADC_VLM_MODEL")
        if not os.environ.get(name)
    ]
    if missing:
        pytest.skip(f"not verified against a model: set {', '.join(missing)}")
    images, _, _ = squares(12, side=256)
    true = np.arange(12) % 3
    labels = true.copy()
    labels[:3] = (labels[:3] + 1) % 3
    dataset = Dataset(
        labels=labels,
        classes=tuple(f"{color} square" for color in ("red", "green", "blue")),
        images=ImageArray(images),
    )
    with work_context(tmp_path):
        found = VisualQuestions(questions=0, max_requests=60).detect(dataset)
        enriched = Annotators(max_requests=60).enrich(dataset)
    assert (found.flagged == (labels != true)).mean() >= 0.8
    assert (enriched.probabilities.values.argmax(axis=1) == true).mean() >= 0.8
