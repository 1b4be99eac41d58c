"""What designers, searchers, collectors, simulators, enrichers, detectors and curators promise."""

import tempfile
from pathlib import Path
from typing import ClassVar

import numpy as np

from adc_core.arrays import Array
from adc_core.conformance.toys import toy_dataset, toy_findings, toy_truth
from adc_core.dataset import EVIDENCE, Dataset
from adc_core.dataset_files import load_array
from adc_core.design import Brief, Design, Page, Query
from adc_core.errors import InputError, RecordErrors, WorkError
from adc_core.fingerprint import save_array
from adc_core.interfaces import (
    Collector,
    Curator,
    Designer,
    Detector,
    Enricher,
    Searcher,
    Simulator,
)
from adc_core.work import working_in

_QUERY = Query(text="red square", class_name="red")


class _NothingFound(Searcher):
    """Finds nothing."""

    kind: ClassVar[str] = "searchers"

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """No hits."""
        return Page()


def check_designs_a_query_for_every_class(designer: Designer) -> None:
    """Every class of the brief has a query, or one line says what is missing; always the same."""
    brief = Brief(subject="coloured squares", classes=("red", "green", "blue"))
    try:
        design = designer.design(brief)
    except RecordErrors:  # of a record that it made itself
        raise
    except (InputError, WorkError) as error:
        assert "\n" not in str(error), f"the error has several lines: {error}"
        return
    missing = set(design.classes) - {query.class_name for query in design.queries}
    assert not missing, f"no query for {', '.join(sorted(missing))}"
    assert designer.design(brief) == design, "a second design differs"


def check_answers_a_page_or_says_what_is_missing(searcher: Searcher) -> None:
    """A page has ranked hits of the query; without a key or service the error is one line."""
    try:
        page = searcher.page(_QUERY)
    except RecordErrors:  # of a record that it made itself
        raise
    except (InputError, WorkError) as error:
        assert "\n" not in str(error), f"the error has several lines: {error}"
        return
    for hit in page.hits:
        assert hit.query == _QUERY, f"{hit.url} names another query"


def check_refuses_to_collect_nothing(collector: Collector) -> None:
    """Where nothing is found, it says so instead of returning an empty dataset."""
    design = Design(classes=("red", "green"), queries=(_QUERY,))
    with tempfile.TemporaryDirectory() as folder, working_in(folder):
        try:
            collector.collect(design, (_NothingFound(),))
        except InputError as error:
            assert "\n" not in str(error), f"the error has several lines: {error}"
        else:
            raise AssertionError("a collection without hits was accepted")


def check_says_what_it_changed(simulator: Simulator) -> None:
    """The mask is true exactly where the label differs; labels stay within the classes."""
    dataset = toy_dataset()
    corruption = simulator.corrupt(dataset)
    assert np.array_equal(corruption.mask, corruption.labels != dataset.labels)
    assert corruption.labels.min() >= 0
    assert corruption.labels.max() < len(dataset.classes)


def check_corrupts_the_same_twice(simulator: Simulator) -> None:
    """The same seed makes the same noise."""
    assert simulator.corrupt(toy_dataset()) == simulator.corrupt(toy_dataset())


def check_adds_what_it_says(enricher: Enricher) -> None:
    """The columns named in `adds` are there; samples and labels are as before."""
    dataset = _without(enricher.provides)
    enriched = enricher.enrich(dataset)
    for column in enricher.provides:
        assert enriched.has(column), f"{column} was not added"
    assert enriched.fingerprint_of("ids", "labels", "classes") == dataset.fingerprint_of(
        "ids", "labels", "classes"
    ), "samples or labels were changed"


def _without(columns: tuple[str, ...]) -> Dataset:
    """Take these columns from the toy dataset, which never has columns of an author's own."""
    return toy_dataset().replace(**{name: None for name in columns if name in EVIDENCE})


def check_enriches_the_same_twice(enricher: Enricher) -> None:
    """The same dataset is enriched to the same bytes."""
    dataset = _without(enricher.provides)
    assert enricher.enrich(dataset) == enricher.enrich(dataset)


def check_judges_every_sample(detector: Detector) -> None:
    """Each sample is judged once, in the dataset's order."""
    dataset = toy_dataset()
    assert np.array_equal(detector.detect(dataset).ids, dataset.ids)


def check_judges_the_same_twice(detector: Detector) -> None:
    """The same dataset is judged the same, to the byte."""
    assert detector.detect(toy_dataset()) == detector.detect(toy_dataset())


def check_leaves_the_dataset_alone(detector: Detector) -> None:
    """No column of the dataset is changed."""
    dataset = _copied(toy_dataset())
    detector.detect(dataset)
    assert _copied(dataset) == toy_dataset(), "the dataset was changed"


def check_accepts_memory_maps(detector: Detector) -> None:
    """Columns that lie on disk are judged as those in memory."""
    dataset = toy_dataset()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "features.npy")
        assert dataset.features is not None
        save_array(dataset.features, path)
        mapped = dataset.replace(features=load_array(path))
        assert detector.detect(mapped) == detector.detect(dataset)
        del mapped


def check_suspects_wrong_labels_more(detector: Detector) -> None:
    """On easy data, wrong labels are more suspect than right ones."""
    dataset = toy_dataset()
    wrong = dataset.labels != toy_truth()
    suspicion = detector.detect(dataset).suspicion
    higher = np.nanmean(suspicion[wrong][:, None] > suspicion[~wrong][None, :])
    assert higher > 0.7, f"a wrong label is the more suspect one in {higher:.0%} of pairs only"


def check_follows_the_order_of_samples(detector: Detector) -> None:
    """Samples in another order are judged alike."""
    order = np.random.default_rng(3).permutation(len(toy_dataset()))
    findings = detector.detect(toy_dataset())
    permuted = detector.detect(_in_order(toy_dataset(), order))
    assert np.array_equal(permuted.flagged, findings.flagged[order]), "other samples are flagged"
    assert np.allclose(permuted.suspicion, findings.suspicion[order], equal_nan=True)


def check_records_every_change(curator: Curator) -> None:
    """Nothing is invented: what is left comes from the dataset, and every change is recorded."""
    dataset = toy_dataset()
    curation = curator.curate(dataset, (toy_findings(),))
    again = type(curation).apply(dataset, curation.changes, curation.notes)
    assert again == curation, "the changes do not lead to the curated dataset"
    reasons = curation.changes["reason"].to_pylist()
    assert all(reasons), "a change has no reason"


def check_curates_the_same_twice(curator: Curator) -> None:
    """The same findings lead to the same repairs."""
    findings = (toy_findings(),)
    assert curator.curate(toy_dataset(), findings) == curator.curate(toy_dataset(), findings)


def _copied(dataset: Dataset) -> Dataset:
    """The same dataset with hashes that are computed anew."""
    return dataset.replace(labels=dataset.labels.copy())


def _in_order(dataset: Dataset, order: Array) -> Dataset:
    """The same samples in another order, the graph included."""
    neighbours = dataset.neighbours
    assert neighbours is not None
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return dataset.take(order).replace(
        neighbours=neighbours.replace(
            indices=place[neighbours.indices[order]], similarities=neighbours.similarities[order]
        )
    )
