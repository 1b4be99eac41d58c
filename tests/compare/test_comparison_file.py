"""The comparison file: which cells it means, and one clear line for whatever is wrong with it."""

import pytest
import yaml

from adc_core import InputError
from adc_plugins_compare import Comparison


def read(folder, text):
    path = folder / "comparison.yaml"
    path.write_text(text)
    return Comparison.read(path)


def cells(folder, text):
    return read(folder, f"pipeline: {{dataset: data}}\nseeds: [0]\n{text}").cells()


def test_a_cell_for_each_combination_and_seed_all_of_a_seed_first(folder):
    found = Comparison.read(folder / "detectors.yaml").cells()
    assert [cell.name for cell in found][:5] == [
        "noise=symmetric,detectors=self-confidence,seed=0",
        "noise=symmetric,detectors=confident-learning,seed=0",
        "noise=pair,detectors=self-confidence,seed=0",
        "noise=pair,detectors=confident-learning,seed=0",
        "noise=symmetric,detectors=self-confidence,seed=1",
    ]
    assert len(found) == 12
    assert [cell.pipeline.simulators[0].seed for cell in found[::4]] == [0, 1, 2]
    assert found[0].pipeline.dataset == folder / "data"


def test_what_takes_no_seed_runs_once_for_all(folder):
    (found,) = read(
        folder, "pipeline: {dataset: data}\naxes: {detectors: [self-confidence]}"
    ).cells()
    assert (found.name, found.seed) == ("detectors=self-confidence", None)


def test_a_written_seed_stays_and_nested_components_get_theirs(folder):
    text = """
pipeline: {dataset: data, simulators: [{use: symmetric, seed: 0}]}
seeds: [5]
axes:
  enrichers: [{use: cross-validation, learner: {use: cross-entropy}}]
"""
    (found,) = read(folder, text).cells()
    assert found.pipeline.simulators[0].seed == 0
    (enricher,) = found.pipeline.enrichers
    assert enricher.seed == enricher.learner.seed == 5


def test_lists_come_after_those_of_the_base_and_of_axes_before(folder):
    text = """
pipeline: {dataset: data, simulators: [symmetric]}
seeds: [0]
axes:
  first: {pair: {simulators: [pair-flip]}}
  second: {none: {}, more: {simulators: [{use: symmetric, rate: 0.1}]}}
"""
    names = [[one.name for one in cell.pipeline.simulators] for cell in read(folder, text).cells()]
    assert names == [["symmetric", "pair-flip"], ["symmetric", "pair-flip", "symmetric"]]
    # Of one stream, each draws by a seed of its own, or they would change the same samples.
    (_, three) = (cell.pipeline.simulators for cell in read(folder, text).cells())
    assert [one.seed for one in three] == [0, 1_000_003, 2_000_006]


def test_a_list_of_values_names_its_levels_by_what_differs(folder):
    found = cells(folder, "axes: {detectors: [simifeat, {use: simifeat, k: 5}, self-confidence]}")
    assert [cell.levels["detectors"] for cell in found] == [
        "simifeat", "simifeat (k 5)", "self-confidence",
    ]  # fmt: skip


def test_several_components_may_be_one_level(folder):
    (found,) = cells(folder, "axes: {detectors: [[simifeat, self-confidence]]}")
    assert found.levels == {"detectors": "simifeat + self-confidence"}
    assert [one.name for one in found.pipeline.detectors] == ["simifeat", "self-confidence"]


def test_an_axis_of_an_option_sets_it_where_it_is_meant(folder):
    text = """
axes:
  detectors: [[simifeat, self-confidence]]
  detectors.simifeat.k: [5, 9]
"""
    found = cells(folder, text)
    assert [cell.pipeline.detectors[0].k for cell in found] == [5, 9]
    assert [cell.levels["detectors.simifeat.k"] for cell in found] == ["5", "9"]


def test_single_parts_are_replaced(folder):
    found = cells(folder, "axes: {train_on: [raw, [raw, curated]], encoder: [pixels]}")
    assert [cell.pipeline.train_on for cell in found] == [("raw",), ("raw", "curated")]
    assert [cell.levels["train_on"] for cell in found] == ["raw", "raw + curated"]


def test_the_base_may_be_a_pipeline_file_with_paths_of_its_own(folder):
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/base.yaml").write_text("dataset: ../data\nsimulators: [symmetric]\n")
    text = "pipeline: elsewhere/base.yaml\nseeds: [3]\naxes: {detectors: [simifeat]}"
    (found,) = read(folder, text).cells()
    assert found.pipeline.dataset.samefile(folder / "data")
    assert found.pipeline.simulators[0].seed == 3


def test_parts_may_be_replaced_from_outside(folder):
    path = folder / "detectors.yaml"
    found = Comparison.read(path, {"dataset": folder / "other"}).cells()
    assert {cell.pipeline.dataset for cell in found} == {folder / "other"}


@pytest.mark.parametrize(
    ("axes", "fault"),
    [
        ({}, "axes: give one axis at least"),
        ({"method": ["a", "b"]}, '"method" is no part of a pipeline, so a list says too little'),
        ({"method": "a"}, "method: give a list, or a table"),
        ({"method": {}}, "method: give one level at least"),
        ({"method": {"a": ["simifeat"]}}, "method: a: give parts of a pipeline"),
        ({"detectors": ["simifeat", "simifeat"]}, 'duplicate level "simifeat"'),
        ({"method": {"a/b": {}}}, 'the level "a/b" cannot name a folder'),
        ({"method": {"a" * 61: {}}}, "has over 60 characters"),
        ({"seed": {"a": {}}}, "seed: give the axis another name"),
    ],
)
def test_wrong_axes_are_refused(folder, axes, fault):
    with pytest.raises(InputError) as error:
        read(folder, yaml.safe_dump({"axes": axes}))
    assert fault in str(error.value)
    assert str(error.value).startswith(str(folder / "comparison.yaml"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "axes: {m: {a: {detector: [simifeat]}}}",
            'cell m=a: detector: there is no key "detector": did you mean',
        ),
        ("axes: {m: {a: {detectors: [simfeat]}}}", "cell m=a: detectors.0"),
        ("axes: {m: {a: {test: x}}, n: {b: {test: y}}}", "cell m=a,n=b: test: both m and n say it"),
        ("axes: {detectors.k: [1]}", "cell detectors.k=1: detectors.k: nothing there has"),
        ("axes: {detectors: [simifeat], detectors.elr.k: [1]}", "nothing there has this option"),
        ("axes: {detectors: [simifeat], detectors.a.b.c: [1]}", "write PART.OPTION"),
        ("axes: {detectors: [simifeat], detectors.kk: [1]}", 'there is no key "kk"'),
    ],
)
def test_cells_that_are_no_pipelines_are_named(folder, text, fault):
    with pytest.raises(InputError) as error:
        cells(folder, text)
    assert fault in str(error.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("table: {rows: [method]}", 'table: there is no axis "method"'),
        ("table: {columns: [detectors], rows: [detectors]}", "an axis is named twice"),
        ("table: {rows: []}", "say whether detectors makes rows or columns"),
        ("seeds: []", "seeds"),
        ("seeds: [1, 1]", "a seed that comes twice"),
        ("seeds: [-1]", "seeds.0"),
        ("tables: {}", 'there is no key "tables": did you mean "table"'),
    ],
)
def test_a_wrong_layout_is_refused(folder, text, fault):
    with pytest.raises(InputError, match=fault):
        read(folder, f"axes: {{detectors: [simifeat]}}\n{text}")


def test_cells_that_cannot_begin_are_named_before_anything_runs(folder):
    text = "pipeline: {dataset: data}\naxes: {detectors: [self-confidence, simifeat]}"
    with pytest.raises(InputError) as error:
        read(folder, text).check()
    (line,) = error.value.faults
    assert line.startswith("cell detectors=self-confidence: detectors.0: self-confidence reads")
