"""The promises of every interface, as small named checks that plugin authors run too.

    @pytest.mark.parametrize("check", checks_for(Mine), ids=lambda check: check.__name__)
    def test_keeps_the_contract(check):
        check(example_of(Mine))

`adc check detectors mine` runs them from the command line, and says what to do about a broken one.
What a component cannot keep, it declares: `known_exceptions = {"check_name": "the reason"}`.
"""

import inspect
from collections.abc import Callable
from itertools import chain
from typing import Any

from adc_core.components.component import Component
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
from adc_core.testing import conduct, data, every, models
from adc_core.testing.toys import toy_dataset, toy_findings, toy_images, toy_run, toy_truth

__all__ = [
    "PROMISES",
    "Check",
    "checks_for",
    "example_of",
    "promise_of",
    "promised_by",
    "remedy_of",
    "toy_dataset",
    "toy_findings",
    "toy_images",
    "toy_run",
    "toy_truth",
]

Check = Callable[[Any], None]

PROMISES: dict[type[Component], tuple[Check, ...]] = {
    Component: (
        every.check_has_a_summary,
        every.check_describes_every_option,
        every.check_survives_a_round_trip,
        every.check_refuses_an_unknown_option,
        every.check_is_frozen,
        every.check_pickles,
        every.check_requires_and_provides_known_columns,
        conduct.check_leaves_the_process_alone,
        conduct.check_every_option_is_read,
    ),
    Designer: (data.check_designs_a_query_for_every_class,),
    Searcher: (data.check_answers_a_page_or_says_what_is_missing,),
    Collector: (data.check_refuses_to_collect_nothing,),
    Simulator: (
        data.check_says_what_it_changed,
        data.check_corrupts_the_same_twice,
        *conduct.ON_DATASETS,
    ),
    Encoder: (models.check_encodes_every_image, models.check_encodes_the_same_twice),
    Enricher: (
        data.check_adds_what_it_says,
        data.check_enriches_the_same_twice,
        *conduct.ON_DATASETS,
    ),
    Detector: (
        data.check_judges_every_sample,
        data.check_judges_the_same_twice,
        *conduct.ON_DATASETS,
        data.check_accepts_memory_maps,
        data.check_suspects_wrong_labels_more,
        data.check_follows_the_order_of_samples,
    ),
    Curator: (
        data.check_records_every_change,
        data.check_curates_the_same_twice,
        *conduct.ON_DATASETS,
    ),
    Learner: (
        models.check_predicts_probabilities,
        models.check_learns_the_same_twice,
        models.check_model_survives_saving,
        *conduct.ON_DATASETS,
    ),
    Metric: (models.check_measures_finite_figures, models.check_knows_what_is_better),
}
"""Interface to the checks that each of its components must pass."""


def checks_for(component: type[Component]) -> list[Check]:
    """Return every check that a component of this class must pass, its known exceptions left out.

    Raises:
        ValueError: `known_exceptions` names no such check, or gives no reason.
    """
    checks = promised_by(component)
    names = {check.__name__ for check in checks}
    for name, reason in component.known_exceptions.items():
        if name not in names:
            raise ValueError(f"known_exceptions of {component.__name__}: there is no {name}")
        if not reason.strip():
            raise ValueError(f"known_exceptions of {component.__name__}: say why of {name}")
    return [check for check in checks if check.__name__ not in component.known_exceptions]


def promised_by(component: type[Component]) -> list[Check]:
    """Return every check of the interfaces that a class implements."""
    promises = (checks for base, checks in PROMISES.items() if issubclass(component, base))
    return list(chain.from_iterable(promises))


def promise_of(check: Check) -> str:
    """Return what a check requires, in one sentence."""
    return (inspect.getdoc(check) or "").partition("\n")[0]


def remedy_of(check: Check) -> str:
    """Return what to do where a check is broken, in one line."""
    return " ".join((inspect.getdoc(check) or "").partition("\n\n")[2].split())


def example_of(component: type[Component]) -> Component:
    """Create a component to check: from its first example, or without options.

    An example is in `model_config["json_schema_extra"]["examples"]`.
    """
    extra = component.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    first = examples[0] if isinstance(examples, list) and examples else {}
    return component.model_validate(first)
