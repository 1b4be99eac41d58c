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
from adc_core.testing.differences import require_same
from adc_core.testing.toys import toy_dataset, toy_findings, toy_truth

BRIEF = Brief(subject="coloured squares", classes=("red", "green", "blue"))
QUERY = Query(text="red square", class_name="red")
DESIGN = Design(classes=("red", "green"), queries=(QUERY,))


class NothingFound(Searcher):
    """Finds nothing."""

    kind: ClassVar[str] = "searchers"

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return no hits."""
        return Page()


def check_designs_a_query_for_every_class(designer: Designer) -> None:
    """Require a query for every class, or one line that says what is missing; always the same.

    Make at least one Query of each class in brief.classes, and draw nothing without a seed.
    """
    try:
        design = designer.design(BRIEF)
    except RecordErrors:  # of a record that it made itself
        raise
    except (InputError, WorkError) as error:
        assert "\n" not in str(error), f"the error has several lines: {error}"
        return
    missing = set(design.classes) - {query.class_name for query in design.queries}
    assert not missing, f"no query for {', '.join(sorted(missing))}"
    assert designer.design(BRIEF) == design, "a second design differs"


def check_answers_a_page_or_says_what_is_missing(searcher: Searcher) -> None:
    """Require ranked hits of the query; without a key or service, an error of one line.

    Return Page(hits=…) with ranks from 1 and the query as it was given; where the service is away,
    raise InputError or WorkError with one line.
    """
    try:
        page = searcher.page(QUERY)
    except RecordErrors:  # of a record that it made itself
        raise
    except (InputError, WorkError) as error:
        if isinstance(error, ValidationError) or isinstance(error.__cause__, ValidationError):
            raise  # a hit or page that is none is the searcher's fault, not the service's
        assert "\n" not in str(error), f"the error has several lines: {error}"
        return
    for hit in expect(page, Page, "page").hits:
        assert hit.query == QUERY, f"{hit.url} names another query"


def check_refuses_to_collect_nothing(collector: Collector) -> None:
    """Require an error where nothing is found, instead of an empty dataset.

    Raise InputError with one line where no image is left.
    """
    with tempfile.TemporaryDirectory() as folder, work_context(folder):
        try:
            collector.collect(DESIGN, (NothingFound(),))
        except InputError as error:
            assert "\n" not in str(error), f"the error has several lines: {error}"
        else:
            raise AssertionError("a collection without hits was accepted")


def check_says_what_it_changed(simulator: Simulator) -> None:
    """Require a mask that is true exactly where labels differ, and labels within the classes.

    Return Corruption(labels=noisy, mask=noisy != dataset.labels).
    """
    dataset = given(simulator)
    corruption = simulator.corrupt(dataset)
    changed = corruption_of(corruption, dataset).labels != dataset.labels
    wrong = np.flatnonzero(corruption.mask != changed)
    assert not len(wrong), (
        f"the mask says {corruption.mask[wrong[0]]} of sample {wrong[0]}, whose label "
        f"{'was' if changed[wrong[0]] else 'was not'} changed"
    )


def check_corrupts_the_same_twice(simulator: Simulator) -> None:
    """Require the same noise of the same seed.

    Draw from numpy.random.default_rng(self.seed), made within corrupt.
    """
    dataset = given(simulator)
    require_same(simulator.corrupt(dataset), simulator.corrupt(dataset), "the second noise")


def check_adds_what_it_says(enricher: Enricher) -> None:
    """Require the columns named in `provides`, and samples and labels as before.

    Return dataset.replace(column=…) with each column of `provides`, and change nothing else.
    """
    dataset = given(enricher)
    enriched = enriched_of(enricher.enrich(dataset), dataset, enricher.provided_columns)
    assert enriched.fingerprint_of("ids", "labels", "classes") == dataset.fingerprint_of(
        "ids", "labels", "classes"
    ), "samples or labels were changed"


def given(component: Component) -> Dataset:
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
    """Require the same bytes for the same dataset.

    Make every generator within enrich from a seed, and keep no state between calls.
    """
    dataset = given(enricher)
    require_same(enricher.enrich(dataset), enricher.enrich(dataset), "the second time")


def check_judges_every_sample(detector: Detector) -> None:
    """Require one judgement of each sample, in the dataset's order.

    Return Findings(ids=dataset.ids, …) with a row for each sample; what cannot be judged gets NaN
    and covered False. Columns that are read must be in `requires`: all others are hidden.
    """
    dataset = given(detector)
    findings_of(detector.detect(dataset), dataset)


def check_judges_the_same_twice(detector: Detector) -> None:
    """Require the same findings for the same dataset, to the byte.

    Make every generator within detect from a seed, and keep no state between calls.
    """
    dataset = given(detector)
    require_same(detector.detect(dataset), detector.detect(dataset), "the second time")


def check_accepts_memory_maps(detector: Detector) -> None:
    """Require the same findings for columns on disk as for those in memory.

    Read columns as arrays, in pieces, and do not ask for their type.
    """
    dataset = given(detector)
    with tempfile.TemporaryDirectory() as folder:
        mapped = dataset
        for name in ("labels", "features"):
            if dataset.has(name):
                path = Path(folder, f"{name}.npy")
                save_array(getattr(dataset, name), path)
                mapped = mapped.replace(**{name: load_array(path)})
        require_same(detector.detect(dataset), detector.detect(mapped), "on disk")
        del mapped


def check_suspects_wrong_labels_more(detector: Detector) -> None:
    """Require, on easy data, that wrong labels are more suspect than right ones.

    Suspicion runs from 0 (surely right) to 1 (surely wrong): turn a score of quality round.
    """
    dataset = given(detector)
    wrong = dataset.labels != toy_truth()
    suspicion = detector.detect(dataset).suspicion
    higher = np.nanmean(suspicion[wrong][:, None] > suspicion[~wrong][None, :])
    assert higher > 0.7, f"a wrong label is the more suspect one in {higher:.0%} of pairs only"


def check_follows_the_order_of_samples(detector: Detector) -> None:
    """Require the same judgement of samples in another order.

    Break ties by values and not by places, and draw for ids and not for rows.
    """
    dataset = given(detector)
    order = np.random.default_rng(3).permutation(len(dataset))
    findings = detector.detect(dataset)
    permuted = detector.detect(_in_order(dataset, order))
    other = np.flatnonzero(permuted.flagged != findings.flagged[order])
    assert not len(other), f"in another order {_one_of(dataset, order[other])} is judged otherwise"
    close = np.isclose(permuted.suspicion, findings.suspicion[order], equal_nan=True)
    other = np.flatnonzero(~close)
    assert not len(other), (
        f"in another order the suspicion of {_one_of(dataset, order[other])} is "
        f"{permuted.suspicion[other[0]]:.6g} and not {findings.suspicion[order[other[0]]]:.6g}"
    )


def check_records_every_change(curator: Curator) -> None:
    """Require that all that is left comes from the dataset, and that every change is recorded.

    Make the curation by Curation.of(dataset, drop=…, relabel=…, reasons=…).
    """
    dataset = given(curator)
    curation = curator.curate(dataset, (toy_findings(),))
    again = type(curation).apply(dataset, curation.changes, curation.notes)
    assert again == curation, "the changes do not lead to the curated dataset"
    reasons = curation.changes["reason"].to_pylist()
    assert all(reasons), "a change has no reason"


def check_curates_the_same_twice(curator: Curator) -> None:
    """Require the same repairs for the same findings.

    Make every generator within curate from a seed, and keep no state between calls.
    """
    dataset, findings = given(curator), (toy_findings(),)
    first, second = curator.curate(dataset, findings), curator.curate(dataset, findings)
    require_same(first, second, "the second time")


def _one_of(dataset: Dataset, rows: Array) -> str:
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"sample {dataset.ids[rows[0]]}{more}"


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
