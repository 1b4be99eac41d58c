"""Superclass noise: wrong labels stay within a group of similar classes."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator

from adc_core import Corruption, Dataset, InputError, Simulator
from adc_core.errors import unknown_name
from adc_plugins_detect.simulators.class_conditional import corrupt


def superclass_transition(
    n_classes: int, groups: Sequence[Sequence[int]], rate: float
) -> NDArray[np.float64]:
    """Make the K × K matrix of noise that is symmetric within each group, row = true class.

    Args:
        n_classes: K.
        groups: class numbers of each group; a class in no group, or alone in one, keeps its labels.
        rate: share of the labels that are wrong.
    """
    transition = np.eye(n_classes)
    for group in groups:
        if len(group) > 1:
            transition[np.ix_(group, group)] = rate / (len(group) - 1)
            transition[group, group] = 1 - rate
    return transition


class SuperclassNoise(Simulator):
    """Gives a share of the samples the label of another class of the same group."""

    stream: ClassVar[str] = "by class"

    model_config = ConfigDict(json_schema_extra={"examples": [{"groups": [["red", "green"]]}]})

    groups: tuple[tuple[str, ...], ...] = Field(
        description="groups of similar classes, by name; other classes keep their labels"
    )
    rate: float = Field(
        default=0.2, ge=0, le=1, description="share of wrong labels in a grouped class"
    )
    seed: int = Field(
        default=0, ge=0, description="seed; for one seed a lower rate's errors are kept"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        often = [name for name, n in Counter(chain.from_iterable(self.groups)).items() if n > 1]
        if often:
            raise ValueError(f"the class {often[0]} is named twice: put it into one group")
        return self

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Draw noisy labels within the groups.

        Raises:
            InputError: a group names a class that the dataset does not have.
        """
        number = {name: place for place, name in enumerate(dataset.classes)}
        for name in chain.from_iterable(self.groups):
            if name not in number:
                raise InputError(f"groups: {unknown_name('class', name, number)}")
        groups = [[number[name] for name in group] for group in self.groups]
        transition = superclass_transition(len(number), groups, self.rate)
        return corrupt(dataset.labels, transition, self.seed)
