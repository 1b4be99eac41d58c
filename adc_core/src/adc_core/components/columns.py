"""The columns of a dataset that a component is shown, and those that it cannot do without."""

from adc_core.components.component import Component, neighbors_of
from adc_core.components.interfaces import Learner
from adc_core.errors import InputError
from adc_core.records.dataset import EVIDENCE, Dataset


def require(component: Component, dataset: Dataset) -> None:
    """Check that a dataset still has what a component reads.

    Raises:
        InputError: an earlier curator or simulator made a column void.
    """
    one = component.kind.removesuffix("s")
    for column in component.required_columns:
        if column in (*EVIDENCE, "images") and not dataset.has(column):
            raise InputError(
                f'{component.name} reads "{column}", which an earlier {one} invalidated: '
                f"put {component.name} before it"
            )


def require_labels(learner: Learner, dataset: Dataset) -> None:
    """Check that a learner is not given labels that do not count, and would believe them.

    Raises:
        InputError: some were set aside; the message says what to do.
    """
    if not learner.takes_unlabeled and not dataset.labeled.all():
        raise InputError(
            f"{learner.name} would believe the {int((~dataset.labeled).sum()):,} labels that were "
            "set aside: take a learner such as uda, or the curator drop in place of set-aside"
        )


def required_neighbors(component: Component) -> int:
    """Say how many neighbors of each sample a component looks at."""
    return max((neighbors_of(column) for column in component.required_columns), default=0)


def shown_to(component: Component, dataset: Dataset) -> Dataset:
    """Hide from a component the images and evidence that it did not ask for."""
    asked = {*component.required_columns, *component.optional_columns}
    hidden = [name for name in ("images", *EVIDENCE) if name not in asked and dataset.has(name)]
    return dataset.replace(**dict.fromkeys(hidden)) if hidden else dataset
