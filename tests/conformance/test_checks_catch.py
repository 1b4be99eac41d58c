"""Each check fails on a component that breaks just its promise."""

import mmap
import os
import random
import re
import warnings
from itertools import chain
from typing import ClassVar

import numpy as np
import pytest
from pydantic import ConfigDict, Field, field_validator

from adc_core import (
    Collector,
    Corruption,
    Curation,
    Curator,
    Dataset,
    Designer,
    Detector,
    Encoder,
    Enricher,
    Findings,
    InputError,
    Learner,
    Measurement,
    Metric,
    Model,
    Page,
    Predictions,
    Searcher,
    Simulator,
)
from adc_core.cli import main
from adc_core.components.component import Column
from adc_core.components.registry import RegistryError, registry
from adc_core.records.curation import CHANGES
from adc_core.records.design import Design, Hit, Query
from adc_core.testing import PROMISES, checks_for, example_of, promise_of, remedy_of
from adc_core.testing.toys import CLASSES

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

    def detect(self, dataset):
        found = super().detect(dataset)
        return found.replace(flagged=found.suspicion > self.k / 10)


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


class Idle(Good):
    """Has an option without a use."""

    nothing_at_all: int = Field(default=3, description="not read by anybody")


class Seeding(Good):
    """Seeds everybody's generator."""

    def detect(self, dataset):
        np.random.seed(0)
        np.random.rand()
        return super().detect(dataset)


class Silencing(Good):
    """Silences warnings for the whole process."""

    def detect(self, dataset):
        warnings.simplefilter("ignore")
        return super().detect(dataset)


class Exporting(Good):
    """Sets a variable of the environment."""

    def detect(self, dataset):
        os.environ["MINE_WAS_HERE"] = "1"
        return super().detect(dataset)


class Wandering(Good):
    """Changes the working folder."""

    def detect(self, dataset):
        os.chdir("/")
        return super().detect(dataset)


class Shuffler(Good):
    """Shuffles with Python's own generator."""

    def detect(self, dataset):
        random.shuffle([*dataset.ids])
        return super().detect(dataset)


class Careless(Good):
    """Ignores every division by zero from now on."""

    def detect(self, dataset):
        np.seterr(all="ignore")
        return super().detect(dataset)


class Unmapped(Good):
    """Insists on an array in memory."""

    def detect(self, dataset):
        memory = dataset.labels
        while isinstance(memory, np.ndarray):
            memory = memory.base
        if isinstance(memory, mmap.mmap):
            return super().detect(dataset).replace(suspicion=np.zeros(len(dataset)))
        return super().detect(dataset)


class Writing(Simulator):
    """Writes into the labels that it is given."""

    def corrupt(self, dataset):
        mutable(dataset.labels)[:] = 2
        return Corruption(labels=dataset.labels, mask=np.zeros(len(dataset), np.bool_))


class Incrementing(Good):
    """Comes back with another value than it was written with."""

    k: int = Field(default=3, description="a number")

    @field_validator("k")
    @classmethod
    def _more(cls, k):
        return k + 1


class Unpicklable(Good):
    """Cannot be sent to another process."""

    def __reduce__(self):
        raise TypeError("not this one")


class Careful(Collector):
    """Collects nothing without complaint."""

    def collect(self, design, searchers):
        return Dataset(labels=np.zeros(1, np.int64), classes=design.classes)


class FickleSimulator(Simulator):
    """Draws without a seed."""

    def corrupt(self, dataset):
        labels = RNG.integers(0, len(dataset.classes), len(dataset))
        return Corruption(labels=labels, mask=labels != dataset.labels)


class Withholding(Enricher):
    """Does not add what it says."""

    provides: ClassVar = ("mine",)

    def enrich(self, dataset):
        return dataset


class FickleEnricher(Enricher):
    """Adds something else every time."""

    provides: ClassVar = ("mine",)

    def enrich(self, dataset):
        return dataset.replace(columns={"mine": RNG.random(len(dataset))})


class FickleCurator(Curator):
    """Drops samples by chance."""

    def curate(self, dataset, findings):
        rows = np.sort(RNG.permutation(len(dataset))[:5])
        return Curation.of(dataset, drop=rows, reasons=["by chance"] * 5)


class FickleEncoder(Encoder):
    """Encodes with noise."""

    requires: ClassVar = ("images",)

    def encode(self, images):
        return RNG.random((len(images), 2)).astype(np.float32)


class Prior(Model):
    """Predicts the same for every image."""

    history, dynamics, classes = (), None, CLASSES

    def __init__(self, row):
        self.row = np.asarray(row, np.float32)

    def predict(self, images):
        return Predictions(probabilities=np.tile(self.row, (len(images), 1)), classes=CLASSES)

    def save(self, folder):
        folder.mkdir()
        np.save(folder / "row.npy", self.row)

    @classmethod
    def load(cls, folder):
        return cls(np.load(folder / "row.npy"))


class Constant(Learner):
    """Learns how frequent the classes are."""

    model: ClassVar = Prior

    def learn(self, dataset, validation=None):
        return Prior(dataset.class_counts / len(dataset))


class Unnormalized(Constant):
    """Returns logits."""

    def learn(self, dataset, validation=None):
        return Prior([2, 3, 4])


class FickleLearner(Constant):
    """Begins with weights without a seed."""

    def learn(self, dataset, validation=None):
        return Prior(RNG.dirichlet(np.ones(3)))


class Rounding(Prior):
    """Is saved with two digits."""

    def save(self, folder):
        folder.mkdir()
        np.save(folder / "row.npy", self.row.round(2))


class RoundingLearner(Constant):
    """Returns a model that is not saved whole."""

    model: ClassVar = Rounding

    def learn(self, dataset, validation=None):
        return Rounding([1 / 3, 1 / 3, 1 / 3])


class WritingLearner(Constant):
    """Repairs a label in place."""

    def learn(self, dataset, validation=None):
        mutable(dataset.labels)[:1] += 1
        return super().learn(dataset)


class Dependent(Good):
    """Cannot do without what it calls optional."""

    optional_columns: ClassVar = ("features",)

    def detect(self, dataset):
        dataset.features.sum()
        return super().detect(dataset)


class Refusing(Good):
    """Says what it cannot do without."""

    optional_columns: ClassVar = ("features",)

    def detect(self, dataset):
        if dataset.features is None:
            raise InputError("the dataset has no features: add an encoder")
        return super().detect(dataset)


class Excused(OrderBound):
    """Depends on the order, and says so."""

    known_exceptions: ClassVar = {
        "check_follows_the_order_of_samples": "the first sample is a control"
    }


class Misspelt(Good):
    """Excuses itself from what nobody asks."""

    known_exceptions: ClassVar = {"check_nothing": "a reason"}


class Silent(Good):
    """Excuses itself without a reason."""

    known_exceptions: ClassVar = {"check_pickles": " "}


def mutable(column):
    """What a column is a view of, which somebody determined can write into."""
    view = column.view()
    view.flags.writeable = True
    return view


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
        if getattr(component, "__module__", "") == __name__ and hasattr(component, "kind"):
            registry.add(component.__name__.lower(), component)


CASES = [
    (Good, set()),
    (Constant, set()),
    (Idle, {"check_every_option_is_read"}),
    (Seeding, {"check_leaves_the_process_alone"}),
    (Silencing, {"check_leaves_the_process_alone"}),
    (Exporting, {"check_leaves_the_process_alone"}),
    (Wandering, {"check_leaves_the_process_alone"}),
    (Shuffler, {"check_leaves_the_process_alone"}),
    (Careless, {"check_leaves_the_process_alone"}),
    (Unmapped, {"check_accepts_memory_maps"}),
    (Writing, {"check_leaves_the_dataset_alone"}),
    (WritingLearner, {"check_leaves_the_dataset_alone"}),
    (Incrementing, {"check_survives_a_round_trip"}),
    (Unpicklable, {"check_pickles"}),
    (Careful, {"check_refuses_to_collect_nothing"}),
    (FickleSimulator, {"check_corrupts_the_same_twice"}),
    (Withholding, {"check_adds_what_it_says"}),
    (FickleEnricher, {"check_enriches_the_same_twice"}),
    (FickleCurator, {"check_curates_the_same_twice"}),
    (FickleEncoder, {"check_encodes_the_same_twice"}),
    (Unnormalized, {"check_predicts_probabilities"}),
    (FickleLearner, {"check_learns_the_same_twice"}),
    (RoundingLearner, {"check_model_survives_saving"}),
    (Dependent, {"check_does_without_optional_columns"}),
    (Refusing, set()),
    (Excused, set()),
    (
        Fickle,
        {
            "check_judges_the_same_twice",
            "check_accepts_memory_maps",
            "check_follows_the_order_of_samples",
        },
    ),
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
]


@pytest.mark.parametrize(("component", "broken"), CASES)
def test_the_promise_that_is_broken_is_named(component, broken):
    with warnings.catch_warnings():
        assert broken_promises(component) == broken


def test_every_check_catches_something_by_itself():
    """A fickle detector is caught by all that compare two of its judgments."""
    caught = {name for _, broken in CASES if len(broken) == 1 for name in broken}
    every = {check.__name__ for checks in PROMISES.values() for check in checks}
    assert every - caught == {"check_judges_the_same_twice"}


ALL_CHECKS = sorted({*chain(*PROMISES.values())}, key=lambda check: check.__name__)


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda check: check.__name__)
def test_every_check_says_what_it_requires_and_what_to_do(check):
    assert promise_of(check).startswith("Require")
    assert promise_of(check).endswith(".")
    assert remedy_of(check).endswith(".")


@pytest.mark.parametrize(
    ("component", "problem"),
    [
        (Misspelt, "known_exceptions of Misspelt: there is no check_nothing"),
        (Silent, "known_exceptions of Silent: say why of check_pickles"),
    ],
)
def test_exceptions_name_a_check_and_a_reason(component, problem, capsys):
    assert main(["check", "detectors", component.__name__.lower()]) == 2
    assert capsys.readouterr().err == f"adc: {problem}\n"


def test_a_known_exception_is_shown_with_its_reason(capsys):
    assert main(["check", "detectors", "excused"]) == 0
    assert (
        "skipped check_follows_the_order_of_samples: Require the same judgement of samples in "
        "another order. Known exception: the first sample is a control"
    ) in capsys.readouterr().out.splitlines()


def test_a_broken_promise_shows_an_example_and_what_to_do(capsys):
    assert main(["check", "detectors", "orderbound"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "broken  check_follows_the_order_of_samples: Require the same judgement of samples in "
        "another order. in another order sample toy-139 (and 1 more) is judged otherwise",
        "        Break ties by values and not by places, and draw for ids and not for rows.",
    ]


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
