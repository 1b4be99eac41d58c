"""The bundled vocabulary: words in groups, and which of them suit each class of garments."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

from adc_core.storage import read_config
from adc_plugins_search.terms.colors import farthest
from adc_plugins_search.terms.proposals import Groups

WORDS = Path(__file__).with_suffix(".yaml")
"""The words, with their groups, and what suits each class."""

Attribute = Literal["color", "material", "pattern"]
ATTRIBUTES: tuple[Attribute, ...] = ("color", "material", "pattern")


def values_for(attribute: str, class_name: str, count: int) -> tuple[str, ...]:
    """Return values of an attribute that suit a class and differ from one another.

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
    """Return the first word of every group, then the second, until there are enough."""
    rounds = max(len(words) for words in groups.values())
    turns = (
        words[place] for place in range(rounds) for words in groups.values() if place < len(words)
    )
    return tuple(word for _, word in zip(range(count), turns, strict=False))


@cache
def read_words() -> dict[str, Any]:
    """Return the bundled vocabulary."""
    return read_config(WORDS, "the vocabulary")


def groups_for(attribute: str, class_name: str) -> dict[str, tuple[str, ...]]:
    """Return the values of an attribute that suit a class, by group; all if it is unknown."""
    words = read_words()
    suitable = words["classes"].get(_key(class_name), {}).get(attribute)
    return {name: tuple(words[attribute][name]) for name in suitable or words[attribute]}


def is_known(class_name: str) -> bool:
    """Tell whether the vocabulary says which words suit a class."""
    return _key(class_name) in read_words()["classes"]


def _key(class_name: str) -> str:
    return class_name.casefold().replace("tshirt", "t-shirt").replace("t shirt", "t-shirt")
