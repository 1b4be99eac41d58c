"""What designers, searchers, collectors, simulators, enrichers, detectors and curators promise."""

import tempfile
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import ValidationError

from adc_core.arrays.hashing import save_array
from adc_core.arrays.validation import Array
from adc_core.components.columns import required_neighbors, shown_to
from adc_core.components.component import Component
from adc_core.components.context import work_context
from adc_core.components.interfaces import (
    Collector,
    Curator,
    Designer,
    Detector,
    Enricher,
    Searcher,
    Simulator,
)
from adc_core.components.results import corruption_of, enriched_of, expect, findings_of
from adc_core.errors import InputError, RecordErrors, WorkError
from adc_core.records.dataset import EVIDENCE, Dataset
from adc_core.records.design import Brief, Design, Page, Query
from adc_core.records.evidence import Neighbors
from adc_core.storage.saved_dataset import load_array
from adc_core.testing.toys import toy_dataset, toy_findings, toy_truth

_QUERY = Query(text="red square", class_name="red")


class _NothingFound(Searcher):
    """Finds nothing."""

    kind: ClassVar[str] = "searchers"

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return no hits."""
        return Page()


def check_designs_a_query_for_every_class(designer: Designer) -> None:
    """Require a query for every class, or one line that says what is missing; always the same."""
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
    """Require ranked hits of the query; without a key or service, an error of one line."""
    try:
        page = searcher.page(_QUERY)
    except RecordErrors:  # of a record that it made itself
        raise
    except (InputError, WorkError) as error:
        if isinstance(error, ValidationError) or isinstance(error.__cause__, ValidationError):
            raise  # a hit or page that is none is the searcher's fault, not the service's
        assert "\n" not in str(error), f"the error has several lines: {error}"
        return
    for hit in expect(page, Page, "page").hits:
        assert hit.query == _QUERY, f"{hit.url} names another query"


def check_refuses_to_collect_nothing(collector: Collector) -> None:
    """Require an error where nothing is found, instead of an empty dataset."""
    design = Design(classes=("red", "green"), queries=(_QUERY,))
    with tempfile.TemporaryDirectory() as folder, work_context(folder):
        try:
            collector.collect(design, (_NothingFound(),))
        except InputError as error:
            assert "\n" not in str(error), f"the error has several lines: {error}"
        else:
            raise AssertionError("a collection without hits was accepted")


def check_says_what_it_changed(simulator: Simulator) -> None:
    """Require a mask that is true exactly where labels differ, and labels within the classes."""
    dataset = _given(simulator)
    corruption = simulator.corrupt(dataset)
    changed = corruption_of(corruption, dataset).labels != dataset.labels
    assert np.array_equal(corruption.mask, changed), "the mask is not where labels differ"


def check_corrupts_the_same_twice(simulator: Simulator) -> None:
    """Require the same noise of the same seed."""
    dataset = _given(simulator)
    assert simulator.corrupt(dataset) == simulator.corrupt(dataset), "a second noise differs"


def check_adds_what_it_says(enricher: Enricher) -> None:
    """Require the columns named in `provides`, and samples and labels as before."""
    dataset = _given(enricher)
    enriched = enriched_of(enricher.enrich(dataset), dataset, enricher.provided_columns)
    assert enriched.fingerprint_of("ids", "labels", "classes") == dataset.fingerprint_of(
        "ids", "labels", "classes"
    ), "samples or labels were changed"


def _given(component: Component) -> Dataset:
    """Show the toy dataset as a pipeline would: what a component does not declare is hidden."""
    dataset = toy_dataset()
    if component.kind == "enrichers":
        added = [name for name in component.provided_columns if name in EVIDENCE]
        dataset = dataset.replace(**dict.fromkeys(added))
    if isinstance(component, Detector | Curator) and dataset.neighbors is not None:
        indices, similarities = dataset.neighbors.first(
            min(max(1, required_neighbors(component)), dataset.neighbors.k)
        )
        dataset = dataset.replace(neighbors=Neighbors(indices=indices, similarities=similarities))
    return shown_to(component, dataset)


def check_enriches_the_same_twice(enricher: Enricher) -> None:
    """Require the same bytes for the same dataset."""
    dataset = _given(enricher)
    assert enricher.enrich(dataset) == enricher.enrich(dataset), "the second time differs"


def check_judges_every_sample(detector: Detector) -> None:
    """Require one judgement of each sample, in the dataset's order."""
    dataset = _given(detector)
    findings_of(detector.detect(dataset), dataset)


def check_judges_the_same_twice(detector: Detector) -> None:
    """Require the same findings for the same dataset, to the byte."""
    dataset = _given(detector)
    assert detector.detect(dataset) == detector.detect(dataset), "the second time differs"


def check_leaves_the_dataset_alone(detector: Detector) -> None:
    """Require that no column of the dataset is changed."""
    dataset = _copied(_given(detector))
    detector.detect(dataset)
    assert _copied(dataset) == _given(detector), "the dataset was changed"


def check_accepts_memory_maps(detector: Detector) -> None:
    """Require the same findings for columns on disk as for those in memory."""
    dataset = _given(detector)
    with tempfile.TemporaryDirectory() as folder:
        mapped = dataset
        for name in ("labels", "features"):
            if dataset.has(name):
                path = Path(folder, f"{name}.npy")
                save_array(getattr(dataset, name), path)
                mapped = mapped.replace(**{name: load_array(path)})
        assert detector.detect(mapped) == detector.detect(dataset), "they are judged otherwise"
        del mapped


def check_suspects_wrong_labels_more(detector: Detector) -> None:
    """Require, on easy data, that wrong labels are more suspect than right ones."""
    dataset = _given(detector)
    wrong = dataset.labels != toy_truth()
    suspicion = detector.detect(dataset).suspicion
    higher = np.nanmean(suspicion[wrong][:, None] > suspicion[~wrong][None, :])
    assert higher > 0.7, f"a wrong label is the more suspect one in {higher:.0%} of pairs only"


def check_follows_the_order_of_samples(detector: Detector) -> None:
    """Require the same judgement of samples in another order."""
    dataset = _given(detector)
    order = np.random.default_rng(3).permutation(len(dataset))
    findings = detector.detect(dataset)
    permuted = detector.detect(_in_order(dataset, order))
    assert np.array_equal(permuted.flagged, findings.flagged[order]), "other samples are flagged"
    same = np.allclose(permuted.suspicion, findings.suspicion[order], equal_nan=True)
    assert same, "the suspicion depends on the order"


def check_records_every_change(curator: Curator) -> None:
    """Require that all that is left comes from the dataset, and that every change is recorded."""
    dataset = _given(curator)
    curation = curator.curate(dataset, (toy_findings(),))
    again = type(curation).apply(dataset, curation.changes, curation.notes)
    assert again == curation, "the changes do not lead to the curated dataset"
    reasons = curation.changes["reason"].to_pylist()
    assert all(reasons), "a change has no reason"


def check_curates_the_same_twice(curator: Curator) -> None:
    """Require the same repairs for the same findings."""
    dataset, findings = _given(curator), (toy_findings(),)
    same = curator.curate(dataset, findings) == curator.curate(dataset, findings)
    assert same, "the second time differs"


def _copied(dataset: Dataset) -> Dataset:
    """Return the same dataset with hashes that are computed anew."""
    return dataset.replace(labels=dataset.labels.copy())


def _in_order(dataset: Dataset, order: Array) -> Dataset:
    """Return the same samples in another order, the graph included."""
    neighbors = dataset.neighbors
    if neighbors is None:
        return dataset.take(order)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return dataset.take(order).replace(
        neighbors=neighbors.replace(
            indices=place[neighbors.indices[order]], similarities=neighbors.similarities[order]
        )
    )
