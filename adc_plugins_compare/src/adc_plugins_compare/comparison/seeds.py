"""One seed for all that draws lots in a pipeline."""

from typing import Any, TypeVar

from adc_core import Component, Pipeline

M = TypeVar("M", Component, Pipeline)


def with_seed(part: M, seed: int) -> M:
    """Give a seed to every component that takes one and was not given one, nested ones included.

    Args:
        part: a pipeline, or a component.
        seed: a whole number from 0.

    Returns:
        The same where nothing takes a seed.
    """
    changed = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if name == "seed" and isinstance(part, Component) and name not in part.model_fields_set:
            changed[name] = seed
        elif (new := _seeded(value, seed)) is not value:
            changed[name] = new
    return part.model_copy(update=changed) if changed else part


def _seeded(value: Any, seed: int) -> Any:
    if isinstance(value, Component):
        return with_seed(value, seed)
    if isinstance(value, tuple):
        new = tuple(_seeded(one, seed) for one in value)
        if any(one is not before for one, before in zip(new, value, strict=True)):
            return new
    return value
