"""One seed for all that draws lots in a pipeline."""

from collections import Counter
from typing import Any, TypeVar

from adc_core import Component, Pipeline, Simulator

M = TypeVar("M", Component, Pipeline, Simulator)

_NEXT = 1_000_003
"""What a further simulator of the same stream has added to its seed."""


def with_seed(part: M, seed: int) -> M:
    """Give a seed to every component that takes one and was not given one, nested ones included.

    Args:
        part: a pipeline, or a component.
        seed: a whole number from 0.

    Returns:
        The same where nothing takes a seed.
    """
    changed: dict[str, Any] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if name == "simulators":
            if (apart := _apart(value, seed)) is not value:
                changed[name] = apart
        elif name == "seed" and isinstance(part, Component) and name not in part.model_fields_set:
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


def _apart(simulators: tuple[Simulator, ...], seed: int) -> tuple[Simulator, ...]:
    """Seed simulators; of one stream, each with a seed of its own, or they would draw alike."""
    before = Counter[str]()
    new = []
    for simulator in simulators:
        new.append(with_seed(simulator, seed + _NEXT * before[simulator.stream]))
        before[simulator.stream] += bool(simulator.stream)
    same = all(one is other for one, other in zip(new, simulators, strict=True))
    return simulators if same else tuple(new)
