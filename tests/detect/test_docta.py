import numpy as np
import pytest

from adc_core.components.columns import required_neighbors
from adc_core.components.context import work_context
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.findings import Findings
from adc_plugins_detect.curators.docta import Docta
from adc_plugins_detect.detectors.simifeat import simifeat
from adc_plugins_detect.knn.search import nearest_neighbors

CLASSES = ("zero", "one", "two", "three")


@pytest.fixture(scope="module")
def dataset(planted):
    graph = nearest_neighbors(planted.features, required_neighbors(Docta()))
    return Dataset(labels=planted.labels, classes=CLASSES, neighbors=graph)


@pytest.fixture(scope="module")
def found(dataset, planted):
    return simifeat(planted.labels, dataset.neighbors, ids=dataset.ids)


def wrong_after(curation, planted):
    rows = curation.dataset.ids.astype(int)
    return (curation.dataset.labels != planted.truth[rows]).mean()


def test_relabels_what_detectors_flag(dataset, planted, found):
    curation = Docta().curate(dataset, (found,))
    assert len(curation.dataset) == 2000
    assert curation.count("drop") == 0
    assert wrong_after(curation, planted) < planted.wrong.mean() / 8
    changed = np.flatnonzero(curation.dataset.labels != planted.labels)
    assert found.flagged[changed].all()


def test_looks_for_itself_without_findings(dataset, planted):
    curation = Docta().curate(dataset, ())
    assert wrong_after(curation, planted) < planted.wrong.mean() / 8
    assert all(
        reason.startswith("flagged in ") for reason in curation.changes["reason"].to_pylist()
    )


def test_the_unsure_are_kept_or_dropped(dataset, planted, found):
    kept = Docta(min_confidence=0.6).curate(dataset, (found,))
    dropped = Docta(min_confidence=0.6, otherwise="drop").curate(dataset, (found,))
    relabeled = kept.count("relabel")
    assert 0 < relabeled < found.flagged.sum()
    assert dropped.count("relabel") == relabeled
    assert dropped.count("drop") == found.flagged.sum() - relabeled
    assert wrong_after(dropped, planted) < wrong_after(kept, planted)


def test_several_detectors_must_agree(dataset, found):
    nobody = found.replace(flagged=np.zeros(2000, bool))
    assert Docta(min_detectors=2).curate(dataset, (found, nobody)).changes.num_rows == 0
    both = Docta(min_detectors=2).curate(dataset, (found, found))
    one = Docta().curate(dataset, (found,))
    assert both.dataset == one.dataset


def test_reasons_are_sentences(dataset, planted, found):
    curation = Docta(otherwise="drop").curate(dataset, (found,))
    rows = curation.changes.to_pylist()
    first = next(row for row in rows if row["action"] == "relabel")
    row = int(first["id"])
    near = planted.labels[dataset.neighbors.indices[row, :9]]
    agree = (near == first["new_label"]).sum()
    assert first["old_label"] == planted.labels[row]
    assert first["reason"] == (
        f"flagged by 1 of 1 detector; {agree} of 9 neighbors say {CLASSES[first['new_label']]}"
    )
    kept_label = next(row for row in rows if row["action"] == "drop")
    assert kept_label["new_label"] == -1
    assert kept_label["reason"] == (
        "flagged by 1 of 1 detector; its neighbors agree on no other label"
    )


def test_clean_data_are_left_alone(dataset, planted):
    clean = dataset.relabeled(planted.truth)
    assert Docta().curate(clean, ()).dataset == clean


def test_a_sample_is_found_by_its_id(dataset, planted, found):
    order = np.random.default_rng(0).permutation(2000)
    shuffled = found.for_ids(dataset.take(order))
    assert shuffled.ids[0] != found.ids[0]
    assert Docta().curate(dataset, (shuffled,)) == Docta().curate(dataset, (found,))


def test_the_seed_is_all_that_is_random(dataset, found):
    assert Docta(seed=3).curate(dataset, (found,)) == Docta(seed=3).curate(dataset, (found,))


def test_tells_of_progress(dataset, found, tmp_path):
    heard = []
    with work_context(tmp_path, lambda *progress: heard.append(progress)):
        Docta(rounds=2).curate(dataset, (found,))
    assert heard == [(1, 2, "round"), (2, 2, "round")]


def test_bad_input_is_named(dataset, planted, found):
    few = nearest_neighbors(planted.features, 5)
    cases = [
        (
            Docta(),
            dataset.replace(neighbors=None),
            'the dataset has no column "neighbors": the enricher neighbors adds it',
        ),
        (
            Docta(),
            dataset.replace(neighbors=few),
            "10 voters are the sample and 9 neighbors, but the graph has 5: "
            "search more neighbors or lower k",
        ),
        (
            Docta(min_detectors=3),
            dataset,
            "min_detectors is 3 but there are findings of 1: lower it, or add detectors",
        ),
    ]
    for curator, given, message in cases:
        with pytest.raises(InputError) as raised:
            curator.curate(given, (found,))
        assert str(raised.value) == message


def test_uncovered_samples_are_left_alone(dataset, found):
    covered = np.arange(2000) < 1000
    half = Findings(
        ids=found.ids,
        suspicion=np.where(covered, found.suspicion, np.nan),
        flagged=found.flagged & covered,
        covered=covered,
    )
    changed = Docta().curate(dataset, (half,)).changes["id"].to_pylist()
    assert max(int(row) for row in changed) < 1000
