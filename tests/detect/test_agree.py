import numpy as np
import pytest

from adc_core import run_pipeline, save_dataset
from adc_core.errors import InputErrors
from adc_core.records.dataset import Dataset
from adc_core.records.findings import Findings
from adc_core.runs.pipeline import Pipeline
from adc_plugins_detect.curators.agree import Agree, overlap
from adc_plugins_detect.curators.drop import Drop
from adc_plugins_detect.curators.relabel import Relabel

IDS = ["a", "b", "c", "d", "e"]
DATASET = Dataset(labels=[0, 1, 0, 1, 0], ids=IDS, classes=("cat", "dog"))


def findings(flagged, suggested):
    return Findings(
        ids=IDS, suspicion=np.full(5, 0.5), flagged=np.array(flagged), suggested_labels=suggested
    )


BOTH = (
    findings([True, True, False, False, False], [1, -1, -1, -1, -1]),
    findings([True, False, True, False, False], [1, -1, 1, -1, -1]),
)
FILTERS = (Drop(min_detectors=2), Relabel())


def test_the_union_is_dropped_with_every_reason():
    curation = Agree(filters=FILTERS).curate(DATASET, BOTH)
    assert curation.dataset.ids.tolist() == ["b", "d", "e"]
    assert curation.changes["reason"].to_pylist() == [
        "drop: flagged by 2 of 2 detectors; "
        "relabel: suggested by 2 of 2 detectors: dog (confidence 1.00)",
        "relabel: suggested by 1 of 2 detectors: dog (confidence 1.00)",
    ]
    assert curation.changes["new_label"].to_pylist() == [-1, -1]
    assert curation.notes == (
        "drop: 1 sample (20.00%)",
        "relabel: 2 samples (40.00%)",
        "drop and relabel: 1 sample (20.00%)",
        "any: 2 samples (40.00%)",
        "all: 1 sample (20.00%)",
    )


def test_the_intersection_is_dropped():
    curation = Agree(filters=FILTERS, rule="intersection").curate(DATASET, BOTH)
    assert curation.dataset.ids.tolist() == ["b", "c", "d", "e"]
    assert curation.notes == Agree(filters=FILTERS).curate(DATASET, BOTH).notes


def test_overlap_counts_inclusion_and_exclusion():
    random = np.random.default_rng(0)
    one, other = random.random(1000) < 0.3, random.random(1000) < 0.2
    table = overlap({"one": one, "other": other})
    assert table.any == table.pairs[0, 0] + table.pairs[1, 1] - table.pairs[0, 1]
    assert table.all == table.pairs[0, 1] == (one & other).sum()
    assert table.total == 1000


def test_the_table_of_the_paper():
    """ADC, section 4.2: 26.36 % and 25.00 %, 6.21 % both, make 45.15 %."""
    docta = np.arange(10_000) < 2636
    early = (np.arange(10_000) >= 2636 - 621) & (np.arange(10_000) < 2636 - 621 + 2500)
    assert overlap({"docta": docta, "early-stop": early}).lines()[2:4] == (
        "docta and early-stop: 621 samples (6.21%)",
        "any: 4,515 samples (45.15%)",
    )


def test_a_pipeline_asks_for_what_the_filters_read(tmp_path):
    save_dataset(DATASET, tmp_path / "data")
    pipeline = Pipeline(
        dataset=tmp_path / "data",
        curators=[{"use": "agree", "filters": ["drop", {"use": "docta", "otherwise": "drop"}]}],
    )
    with pytest.raises(InputErrors) as raised:
        run_pipeline(pipeline, tmp_path / "run")
    assert list(raised.value.faults) == [
        'curators.0: agree reads "neighbors", which nothing here adds: neighbors come from '
        "features, so add {use: patches} of adc-plugins-detect to encoder"
    ]


def test_two_filters_of_one_kind_are_told_apart():
    notes = Agree(filters=(Drop(), Drop(min_detectors=2))).curate(DATASET, BOTH).notes
    assert notes[:2] == ("drop: 3 samples (60.00%)", "drop-2: 1 sample (20.00%)")
