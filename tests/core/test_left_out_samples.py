"""Simulators that leave samples out: the truth, the neighbors and a run that is read again."""

from typing import ClassVar

import numpy as np
import pytest

from adc_core import (
    Corruption,
    Dataset,
    InputError,
    Pipeline,
    Simulator,
    read_run,
)
from adc_core.components.registry import registry
from adc_core.errors import RecordErrors
from adc_core.records.evidence import Neighbors
from adc_core.runs.listeners import Listeners
from adc_core.runs.runner import run_pipeline


class EveryThird(Simulator):
    """Keeps every third sample."""

    def corrupt(self, dataset):
        rows = np.arange(len(dataset))
        return Corruption(labels=dataset.labels, mask=rows < 0, kept=rows % 3 == 0)


class ByNeighbors(Simulator):
    """Gives each sample the label of its nearest neighbor."""

    requires: ClassVar = ("neighbors",)

    def corrupt(self, dataset):
        labels = dataset.labels[dataset.neighbors.indices[:, 0]]
        return Corruption(labels=labels, mask=labels != dataset.labels)


@pytest.fixture
def components(toys):
    registry.add("every-third", EveryThird)
    registry.add("by-neighbors", ByNeighbors)


N = 48
NEXT = Neighbors(indices=(np.arange(N)[:, None] + [1, 2]) % N, similarities=np.full((N, 2), 0.5))
DATASET = Dataset(
    labels=np.arange(N) % 4,
    features=np.random.default_rng(0).normal(size=(N, 3)),
    neighbors=NEXT,
    attributes={"color": np.repeat(["red", "blue"], N // 2)},
)


def run(folder, **parts):
    return run_pipeline(Pipeline(dataset=DATASET, **parts), folder, Listeners())


@pytest.mark.parametrize("order", [("every-third", "symmetric"), ("symmetric", "every-third")])
def test_noise_and_left_out_samples_in_either_order(tmp_path, components, order):
    made = run(tmp_path / "run", simulators=[*order])
    assert made.collected.ids.tolist() == DATASET.ids[::3].tolist()
    np.testing.assert_array_equal(made.truth, DATASET.labels[::3])
    assert (made.collected.labels != made.truth).any()
    assert made.collected.attributes["color"].tolist() == ["red"] * 8 + ["blue"] * 8
    assert made.collected.neighbors is None
    np.testing.assert_array_equal(made.collected.features, DATASET.features[::3])
    assert read_run(tmp_path / "run") == made


def test_neighbors_of_what_is_left_are_searched_again(tmp_path, components):
    made = run(tmp_path / "run", simulators=["every-third"], detectors=["toy"])
    graph = made.collected.neighbors
    assert graph.indices.shape == (16, 5)
    assert graph.indices.max() < 16
    assert read_run(tmp_path / "run") == made


def test_a_simulator_reads_the_graph_before_samples_are_left_out(tmp_path, components):
    made = run(tmp_path / "run", simulators=["by-neighbors", "every-third"], detectors=["toy"])
    np.testing.assert_array_equal(made.collected.labels, (DATASET.labels[::3] + 1) % 4)
    with pytest.raises(InputError) as error:
        run(tmp_path / "other", simulators=["every-third", "by-neighbors"])
    assert str(error.value) == (
        'by-neighbors reads "neighbors", which an earlier simulator invalidated: '
        "put by-neighbors before it"
    )


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ([True], "2 labels but 1 rows in kept"),
        ([False, False], "kept: no sample is left: keep at least one"),
    ],
)
def test_what_cannot_be_left(kept, message):
    with pytest.raises(RecordErrors) as error:
        Corruption(labels=[0, 1], mask=[False, False], kept=kept)
    assert str(error.value) == message
