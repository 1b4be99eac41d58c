"""What encoders, learners and metrics promise."""

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adc_core.components.columns import shown_to
from adc_core.components.component import Component
from adc_core.components.context import work_context
from adc_core.components.interfaces import Encoder, Learner, Metric
from adc_core.records.model import Model
from adc_core.testing.toys import toy_dataset, toy_images, toy_run


def check_encodes_every_image(encoder: Encoder) -> None:
    """Require one finite float32 row per image."""
    features = _encoded(encoder)
    assert features.dtype == np.float32, f"features are {features.dtype}, not float32"
    assert features.ndim == 2, f"features have shape {features.shape}, not N × D"
    assert len(features) == len(toy_images()), f"{len(features)} rows for {len(toy_images())}"
    assert np.isfinite(features).all(), "some features are not finite"


def check_encodes_the_same_twice(encoder: Encoder) -> None:
    """Require the same bytes for the same images."""
    same = np.array_equal(_encoded(encoder), encoder.encode(toy_images()))
    assert same, "the second time differs"


def check_predicts_probabilities(learner: Learner) -> None:
    """Require predictions that are probabilities of the dataset's classes."""
    predictions = _learned(learner).predict(toy_images())
    classes = toy_dataset().classes
    assert predictions.classes == classes, f"the classes are {predictions.classes}, not {classes}"
    shape, wanted = predictions.probabilities.shape, (len(toy_images()), len(classes))
    assert shape == wanted, f"the probabilities have shape {shape}, not {wanted}"
    sums = predictions.probabilities.sum(axis=1)
    assert np.allclose(sums, 1, atol=1e-4), f"a row sums to {sums.min()}"


def check_learns_the_same_twice(learner: Learner) -> None:
    """Require one model of one seed."""
    first, second = _learned(learner), _train(learner)
    same = first.predict(toy_images()) == second.predict(toy_images())
    assert same, "a second training predicts otherwise"


def check_model_survives_saving(learner: Learner) -> None:
    """Require that a model that was saved and read predicts the same and writes the same bytes."""
    model = _learned(learner)
    assert isinstance(model, learner.model), f"the model is no {learner.model.__name__}"
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        model.save(first)
        again = type(model).load(first)
        same = again.predict(toy_images()) == model.predict(toy_images())
        assert same, "read again, it predicts otherwise"
        again.save(second)
        for path in sorted(first.rglob("*")):
            if path.is_file():
                same = path.read_bytes() == (second / path.relative_to(first)).read_bytes()
                assert same, f"{path.name} differs when saved again"


def check_measures_finite_figures(metric: Metric) -> None:
    """Require finite figures, or None where undefined; the same for the same run."""
    measured = metric.measure(toy_run())
    assert measured, "nothing was measured"
    for measurement in measured:
        value = measurement.value
        assert value is None or math.isfinite(value), f"{measurement.metric} is {value}"
    assert metric.measure(toy_run()) == measured, "a second measurement differs"


def check_knows_what_is_better(metric: Metric) -> None:
    """Require that a good run is better than a hopeless one, in the stated direction."""
    good = {(m.subject, m.metric): m for m in metric.measure(toy_run(good=True))}
    bad = {(m.subject, m.metric): m for m in metric.measure(toy_run(good=False))}
    for key, measurement in good.items():
        value, other = measurement.value, bad[key].value if key in bad else None
        if value is None or other is None:
            continue
        holds = value >= other if measurement.better == "higher" else value <= other
        assert holds, f"{key[1]} of {key[0]}: {value} for a good run, {other} for a hopeless one"


_latest: list[tuple[Component, Any]] = []
"""What a check has trained or encoded last, and by what: the next mostly asks for the same."""


def _encoded(encoder: Encoder) -> NDArray[np.float32]:
    features: NDArray[np.float32] = _once(encoder, lambda: encoder.encode(toy_images()))
    return features


def _learned(learner: Learner) -> Model:
    model: Model = _once(learner, lambda: _train(learner))
    return model


def _once(component: Component, make: Callable[[], Any]) -> Any:
    if not _latest or _latest[0][0] != component:
        _latest[:] = [(component, make())]
    return _latest[0][1]


def _train(learner: Learner) -> Model:
    with tempfile.TemporaryDirectory() as folder, work_context(folder):
        return learner.learn(shown_to(learner, toy_dataset()))
