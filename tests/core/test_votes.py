"""Votes in the core: what they accept, and that they survive taking, saving, and runs."""

import json
import shutil
from typing import ClassVar

import numpy as np
import pytest

from adc_core import Corruption, Dataset, Enricher, InputError, Pipeline, Simulator, Votes
from adc_core.components.registry import Registry
from adc_core.errors import InputErrors
from adc_core.records.record import Record
from adc_core.runs.listeners import Listeners
from adc_core.runs.plan import make_plan
from adc_core.runs.run_reader import read_run
from adc_core.runs.runner import run_pipeline
from adc_core.storage.checksums import write_checksums
from adc_core.storage.readers import read_dataset
from adc_core.storage.saved_dataset import save_dataset
from adc_core.testing.toys import toy_dataset

THREE = {"item": [0, 1, 1], "rater": [0, 0, 1], "label": [0, 1, 0]}

FULL = Votes(
    **THREE,
    answer=[1, -1, 0],
    seconds=[2.5, np.nan, 3.0],
    time=[1, 2, 3],
    confidence=[0.5, np.nan, 1.0],
    names=("Ana", "Bo"),
    trusted=[False, True],
    features=np.ones((2, 1), np.float32),
    feature_names=("skill",),
    selected=[1],
    duplicates=[[0, 1]],
)


def refused(make, **fields):
    with pytest.raises(InputErrors) as caught:
        make(**fields)
    (line,) = caught.value.faults
    return line


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"answer": [1]}, "answer has 1 rows for 3 votes"),
        ({"answer": [1, 2, 0]}, "answer: row 1 is 2, expected 1, 0 or -1"),
        ({"label": [0, -1, 0]}, "label: row 1 is -1, expected 0…"),
        ({"item": [-2, 0, 0]}, "item: row 0 is -2, expected 0…"),
        ({"names": ("Ana",)}, "rater: row 2 is 1, expected 0…0"),
        ({"names": ("Ana", "Bo"), "trusted": [True]}, "2 names, 1 trusted: give one of each per "),
        ({"confidence": [0.5, 1.5, 0]}, "confidence: row 1 is 1.5, expected 0…1"),
        ({"selected": [0, -1]}, "selected: row 1 is -1, expected 0…"),
        ({"duplicates": [[0, 1], [2, -1]]}, "duplicates: row 1 is -1, expected 0…"),
        ({"duplicates": [[0, 1, 2]]}, "duplicates are (1, 3): give D × 2 row numbers"),
        ({"features": np.ones((2, 1)), "feature_names": ("a", "b")}, "2 feature_names for 1 featu"),
    ],
)
def test_votes_that_cannot_be(fields, message):
    assert refused(Votes, **THREE | fields).startswith(message)


def test_votes_must_be_of_the_dataset():
    assert issubclass(Votes, Record)
    beyond = Votes(item=[0, 2], rater=[0, 0], label=[0, 0])
    assert refused(Dataset, labels=[0, 1], votes=beyond) == "votes: item: row 1 is 2, expected 0…1"
    unknown = Votes(item=[0, 1], rater=[0, 0], label=[0, 2])
    line = refused(Dataset, labels=[0, 1], votes=unknown)
    assert line == "votes: label: row 1 is 2, expected 0…1"


def test_given_classes_are_the_votes_that_say_yes():
    assert FULL.raters == 2
    assert FULL.given().item.tolist() == [0]
    assert FULL.counts(2, 2).tolist() == [[1, 0], [0, 0]]
    assert Votes(**THREE).counts(2, 2).tolist() == [[1, 0], [1, 1]]


def test_taking_samples_keeps_their_votes():
    pairs = [[0, 1], [2, 1]]
    dataset = Dataset(labels=[0, 1, 1], votes=FULL.replace(item=[2, 0, 1], duplicates=pairs))
    votes = dataset.take(np.array([1, 2])).votes
    assert votes.item.tolist() == [1, 0]
    assert votes.time.tolist() == [1, 3]
    assert votes.names == ("Ana", "Bo")
    assert votes.selected.tolist() == [0]
    assert votes.duplicates.tolist() == [[1, 0]], "where both are there"
    assert dataset.take(np.array([False, True, True])).votes == votes
    assert dataset.relabeled(np.array([1, 0, 0])).votes == dataset.votes


def test_votes_survive_saving_whole_or_in_part(tmp_path):
    for name, votes in (("full", FULL), ("plain", Votes(**THREE))):
        dataset = Dataset(labels=[0, 1], votes=votes)
        save_dataset(dataset, tmp_path / name)
        assert read_dataset(tmp_path / name) == dataset


def test_votes_saved_before_there_were_answers_are_read(tmp_path):
    dataset = Dataset(labels=[0, 1], votes=Votes(**THREE))
    save_dataset(dataset, tmp_path / "old")
    header = json.loads((tmp_path / "old" / "dataset.json").read_text())
    header["evidence"]["votes"] = {}
    (tmp_path / "old" / "dataset.json").write_text(json.dumps(header))
    (tmp_path / "old" / "SHA256SUMS").unlink()
    write_checksums(tmp_path / "old", {})
    assert read_dataset(tmp_path / "old") == dataset


class TellIds(Enricher):
    """Votes for the class of the first id, whatever the samples are."""

    provides: ClassVar = ("votes",)

    def enrich(self, dataset):
        first = int(dataset.ids[0] > "5")
        return dataset.replace(votes=Votes(item=[0], rater=[0], label=[first]))


class VotingNoise(Simulator):
    """Turns the first label over, as one simulated rater gives it."""

    provides: ClassVar = ("votes",)

    def corrupt(self, dataset):
        labels = dataset.labels.copy()
        labels[0] = 1 - labels[0]
        votes = FULL.replace(item=[0, 0, 0], label=[labels[0]] * 3)
        return Corruption(labels=labels, mask=labels != dataset.labels, votes=votes)


@pytest.fixture
def components(toys):
    from adc_core.components.registry import registry

    assert isinstance(registry, Registry)
    registry.add("tell-ids", TellIds)
    registry.add("voting-noise", VotingNoise)


def test_other_ids_make_other_votes(tmp_path, components):
    def votes(ids):
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        save_dataset(Dataset(labels=[0, 1], ids=ids), tmp_path / "data")
        pipeline = Pipeline(dataset=tmp_path / "data", enrichers=[{"use": "tell-ids"}])
        run_pipeline(pipeline, tmp_path / "run", Listeners())
        return read_run(tmp_path / "run").collected.votes.label.tolist()

    assert votes(["1", "2"]) == [0]
    assert votes(["7", "2"]) == [1]


def test_simulated_votes_are_kept(tmp_path, components):
    pipeline = Pipeline(
        dataset=Dataset(labels=[0, 1, 1]), simulators=[{"use": "voting-noise"}], metrics=[]
    )
    run = run_pipeline(pipeline, tmp_path / "run", Listeners())
    assert run.collected.votes.names == ("Ana", "Bo")
    assert run.collected.labels.tolist() == [1, 1, 1]
    assert read_run(tmp_path / "run") == run


def test_simulated_votes_must_fit(components):
    from adc_core.components.plugin_faults import ResultFault
    from adc_core.components.results import corruption_of

    dataset = Dataset(labels=[0, 1])
    strange = VotingNoise().corrupt(dataset).replace(votes=FULL.replace(item=[0, 0, 9]))
    with pytest.raises(ResultFault, match="votes that do not fit: item: row 2 is 9, expected 0…1"):
        corruption_of(strange, dataset)


def test_what_adds_votes_is_told():
    dataset = Dataset(labels=[0, 1])
    with pytest.raises(InputErrors) as caught:
        make_plan(Pipeline(dataset=dataset, detectors=["dawid-skene"]), dataset)
    assert caught.value.faults == (
        'detectors.0: dawid-skene reads "votes", which nothing here adds: '
        "add {use: votes, path: FILE} of adc-plugins-review to enrichers",
    )


def test_the_toy_dataset_has_votes_that_find_its_wrong_labels():
    dataset = toy_dataset()
    counts = dataset.votes.counts(len(dataset), 3)
    wrong = counts.argmax(axis=1) != dataset.labels
    assert 15 < wrong.sum() < 40
    with pytest.raises(InputError):
        dataset.replace(votes=Votes(item=[150], rater=[0], label=[0]))
