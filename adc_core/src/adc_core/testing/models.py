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
from adc_core.testing.differences import require_same
from adc_core.testing.effects import columns_changed
from adc_core.testing.toys import toy_dataset, toy_images, toy_run


def check_encodes_every_image(encoder: Encoder) -> None:
    """Require one finite float32 row per image.

    Return a float32 matrix with a row for each image, in their order.
    """
    features = _encoded(encoder)
    assert features.dtype == np.float32, f"features are {features.dtype}, not float32"
    assert features.ndim == 2, f"features have shape {features.shape}, not N × D"
    assert len(features) == len(toy_images()), f"{len(features)} rows for {len(toy_images())}"
    assert np.isfinite(features).all(), "some features are not finite"


def check_encodes_the_same_twice(encoder: Encoder) -> None:
    """Require the same bytes for the same images.

    Put networks into evaluation mode, and draw nothing by chance without a seed.
    """
    require_same(_encoded(encoder), encoder.encode(toy_images()), "the second time")


def check_predicts_probabilities(learner: Learner) -> None:
    """Require predictions that are probabilities of the dataset's classes.

    Return Predictions(probabilities=N × K float32, classes=the dataset's); apply a softmax.
    """
    predictions = _learned(learner).predict(toy_images())
    classes = toy_dataset().classes
    assert predictions.classes == classes, f"the classes are {predictions.classes}, not {classes}"
    shape, wanted = predictions.probabilities.shape, (len(toy_images()), len(classes))
    assert shape == wanted, f"the probabilities have shape {shape}, not {wanted}"
    sums = predictions.probabilities.sum(axis=1)
    assert np.allclose(sums, 1, atol=1e-4), f"a row sums to {sums.min()}"


def check_learns_the_same_twice(learner: Learner) -> None:
    """Require one model of one seed.

    Seed every generator within learn, that of the network's weights too.
    """
    first, second = _learned(learner), train(learner)[0]
    require_same(first.predict(toy_images()), second.predict(toy_images()), "the second training")


def check_model_survives_saving(learner: Learner) -> None:
    """Require that a model that was saved and read predicts the same and writes the same bytes.

    Set `model` to the model's class; save all that predict reads, and no dates or folders.
    """
    model = _learned(learner)
    assert isinstance(model, learner.model), f"the model is no {learner.model.__name__}"
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        model.save(first)
        again = type(model).load(first)
        require_same(model.predict(toy_images()), again.predict(toy_images()), "read again, it")
        again.save(second)
        for path in sorted(first.rglob("*")):
            if path.is_file():
                same = path.read_bytes() == (second / path.relative_to(first)).read_bytes()
                assert same, f"{path.name} differs when saved again"


def check_measures_finite_figures(metric: Metric) -> None:
    """Require finite figures, or None where undefined; the same for the same run.

    Return value=None where a figure is undefined.
    """
    measured = metric.measure(toy_run())
    assert measured, "nothing was measured"
    for measurement in measured:
        value = measurement.value
        assert value is None or math.isfinite(value), f"{measurement.metric} is {value}"
    assert metric.measure(toy_run()) == measured, "a second measurement differs"


def check_knows_what_is_better(metric: Metric) -> None:
    """Require that a good run is better than a hopeless one, in the stated direction.

    Set better="lower" for errors, "higher" for accuracies.
    """
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


def keep_features(encoder: Encoder) -> NDArray[np.float32]:
    """Encode the toy images anew, and keep the features for the checks that follow."""
    _latest.clear()
    return _encoded(encoder)


def keep_model(learner: Learner) -> Model:
    """Train on the toy data anew, and keep the model for the checks that follow."""
    _latest.clear()
    return _learned(learner)


def changed_by_training(learner: Learner) -> list[str]:
    """Name the columns of its dataset that a training has written into."""
    return _trained(learner)[1]


def train(learner: Learner) -> tuple[Model, list[str]]:
    """Train on the toy data; return the model, and the columns that were written into."""
    found: list[Model] = []
    with tempfile.TemporaryDirectory() as folder, work_context(folder):
        dataset = shown_to(learner, toy_dataset())
        changed = columns_changed(dataset, lambda one: found.append(learner.learn(one)))
    return found[0], changed


def _encoded(encoder: Encoder) -> NDArray[np.float32]:
    features: NDArray[np.float32] = _once(encoder, lambda: encoder.encode(toy_images()))
    return features


def _learned(learner: Learner) -> Model:
    return _trained(learner)[0]


def _trained(learner: Learner) -> tuple[Model, list[str]]:
    trained: tuple[Model, list[str]] = _once(learner, lambda: train(learner))
    return trained


def _once(component: Component, make: Callable[[], Any]) -> Any:
    if not _latest or _latest[0][0] != component:
        _latest[:] = [(component, make())]
    return _latest[0][1]
