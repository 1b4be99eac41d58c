"""What every component promises of its conduct: no traces, and no option without a use."""

import tempfile
from collections.abc import Callable

from adc_core.components.component import Component
from adc_core.components.context import work_context
from adc_core.components.interfaces import (
    Collector,
    Curator,
    Designer,
    Detector,
    Encoder,
    Enricher,
    Learner,
    Metric,
    Searcher,
    Simulator,
)
from adc_core.errors import InputError, RecordErrors, WorkError
from adc_core.records.dataset import EVIDENCE, Dataset
from adc_core.testing import data, models
from adc_core.testing.effects import changed_by, columns_changed, unread_options
from adc_core.testing.toys import toy_findings, toy_images, toy_run


def check_leaves_the_process_alone(component: Component) -> None:
    """Require that work leaves global generators, environment, folder and warnings as they are.

    Draw from numpy.random.default_rng(self.seed), wrap what must change in a context manager
    (numpy.errstate, warnings.catch_warnings), and pass folders and variables on as arguments.
    """
    work = _work_of(component, kept=True)
    changed = changed_by(work) if work else []
    assert not changed, f"the work changes {', '.join(changed)}"


def check_every_option_is_read(component: Component) -> None:
    """Require that code reads every option: one that nobody reads changes nothing.

    Use the option as self.NAME in the work, or remove it.
    """
    work = _work_of(component, kept=False)
    unread = unread_options(component, work) if work else []
    assert not unread, f"nothing reads the option {', '.join(unread)}"


def check_leaves_the_dataset_alone(
    component: Simulator | Enricher | Detector | Curator | Learner,
) -> None:
    """Require that nothing is written into the dataset.

    Copy a column before writing into it: labels = dataset.labels.copy().
    """
    if isinstance(component, Learner):
        changed = models.changed_by_training(component)
    else:
        changed = columns_changed(data.given(component), lambda one: _on(component, one))
    assert not changed, f"the work writes into {', '.join(changed)}"


def check_does_without_optional_columns(
    component: Simulator | Enricher | Detector | Curator | Learner,
) -> None:
    """Require that optional columns may be missing: the work is done, or refused by one line.

    Ask dataset.has(column) first, or raise InputError that says what to add.
    """
    optional = {*component.optional_columns} - {*component.required_columns}
    dataset = data.given(component)
    if not optional:
        return
    kept = {name: values for name, values in dataset.columns.items() if name not in optional}
    missing = dict.fromkeys(optional & {"images", *EVIDENCE})
    try:
        _on(component, dataset.replace(columns=kept, **missing))
    except RecordErrors:  # of a record that it made itself
        raise
    except (InputError, WorkError) as error:
        assert "\n" not in str(error), f"the error has several lines: {error}"


ON_DATASETS = (check_leaves_the_dataset_alone, check_does_without_optional_columns)
"""Checks of all that is given a dataset."""


def _on(component: Component, dataset: Dataset) -> object:
    """Do the work of a component that is given a dataset."""
    if isinstance(component, Learner):
        with tempfile.TemporaryDirectory() as folder, work_context(folder):
            return component.learn(dataset)
    if isinstance(component, Simulator):
        return component.corrupt(dataset)
    if isinstance(component, Enricher):
        return component.enrich(dataset)
    if isinstance(component, Detector):
        return component.detect(dataset)
    assert isinstance(component, Curator)
    return component.curate(dataset, (toy_findings(),))


def _work_of(component: Component, *, kept: bool) -> Callable[[], object] | None:
    """Return the work of a component on toy data; None for a kind that a package brings.

    Args:
        component: whose work.
        kept: keep models and features for the checks that follow.
    """
    if isinstance(component, Simulator | Enricher | Detector | Curator):
        return lambda: _on(component, data.given(component))
    if isinstance(component, Designer):
        return lambda: component.design(data.BRIEF)
    if isinstance(component, Searcher):
        return lambda: component.page(data.QUERY)
    if isinstance(component, Collector):
        return lambda: _collect(component)
    if isinstance(component, Encoder):
        if kept:
            return lambda: models.keep_features(component)
        return lambda: component.encode(toy_images())
    if isinstance(component, Learner):
        if kept:
            return lambda: models.keep_model(component)
        return lambda: models.train(component)
    if isinstance(component, Metric):
        return lambda: component.measure(toy_run())
    return None


def _collect(collector: Collector) -> None:
    with tempfile.TemporaryDirectory() as folder, work_context(folder):
        collector.collect(data.DESIGN, (data.NothingFound(),))
