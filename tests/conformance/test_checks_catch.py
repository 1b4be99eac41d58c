"""Each check fails on a component that breaks just its promise."""

import re
from typing import ClassVar

import numpy as np
import pytest
from pydantic import ConfigDict, Field

from adc_core import (
    Corruption,
    Curation,
    Curator,
    Dataset,
    Designer,
    Detector,
    Encoder,
    Findings,
    Measurement,
    Metric,
    Page,
    Searcher,
    Simulator,
)
from adc_core.cli import main
from adc_core.components.component import Column
from adc_core.components.registry import RegistryError, registry
from adc_core.records.curation import CHANGES
from adc_core.records.design import Design, Hit, Query
from adc_core.testing import checks_for, example_of

RNG = np.random.default_rng(0)


def suspicion_of(dataset):
    nearest = dataset.neighbors.indices[:, :10]
    return (dataset.labels[nearest] != dataset.labels[:, None]).mean(axis=1)


class Good(Detector):
    """Flags what most neighbors contradict."""

    requires: ClassVar = (Column("neighbors", k=10),)

    def detect(self, dataset):
        suspicion = suspicion_of(dataset)
        return Findings(ids=dataset.ids, suspicion=suspicion, flagged=suspicion > 0.5)


class Reversed(Good):
    """Takes suspicion for its opposite."""

    def detect(self, dataset):
        suspicion = 1 - suspicion_of(dataset)
        return Findings(ids=dataset.ids, suspicion=suspicion, flagged=suspicion > 0.5)


class Fickle(Good):
    """Judges otherwise every time."""

    def detect(self, dataset):
        suspicion = np.clip(suspicion_of(dataset) + RNG.uniform(0, 0.01, len(dataset)), 0, 1)
        return Findings(ids=dataset.ids, suspicion=suspicion, flagged=suspicion > 0.5)


class Shuffling(Good):
    """Returns its findings in another order."""

    def detect(self, dataset):
        found = super().detect(dataset)
        return found.replace(ids=found.ids[::-1])


class OrderBound(Good):
    """Always suspects the first sample."""

    def detect(self, dataset):
        found = super().detect(dataset)
        flagged = found.flagged.copy()
        flagged[0] = not flagged[0]
        return found.replace(flagged=flagged)


class Meddling(Good):
    """Changes the labels that it is given."""

    def detect(self, dataset):
        labels = dataset.labels.view()
        writable = np.array(labels)
        object.__setattr__(dataset, "labels", (writable + 1) % len(dataset.classes))
        return super().detect(dataset.replace(labels=writable))


class Nameless(Good):
    """does not end its sentence"""


class Undescribed(Good):
    """Has an option that nobody explains."""

    k: int = 3


class Loose(Good):
    """Takes any option."""

    model_config = ConfigDict(extra="ignore")


class Melting(Good):
    """Lets its options be changed."""

    model_config = ConfigDict(frozen=False)
    k: int = Field(default=3, description="a number")


class Peeking(Good):
    """Wants the truth."""

    requires: ClassVar = ("neighbors", "truth")


class Modest(Good):
    """Does not say how many neighbors it looks at."""

    requires: ClassVar = ("neighbors",)

    def detect(self, dataset):
        dataset.neighbors.first(10)
        return super().detect(dataset)


class Undeclared(Good):
    """Reads a column that it does not ask for."""

    requires: ClassVar = ()


class Raising(Searcher):
    """Falls over its own answer."""

    def page(self, query, cursor=None):
        return {}["hits"]


class RankZero(Searcher):
    """Counts from zero."""

    def page(self, query, cursor=None):
        hit = Hit(engine="mine", rank=0, url="https://example.org/1.jpg", query=query)
        return Page(hits=(hit,))


class NoPage(Searcher):
    """Answers with a list."""

    def page(self, query, cursor=None):
        return []


class OneText(Good):
    """Forgets a comma."""

    requires: ClassVar = "neighbors"


class DoubleEncoder(Encoder):
    """Encodes in double precision."""

    requires: ClassVar = ("images",)

    def encode(self, images):
        return np.zeros((len(images), 2))


class LyingSimulator(Simulator):
    """Says that nothing was changed."""

    def corrupt(self, dataset):
        labels = (dataset.labels + 1) % len(dataset.classes)
        return Corruption(labels=labels, mask=np.zeros(len(labels), np.bool_))


class SilentCurator(Curator):
    """Drops samples without a reason."""

    def curate(self, dataset, findings):
        row = {"id": dataset.ids[0], "action": "drop", "old_label": dataset.labels[0]}
        row |= {"new_label": -1, "reason": ""}
        changes = CHANGES.empty_table().from_pylist([row], CHANGES)
        return Curation.apply(dataset, changes)


class SecretCurator(Curator):
    """Changes more than it records."""

    def curate(self, dataset, findings):
        other = Dataset(labels=dataset.labels[:-1], classes=dataset.classes)
        return Curation(dataset=other, changes=CHANGES.empty_table())


class Forgetful(Designer):
    """Forgets the last class."""

    def design(self, brief):
        queries = tuple(Query(text=name, class_name=name) for name in brief.classes[:-1])
        return Design(classes=brief.classes, queries=queries)


class WrongWay(Metric):
    """Says that fewer errors are worse."""

    def measure(self, run):
        wrong = float(np.mean(run.trainings[0].predictions.labels != run.test.labels))
        return (Measurement(metric="error", subject="x", value=wrong, better="higher"),)


class Endless(Metric):
    """Measures infinity."""

    def measure(self, run):
        return (Measurement(metric="m", subject="x", value=float("inf"), better="higher"),)


EVERY_JUDGMENT = {
    "check_accepts_memory_maps",
    "check_follows_the_order_of_samples",
    "check_judges_every_sample",
    "check_judges_the_same_twice",
    "check_leaves_the_dataset_alone",
    "check_suspects_wrong_labels_more",
}


def broken_promises(component):
    broken = set()
    for check in checks_for(component):
        try:
            check(example_of(component))
        except Exception:
            broken.add(check.__name__)
    return broken


@pytest.fixture(autouse=True)
def unique_names(request):
    for component in list(globals().values()):
        if isinstance(component, type) and component.__module__ == __name__:
            registry.add(component.__name__.lower(), component)


@pytest.mark.parametrize(
    ("component", "broken"),
    [
        (Good, set()),
        (Reversed, {"check_suspects_wrong_labels_more"}),
        (Shuffling, {"check_judges_every_sample"}),
        (OrderBound, {"check_follows_the_order_of_samples"}),
        (Meddling, {"check_leaves_the_dataset_alone"}),
        (Nameless, {"check_has_a_summary"}),
        (Undescribed, {"check_describes_every_option"}),
        (Loose, {"check_refuses_an_unknown_option"}),
        (Melting, {"check_is_frozen"}),
        (Peeking, {"check_requires_and_provides_known_columns"}),
        (Modest, EVERY_JUDGMENT),
        (OneText, {"check_requires_and_provides_known_columns", *EVERY_JUDGMENT}),
        (Undeclared, EVERY_JUDGMENT),
        (Raising, {"check_answers_a_page_or_says_what_is_missing"}),
        (RankZero, {"check_answers_a_page_or_says_what_is_missing"}),
        (NoPage, {"check_answers_a_page_or_says_what_is_missing"}),
        (DoubleEncoder, {"check_encodes_every_image"}),
        (LyingSimulator, {"check_says_what_it_changed"}),
        (SilentCurator, {"check_records_every_change"}),
        (SecretCurator, {"check_records_every_change"}),
        (Forgetful, {"check_designs_a_query_for_every_class"}),
        (WrongWay, {"check_knows_what_is_better"}),
        (Endless, {"check_measures_finite_figures"}),
    ],
)
def test_the_promise_that_is_broken_is_named(component, broken):
    assert broken_promises(component) - {"check_pickles"} == broken


def test_an_unrepeatable_detector_is_caught():
    assert "check_judges_the_same_twice" in broken_promises(Fickle)


class Unfinished(Detector):
    """Has no method."""


def test_a_class_without_its_method_is_named():
    with pytest.raises(RegistryError) as raised:
        registry.load(Detector, "unfinished")
    assert str(raised.value) == (
        f"{__name__}:Unfinished has no method detect, which a Detector needs"
    )


def test_the_command_tells_type_and_line(capsys):
    assert main(["check", "searchers", "raising"]) == 1
    told = capsys.readouterr()
    assert re.search(
        r"^broken  check_answers_a_page_or_says_what_is_missing: .* "
        r"KeyError: 'hits' \(test_checks_catch\.py:\d+\)$",
        told.err,
        re.M,
    )
    assert "kept    check_has_a_summary" in told.out
    assert main(["check", "searchers", "raising", "--debug"]) == 1
    assert 'return {}["hits"]' in capsys.readouterr().err
