"""Averages of models: their weights, what members leave behind, and real networks."""

from typing import ClassVar

import numpy as np
import pytest

from adc_core.components.context import progress, work_context, work_folder
from adc_core.components.interfaces import Enricher
from adc_core.components.registry import registry
from adc_core.errors import InputError, lines_of
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Dynamics, Probabilities
from adc_plugins_detect.detectors.predicted_differs import predicted_differs
from adc_plugins_detect.enrichers.linear_probe import LinearProbe, linear_probe
from adc_plugins_detect.enrichers.model_averaging import ModelAveraging, average_models
from adc_plugins_detect.enrichers.ridge_probe import RidgeProbe, ridge_probe
from adc_plugins_detect.metrics.detection import flag_figures, rank_figures


class Recording(Enricher):
    """Writes into its work folder, and records the curves it is told."""

    provides: ClassVar = ("probabilities", "dynamics")
    value: float = 0.5
    broken: bool = False

    def expected_seconds(self, dataset):
        return 4.0

    def enrich(self, dataset):
        place = work_folder() / "kept"
        if not place.exists():
            place.write_text(str(self.value))
        if self.broken:
            raise InputError("broken on purpose")
        progress(1, 2, "epoch")
        shape = (len(dataset), 1)
        curves = np.full(shape, self.value, np.float32)
        right = np.ones(shape, np.bool_)
        dynamics = Dynamics(
            epochs=[1], given_probability=curves, margin=curves, loss=curves, correct=right
        )
        values = np.full((len(dataset), 2), 0.5, np.float32)
        return dataset.replace(
            probabilities=Probabilities(values=values, origin="out of sample"), dynamics=dynamics
        )


@pytest.fixture(autouse=True)
def unique_names(monkeypatch):
    monkeypatch.setattr(registry, "_added", dict(registry._added))
    registry.add("recording", Recording)


def test_weights_fall_with_the_log_loss():
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 300)
    models = [random.dirichlet(np.ones(4) * scale, 300) for scale in (0.8, 2, 9)]
    losses = [-np.mean([np.log(row[k]) for row, k in zip(m, labels, strict=True)]) for m in models]
    weights = [np.exp(-20 * loss) for loss in losses]
    expected = sum(w * m for w, m in zip(weights, models, strict=True)) / sum(weights)
    averaged = average_models(labels, models)
    np.testing.assert_allclose(averaged.values, expected, atol=1e-6)
    assert averaged.origin == "out of sample"
    assert 1e-3 < weights[1] / sum(weights) < 0.999  # the middle one counts, and not alone


def test_one_model_and_equal_models_stay_what_they_are():
    model = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    labels = model.argmax(axis=1)
    for models in ([model], [model] * 3):
        np.testing.assert_allclose(average_models(labels, models).values, model, atol=1e-6)


def test_a_much_better_model_wins(planted):
    good = ridge_probe(planted.labels, planted.features).values
    bad = np.random.default_rng(0).dirichlet(np.ones(4), 2000)
    np.testing.assert_allclose(average_models(planted.labels, [bad, good]).values, good, atol=1e-4)


def test_a_model_that_is_sure_and_wrong_is_finite():
    values = average_models([0, 1], [np.eye(2)[::-1], np.full((2, 2), 0.5)]).values
    np.testing.assert_allclose(values, 0.5, atol=1e-6)


@pytest.mark.parametrize(
    ("labels", "models", "message"),
    [
        ([0, 1], [], "there is no model to average: give the probabilities of at least one"),
        (
            [0, 1],
            [np.eye(2), np.eye(2, 3)],
            "the models' probabilities are (2, 2) and (2, 3): give all for the same classes",
        ),
        (
            [0, 1],
            [np.eye(2), np.eye(3)],
            "probabilities have 3 rows but there are 2 labels: give one row per sample",
        ),
    ],
)
def test_models_that_do_not_fit(labels, models, message):
    with pytest.raises(InputError) as raised:
        average_models(labels, models)
    assert str(raised.value) == message


def test_component_averages_what_its_members_add(planted):
    dataset = Dataset(labels=planted.labels, features=planted.features.astype(np.float32))
    enriched = ModelAveraging(members=(LinearProbe(), RidgeProbe())).enrich(dataset)
    both = [probe(dataset.labels, dataset.features).values for probe in (linear_probe, ridge_probe)]
    assert enriched.probabilities == average_models(dataset.labels, both)
    assert enriched.replace(probabilities=None) == dataset


def test_needs_and_provides_are_those_of_the_members():
    both = ModelAveraging(members=(RidgeProbe(), Recording()))
    assert both.required_columns == ("features",)
    assert both.provided_columns == ("probabilities", "dynamics")
    assert ModelAveraging(members=(RidgeProbe(),)).provided_columns == ("probabilities",)
    dataset = Dataset(labels=[0, 1])
    assert both.expected_seconds(dataset) == 4
    assert ModelAveraging(members=(RidgeProbe(),)).expected_seconds(dataset) is None


def test_dynamics_of_the_last_member_that_records_them_are_kept(planted):
    dataset = Dataset(labels=[0, 1] * 10, features=np.eye(20, dtype=np.float32))
    members = (Recording(value=0.25), Recording(value=0.75), RidgeProbe())
    dynamics = ModelAveraging(members=members).enrich(dataset).dynamics
    assert (dynamics.given_probability == 0.75).all()


def test_each_member_resumes_in_a_folder_of_its_own(tmp_path):
    dataset = Dataset(labels=[0, 1] * 10)
    heard = []
    broken = ModelAveraging(members=(Recording(value=0.25), Recording(value=0.5, broken=True)))
    with work_context(tmp_path), pytest.raises(InputError, match="broken on purpose"):
        broken.enrich(dataset)
    mended = ModelAveraging(members=(Recording(value=0.75), Recording(value=1)))
    with work_context(tmp_path, lambda *told: heard.append(told)):
        mended.enrich(dataset)
    assert {path.parent.name: path.read_text() for path in tmp_path.rglob("kept")} == {
        "recording": "0.25",
        "recording-2": "0.5",
    }
    assert heard == [(1, 2, "epoch")] * 2


@pytest.mark.parametrize(
    ("members", "line"),
    [
        (
            [{"use": "neighbors"}],
            "neighbors adds no probabilities: leave it out",
        ),
        (
            [],
            "members: Tuple should have at least 1 item after validation, not 0",
        ),
    ],
)
def test_members_that_predict_nothing(members, line):
    with pytest.raises(ValueError) as raised:
        ModelAveraging(members=members)
    assert lines_of(raised.value) == [line]


@pytest.mark.shared_data
def test_five_networks_find_what_people_got_wrong(shared_data):
    with np.load(shared_data / "cifar10n" / "cifar10n.npz") as arrays:
        labels, truth = arrays["worse_label"].astype(np.int64), arrays["clean_label"]
    with np.load(shared_data / "probabilities" / "cifar10n_worse_label.npz") as arrays:
        averaged = average_models(labels, [arrays[name] for name in arrays.files])
    found = predicted_differs(labels, averaged.values)
    wrong = labels != truth
    assert round(rank_figures(wrong, found.suspicion).average_precision, 5) == 0.98918
    assert round(flag_figures(wrong, found.flagged).f1, 5) == 0.95604
