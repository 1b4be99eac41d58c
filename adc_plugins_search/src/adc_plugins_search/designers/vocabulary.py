"""Queries from a bundled vocabulary: no model, no network, the same words every time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core.components.interfaces import Designer
from adc_core.errors import InputError
from adc_core.records.design import Brief, ClassName, Design
from adc_core.storage.config_file import read_config
from adc_plugins_search.designers.attributes import design_of
from adc_plugins_search.designers.proposals import Groups, Proposal

WORDS = Path(__file__).with_suffix(".yaml")
"""The words, with their groups, and what suits each class."""

Attribute = Literal["color", "material", "pattern"]
ATTRIBUTES: tuple[Attribute, ...] = ("color", "material", "pattern")
_MOST_PER_GROUP = 2


class VocabularyDesigner(Designer):
    """Combines garments with colours, materials and patterns of a bundled vocabulary.

    It needs no model: the words are those of the ADC paper's Table 6, cleaned and sorted into
    groups. Of each attribute a class gets `each` values that suit it and differ: colours by their
    distance in CIELAB, at most two of a group; materials and patterns from all groups in turn. A
    class that the vocabulary does not know is an error, or gets words of all groups if `generic`.

    Every combination makes a query, in the order colour, material, pattern, class. A plain pattern
    is an attribute of the images but no word of the query, since nobody writes it.
    """

    attributes: tuple[Attribute, ...] = Field(
        ATTRIBUTES, min_length=1, description="in the order of the words"
    )
    each: int = Field(10, ge=1, description="values of each attribute for each class")
    classes: tuple[ClassName, ...] = Field(
        (), description="where the brief leaves them open; by default the paper's twelve"
    )

    generic: bool = Field(
        False, description="words of all kinds for classes that the vocabulary does not know"
    )

    def design(self, brief: Brief) -> Design:
        """The classes of the brief, of the options, or of the vocabulary, with all combinations.

        Raises:
            InputError: a class is not in the vocabulary.
        """
        chosen: dict[str, dict[str, tuple[str, ...]]] = {
            name: {
                attribute: values_for(attribute, name, self.each) for attribute in self.attributes
            }
            for name in self._classes(brief)
        }
        return design_of(chosen, brief.samples_per_query, unsaid=read_words()["unsaid"])

    def propose(self, brief: Brief) -> Iterator[Proposal]:
        """All values that suit each class, those of the design chosen.

        Raises:
            InputError: a class is not in the vocabulary.
        """
        for name in self._classes(brief):
            for attribute in self.attributes:
                chosen = values_for(attribute, name, self.each)
                yield Proposal(name, attribute, groups_for(attribute, name), chosen)

    def more(
        self, brief: Brief, class_name: str, attribute: str, count: int, known: Collection[str]
    ) -> Groups:
        """Nothing: the proposal held all."""
        return {}

    def _classes(self, brief: Brief) -> tuple[str, ...]:
        known = read_words()["classes"]
        classes = brief.classes or self.classes or tuple(known)
        strange = [name for name in classes if _key(name) not in known]
        if strange and not self.generic:
            raise InputError(
                f"the vocabulary does not know {', '.join(strange)}, but {', '.join(known)}: set "
                "generic for words of all kinds, or write a design file"
            )
        return classes


def values_for(attribute: str, class_name: str, count: int) -> tuple[str, ...]:
    """Values of an attribute that suit a class and differ from one another.

    Args:
        attribute: `color`, `material` or `pattern`.
        class_name: the class; of one that is unknown every group suits.
        count: how many; fewer where the vocabulary has no more.
    """
    groups = groups_for(attribute, class_name)
    if attribute == "color":
        return farthest({name: read_words()["color"][name] for name in groups}, count)
    return in_turn(groups, count)


def in_turn(groups: Groups, count: int) -> tuple[str, ...]:
    """The first word of every group, then the second, until there are enough."""
    rounds = max(len(words) for words in groups.values())
    turns = (
        words[place] for place in range(rounds) for words in groups.values() if place < len(words)
    )
    return tuple(word for _, word in zip(range(count), turns, strict=False))


def farthest(
    groups: Mapping[str, Mapping[str, str]], count: int, first: Collection[str] = ()
) -> tuple[str, ...]:
    """Colours that differ: each is the farthest in CIELAB from those before it.

    The first is the one farthest from all others together. No more than two come from one group,
    unless all groups are used up.

    Args:
        groups: group to colours, name to sRGB value.
        count: how many, in all.
        first: those that are chosen already.
    """
    names = [name for colors in groups.values() for name in colors]
    group = [name for name, colors in groups.items() for _ in colors]
    places = lab([value for colors in groups.values() for value in colors.values()])
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    chosen = [row for row, name in enumerate(names) if name in first]
    chosen = chosen or [int(distance.sum(axis=1).argmax())]
    while len(chosen) < min(count, len(names)):
        used = [group[row] for row in chosen]
        free = [
            row
            for row in range(len(names))
            if row not in chosen and used.count(group[row]) < _MOST_PER_GROUP
        ] or [row for row in range(len(names)) if row not in chosen]
        nearest = distance[free][:, chosen].min(axis=1)
        chosen.append(free[int(nearest.argmax())])
    return tuple(names[row] for row in chosen)


def lab(colors: Sequence[str]) -> NDArray[np.float64]:
    """CIELAB places (D65) of sRGB values such as `#c0c0c0`, as N × 3 numbers."""
    numbers = [[int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)] for value in colors]
    srgb = np.array(numbers)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ to_xyz.T / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )


@cache
def read_words() -> dict[str, Any]:
    """The bundled vocabulary."""
    return read_config(WORDS, "the vocabulary")


def groups_for(attribute: str, class_name: str) -> dict[str, tuple[str, ...]]:
    """All values of an attribute that suit a class, by group; of an unknown class all groups."""
    words = read_words()
    suitable = words["classes"].get(_key(class_name), {}).get(attribute)
    return {name: tuple(words[attribute][name]) for name in suitable or words[attribute]}


def _key(class_name: str) -> str:
    return class_name.casefold().replace("tshirt", "t-shirt").replace("t shirt", "t-shirt")
