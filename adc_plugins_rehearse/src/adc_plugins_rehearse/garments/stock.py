"""What the garments' catalog has for each combination of words, computed when it is asked for.

A combination is a class, a colour, a material and a pattern. Each has a number of slots; a
generator that is seeded with the combination decides what each shows and how it is answered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import erf, sqrt

import numpy as np

from adc_plugins_rehearse.conditions import Condition
from adc_plugins_rehearse.flaws import LOOKALIKES, Flaws
from adc_plugins_rehearse.garments.image_files import ODD, Kind, near_size
from adc_plugins_rehearse.garments.words import class_names, suitable, values
from adc_plugins_search.terms import ATTRIBUTES, values_for

MAX_ANSWERS = 1000
SMALLEST, LARGEST = 300, 800
"""Longer side of the images, in pixels."""

FAVOR, OFFERS, IMAGE, TEST, SEARCH, ADDRESS = range(1, 7)
"""What generators are for; the last part of their seeds, where a zero would not count."""

_DRAWS = 14
"""Numbers by chance for each offer."""

Combination = tuple[int, ...]
"""A class, a colour, a material and a pattern, by their places in the vocabulary."""


@dataclass(frozen=True)
class Slot:
    """One answer to one combination.

    Attributes:
        combination: to which it is an answer.
        rank: which answer, from 0.
        shown: what its image shows.
        kind: of its file.
        size: of its image, in pixels.
        condition: how the server answers.
        source: whose image it repeats; None where it has its own.
        repeats: how: `copies`, `near` or `shared`.
    """

    combination: Combination
    rank: int
    shown: Combination
    kind: Kind
    size: tuple[int, int]
    condition: Condition = "good"
    source: "Slot | None" = None
    repeats: str = ""


class Stock:
    """The slots of every combination of words.

    Args:
        seed: of all that is decided by chance.
        answers: slots of a combination that is not rare.
        values_per_attribute: values of each attribute that are usual for a class.
        classes: those that are shown.
        flaws: what is wrong.

    Attributes:
        names: all classes.
        words: attribute to all its values.
        usual: for each class, for each attribute, the places of its usual values.
    """

    def __init__(
        self,
        seed: int,
        answers: int,
        values_per_attribute: int,
        classes: Sequence[str],
        flaws: Flaws,
    ) -> None:
        self._seed, self._answers, self._classes, self._flaws = seed, answers, classes, flaws
        self.names = class_names()
        self.words = {name: values(name) for name in ATTRIBUTES}
        self.usual = [
            tuple(
                tuple(self.words[attribute].index(word) for word in chosen)
                for attribute in ATTRIBUTES
                for chosen in (values_for(attribute, name, values_per_attribute),)
            )
            for name in self.names
        ]
        random = np.random.default_rng([seed, 0, 0, FAVOR])
        shape = (len(self.names), sum(map(len, self.words.values())))
        self._favor = random.standard_normal(shape)
        self._draws = lru_cache(512)(self._new_draws)

    def number(self, combination: Combination) -> int:
        """Return the number of a combination; those of its slots follow from it."""
        number = combination[0]
        for attribute, place in zip(ATTRIBUTES, combination[1:], strict=True):
            number = number * len(self.words[attribute]) + place
        return number

    def at(self, number: int) -> Slot | None:
        """Return the slot with a number; None where there is none."""
        rest, rank = divmod(number, MAX_ANSWERS)
        places = []
        for attribute in reversed(ATTRIBUTES):
            rest, place = divmod(rest, len(self.words[attribute]))
            places.append(place)
        if rest >= len(self.names) or self.names[rest] not in self._classes:
            return None
        combination = (rest, *places[::-1])
        if rank >= self.count(combination):
            return None
        return self.slot(combination, rank)

    def count(self, combination: Combination) -> int:
        """Return how many offers a combination of words has.

        How well each word goes with the class makes the combination more or less common.
        """
        name, tail, start, strange = self.names[combination[0]], self._flaws.tail, 0, 0
        favor = 0.0
        for attribute, place in zip(ATTRIBUTES, combination[1:], strict=True):
            favor += self._favor[combination[0], start + place]
            start += len(self.words[attribute])
            strange += self.words[attribute][place] not in suitable(attribute, name)
        common = (1 + erf(favor / sqrt(6))) / 2 * tail**strange
        return self._answers if common >= tail else int(self._answers * (common / tail) ** 2)

    def slots(self, combination: Combination) -> Iterator[Slot]:
        """Return the slots of a combination, best first."""
        return (self.slot(combination, rank) for rank in range(self.count(combination)))

    def _new_draws(self, combination: Combination) -> list[list[float]]:
        random = np.random.default_rng([self._seed, self.number(combination), 0, OFFERS])
        rows: list[list[float]] = random.random((self.count(combination), _DRAWS)).tolist()
        return rows

    def slot(self, combination: Combination, rank: int) -> Slot:
        """Return one slot of a combination."""
        draws = self._draws(combination)[rank]
        shown = self._class_of(combination, draws[1], draws[2])
        repeats, condition = self._fate(draws[0])
        kind: Kind
        if repeats:
            source = self._source(combination, shown, repeats, draws)
            if source is not None:
                kind, size = source.kind, source.size
                if repeats == "near":
                    kind, size = "jpeg", near_size(size)
                shown_slot = (combination, rank, source.shown, kind, size)
                return Slot(*shown_slot, source=source, repeats=repeats)
        shown = self._attributes_of(shown, draws[3:6], draws[6:9])
        kind = "png" if draws[13] > 0.9 else "jpeg"
        if draws[12] < self._flaws.odd:
            kind = ODD[int(draws[12] / self._flaws.odd * len(ODD))]
        return Slot(combination, rank, shown, kind, size_of(draws[9:12]), condition)

    def _fate(self, draw: float) -> tuple[str, Condition]:
        """Tell whether an offer repeats another and how, and its condition."""
        for repeats in ("copies", "near", "shared"):
            draw -= getattr(self._flaws, repeats)
            if draw < 0:
                return repeats, "good"
        for condition, share in self._flaws.conditions.items():
            draw -= share
            if draw < 0:
                return "", condition
        return "", "good"

    def _class_of(self, combination: Combination, draw: float, which: float) -> Combination:
        """Return the combination with the class that is shown."""
        name = self.names[combination[0]]
        if draw >= self._flaws.noise:
            return combination
        others = {
            other: weight for other, weight in LOOKALIKES[name].items() if other in self._classes
        } or {other: 1 for other in self._classes if other != name}
        chosen = _weighted(others, which)
        return (self.names.index(chosen), *combination[1:])

    def _attributes_of(
        self, shown: Combination, wrong: Sequence[float], which: Sequence[float]
    ) -> Combination:
        """Return the combination with the attributes that are shown."""
        found = list(shown)
        for number, attribute in enumerate(ATTRIBUTES, 1):
            if wrong[number - 1] < self._flaws.wrong_attributes:
                fitting = suitable(attribute, self.names[shown[0]])
                others = [
                    place
                    for place, word in enumerate(self.words[attribute])
                    if word in fitting and place != shown[number]
                ]
                found[number] = others[int(which[number - 1] * len(others))]
        return tuple(found)

    def _source(
        self, asked: Combination, shown: Combination, repeats: str, draws: Sequence[float]
    ) -> Slot | None:
        """Return a plain answer to what is shown, or to something near it, that can be repeated."""
        usual = self.usual[shown[0]]
        found = list(shown)
        if shown != asked:
            for number in (1, 2, 3):
                if found[number] not in usual[number - 1]:
                    found[number] = usual[number - 1][
                        int(draws[5 + number] * len(usual[number - 1]))
                    ]
        elif repeats == "shared":
            number = 1 + int(draws[3] * 3)
            others = [place for place in usual[number - 1] if place != shown[number]]
            if not others:
                return None
            found[number] = others[int(draws[6] * len(others))]
        target = tuple(found)
        count = self.count(target)
        for step in range(min(count, 20)):
            rank = (int(draws[9] * count) + step) % count
            row = self._draws(target)[rank]
            if (
                self._fate(row[0]) == ("", "good")
                and row[1] >= self._flaws.noise
                and min(row[3:6]) >= self._flaws.wrong_attributes
            ):
                return self.slot(target, rank)
        return None


def size_of(draws: Sequence[float]) -> tuple[int, int]:
    """Return width and height, more often small than large."""
    longer = round(SMALLEST + (LARGEST - SMALLEST) * draws[0] ** 3)
    shorter = max(SMALLEST, round(longer * (0.75 + 0.25 * draws[1])))
    return (longer, shorter) if draws[2] < 0.4 else (shorter, longer)


def _weighted(weights: Mapping[str, int], draw: float) -> str:
    left = draw * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0:
            return name
    raise AssertionError("a draw is below 1")
