"""Pipeline files and plans: what is accepted, and every fault with its place."""

import json
import warnings

import numpy as np
import pytest
from pydantic import ValidationError

from adc_core import Dataset, Pipeline
from adc_core.components.registry import registry
from adc_core.errors import InputErrors, lines_of
from adc_core.runs.completion import ADDED_BY
from adc_core.runs.plan import make_plan


def read(tmp_path, text, suffix=".yaml"):
    path = tmp_path / f"pipeline{suffix}"
    path.write_text(text)
    return Pipeline.read(path)


def faults(tmp_path, text, suffix=".yaml"):
    with pytest.raises(ValueError) as caught:
        read(tmp_path, text, suffix)
    return [line.replace(str(tmp_path), "DIR") for line in lines_of(caught.value)]


def test_a_file_and_python_build_the_same(tmp_path, toys):
    from_file = read(tmp_path, toys.PIPELINE)
    in_python = Pipeline(
        brief={"subject": "colours", "classes": ["red", "green", "blue"], "samples_per_query": 20},
        designer=toys.ToyDesigner(),
        searchers=[toys.ToySearcher()],
        collector=toys.ToyCollector(rows=60),
        encoder=toys.ToyEncoder(),
        enrichers=[toys.ToyNeighbors()],
        detectors=[toys.ToyDetector(), toys.ToyDetector(k=3)],
        curators=[toys.ToyCurator()],
        learners=[toys.ToyLearner()],
        metrics=[toys.ToyMetric()],
    )
    assert from_file == in_python
    assert read(tmp_path, from_file.to_yaml()) == from_file


def test_toml_and_json(tmp_path, toys):
    table = {"dataset": "data", "detectors": [{"use": "toy", "k": 2}]}
    toml = 'dataset = "data"\n[[detectors]]\nuse = "toy"\nk = 2\n'
    assert read(tmp_path, json.dumps(table), ".json") == read(tmp_path, toml, ".toml")


def test_paths_are_relative_to_the_file(tmp_path):
    (tmp_path / "sub").mkdir()
    pipeline = read(tmp_path / "sub", "dataset: ../data")
    assert pipeline.dataset == tmp_path / "sub" / "../data"
    assert "dataset: data" in pipeline.to_yaml(tmp_path)


def test_all_faults_at_once_each_with_its_place(tmp_path, toys):
    text = """
dataset: data
encodr: toy
detectors:
  - {use: toyy}
  - {use: toy, k: 0}
  - {use: toy, kk: 3}
  - {k: 3}
  - {use: simifeat-of-nobody}
learners: [{use: toy, epochs: many}]
"""
    assert faults(tmp_path, text) == [
        'detectors.0: adc.detectors has no "toyy": did you mean "toy"?',
        "detectors.1.k: Input should be greater than or equal to 1",
        'detectors.2.kk: there is no key "kk": did you mean "k"?',
        "detectors.3: say which of adc.detectors: use: NAME",
        *[
            line
            for line in faults(tmp_path, "dataset: d\ndetectors: [{use: simifeat-of-nobody}]")
            for line in [line.replace("detectors.0", "detectors.4")]
        ],
        "learners.0.epochs: Input should be a valid integer, unable to parse string as an integer",
        'encodr: there is no key "encodr": did you mean "encoder"?',
    ]


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [
        ("a: [1", ".yaml", "DIR/pipeline.yaml, line 1: "
         "expected ',' or ']', but got '<stream end>'"),
        ("dataset: a\ndataset: b", ".yaml",
         'DIR/pipeline.yaml, line 2: duplicate key "dataset"'),
        ("dataset", ".yaml", "DIR/pipeline.yaml holds no table of keys: write `key: value` lines"),
        ("x = ", ".toml", "DIR/pipeline.toml: Invalid value (at end of document)"),
        ("{", ".json", "DIR/pipeline.json: Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1)"),
        ("x", ".ini", "DIR/pipeline.ini is not one of: .yaml, .toml, .json"),
        ("{}", ".yaml", "nothing says where the data come from: add brief, designer, searchers, "
         "collector, or dataset: PATH"),
        ("dataset: x\nbrief: {subject: y}", ".yaml", "give either dataset or brief, not both"),
        ("brief: {subject: x, classes: [a, ../../x]}", ".yaml",
         "brief.classes.1: '../../x' cannot be a class name: it becomes a folder, so use no "
         "slashes, control characters or bare dots"),
    ],
)  # fmt: skip
def test_a_broken_file(tmp_path, text, suffix, expected):
    assert faults(tmp_path, text, suffix) == [expected]


def test_a_missing_file(tmp_path):
    with pytest.raises(ValueError) as caught:
        Pipeline.read(tmp_path / "none.yaml")
    assert str(caught.value) == (
        f"{tmp_path}/none.yaml does not exist: give the path of a pipeline file"
    )


def test_a_column_that_nothing_adds_is_refused(tmp_path, toys):
    pipeline = read(
        tmp_path,
        "dataset: x\ntrain_on: [clean]\nlearners: [toy]\nmetrics: [toy]\n"
        "detectors: [toy-probabilities, toy]",
    )
    with pytest.raises(InputErrors) as caught:
        make_plan(pipeline, Dataset(labels=[0, 1]))
    assert caught.value.faults == (
        'detectors.0: toy-probabilities reads "probabilities", which nothing here adds: '
        "add {use: ridge-probe} of adc-plugins-detect to enrichers",
        'detectors.1: toy reads "neighbors", which nothing here adds: neighbors come from '
        "features, so add {use: patches} of adc-plugins-detect to encoder",
        'learners.0: toy reads "images", which nothing here adds: give a dataset that has "images"',
        "train_on: clean labels need the truth: add truth: PATH, or leave out clean",
    )


def test_the_planner_adds_one_neighbor_search_for_all(tmp_path, toys):
    pipeline = read(tmp_path, "dataset: x\ndetectors: [toy, {use: toy, k: 9}]")
    for samples, neighbors in ((20, 9), (10, 9), (5, 4)):
        dataset = Dataset(labels=np.arange(samples) % 2, features=np.ones((samples, 1)))
        plan = make_plan(pipeline, dataset)
        assert [(one.name, one.k) for one in plan.enrichers] == [("neighbors", neighbors)]


def test_advice_names_what_adds_the_column():
    from adc_core.components.interfaces import INTERFACES

    for column, (kind, name) in ADDED_BY.items():
        assert column in registry.load(INTERFACES[kind], name).provides


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("simifeat", "[simifeat]"),
        ({"use": "simifeat"}, "put the table into brackets, or after a dash"),
    ],
)
def test_one_component_where_a_list_is_expected(value, advice):
    with pytest.raises(ValidationError) as raised:
        Pipeline.model_validate({"dataset": "photos", "detectors": value})
    assert lines_of(raised.value) == [f"detectors: give a list: {advice}"]


def test_in_python_every_fault_is_a_line_too():
    with pytest.raises(InputErrors) as raised:
        Pipeline(detectors=["simifet"], datset="photos")
    assert raised.value.faults == (
        'detectors.0: adc.detectors has no "simifet": did you mean "simifeat"?',
        'datset: there is no key "datset": did you mean "dataset"?',
    )


def test_simulators_that_draw_alike_are_warned_of():
    twice = [{"use": "symmetric", "rate": 0.2}, {"use": "pair-flip", "rate": 0.2}]
    dataset = Dataset(labels=[0, 1, 2])
    with pytest.warns(UserWarning, match="symmetric and pair-flip have the seed 0 and draw the"):
        make_plan(Pipeline(dataset="x.csv", simulators=twice), dataset)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for simulators in (
            [twice[0], twice[1] | {"seed": 1}],
            [twice[0], {"use": "long-tail", "ratio": 5}],
        ):
            make_plan(Pipeline(dataset="x.csv", simulators=simulators), dataset)
