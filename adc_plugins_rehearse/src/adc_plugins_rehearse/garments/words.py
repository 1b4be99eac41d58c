"""Garments by the words of a query: what a text names, in the vocabulary of the designer."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from adc_plugins_search.terms import ATTRIBUTES, groups_for, read_words

CLASS = "class"
PLAIN = "solid"
"""The pattern that a text means when it names none."""

_SPELLINGS = {"grey": "gray", "tshirt": "t shirt"}
_TWOFOLD = ("material", "pattern")
"""What a word that is both is taken for, whichever the text has not named otherwise."""


@dataclass(frozen=True)
class Named:
    """What a text names; empty where it names nothing of a kind.

    Attributes:
        classes: distinct classes.
        values: distinct values of each attribute.
    """

    classes: tuple[str, ...]
    values: dict[str, tuple[str, ...]]


def named(text: str) -> Named:
    """Return what a text names, with the longest words first: "royal blue" is no "blue"."""
    found: dict[str, dict[str, None]] = {kind: {} for kind in (CLASS, *ATTRIBUTES)}
    twofold = []
    for kinds, word in _phrases_in(text):
        if len(kinds) == 1:
            found[kinds[0]][word] = None
        else:
            twofold.append(word)
    for word in twofold:
        for kind in _TWOFOLD:
            if not found[kind]:
                found[kind][word] = None
                break
    return Named(tuple(found[CLASS]), {kind: tuple(found[kind]) for kind in ATTRIBUTES})


def _phrases_in(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return the words of the vocabulary in a text, each with the kinds that it may be."""
    tokens, phrases = _tokens(text), _phrases()
    longest = max(map(len, phrases))
    place = 0
    while place < len(tokens):
        for length in range(longest, 0, -1):
            known = phrases.get(tokens[place : place + length])
            if known:
                yield known
                place += length
                break
        else:
            place += 1


def _tokens(text: str) -> tuple[str, ...]:
    """Return runs of letters or of digits, in lower case, spelt as in the vocabulary."""
    plain = re.findall(r"[^\W\d_]+|\d+", unicodedata.normalize("NFKC", text).casefold())
    return tuple(" ".join(_SPELLINGS.get(word, word) for word in plain).split())


@cache
def _phrases() -> dict[tuple[str, ...], tuple[tuple[str, ...], str]]:
    """Return every word of the vocabulary, as tokens, with its kinds and its spelling there."""
    found: dict[tuple[str, ...], tuple[tuple[str, ...], str]] = {}
    for kind, words in ((CLASS, class_names()), *((name, values(name)) for name in ATTRIBUTES)):
        for word in words:
            kinds, _ = found.get(_tokens(word), ((), word))
            found[_tokens(word)] = (*kinds, kind), word
    return found


def class_names() -> tuple[str, ...]:
    """Return the twelve classes."""
    return tuple(read_words()["classes"])


@cache
def values(attribute: str) -> tuple[str, ...]:
    """Return every value of an attribute, in the order of the vocabulary."""
    return tuple(word for words in read_words()[attribute].values() for word in words)


@cache
def suitable(attribute: str, class_name: str) -> frozenset[str]:
    """Return the values of an attribute that suit a class."""
    return frozenset(word for words in groups_for(attribute, class_name).values() for word in words)
