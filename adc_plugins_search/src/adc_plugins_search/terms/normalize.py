"""Lists of words made clean by rules: one spelling, nothing twice, nothing that belongs elsewhere.

These rules run before and after a model's own refinement and also serve without one. They know
what the bundled vocabulary and `refining.yaml` know; a word that is strange to both stays.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from adc_core.storage import read_config
from adc_plugins_search.terms.vocabulary import ATTRIBUTES, read_words

RULES = Path(__file__).with_suffix(".yaml")
"""Spellings, words that add nothing, and words that are something else."""

_KINDS = {"color": "color", "hue": "color", "shade": "color", "material": "material"}
_KINDS |= {"fabric": "material", "pattern": "pattern", "print": "pattern", "motif": "pattern"}
_ELSEWHERE = ("garment", "fit", "neckline", "property", "style")
_MIN_LENGTH_FOR_SLIPS = 6
_MAX_WORDS = 5
_OTHER = "other"


@dataclass(frozen=True)
class FilteredTerms:
    """A clean list.

    Attributes:
        kept: the words, in their order.
        dropped: the others, as they were given, with the reason.
    """

    kept: tuple[str, ...]
    dropped: Mapping[str, str]


def filter_terms(
    words: Iterable[str], attribute: str, class_name: str, classes: Sequence[str] = ()
) -> FilteredTerms:
    """Drop what is repeated or misplaced among the values of an attribute.

    Args:
        words: as a model or a person wrote them.
        attribute: what they should describe: `color`. Words are looked for in other attributes only
            where it is a colour, a material or a pattern.
        class_name: of what; its name is taken away behind a value: `cable knit sweater`.
        classes: all classes of the design, likewise.

    Returns:
        The words in lower case and in the vocabulary's spelling where it has one, each once.
    """
    words = list(words)
    kind = kind_of(attribute)
    names = (*classes, class_name, attribute)
    said = [_without(normalize(word), names) for word in words]
    there = {canonical_key(word) for word in said}
    own = {canonical_key(name) for name in (*classes, class_name)}
    kept: dict[str, str] = {}
    dropped: dict[str, str] = {}
    for word, text in zip(words, said, strict=True):
        key = canonical_key(text)
        if not key:
            dropped[word] = "says nothing"
        elif len(text.split()) > _MAX_WORDS:
            dropped[word] = "is a sentence"
        elif key in kept:
            dropped.setdefault(word, f"is {kept[key]!r} again")
        elif key in own:
            dropped[word] = "is a class"
        elif (same := _shorter_duplicate(text, kind, there)) is not None:
            dropped[word] = f"is {same!r} again"
        elif (reason := _misplaced(key, kind)) is not None:
            dropped[word] = reason
        else:
            kept[key] = _known().spelling.get((kind, key), text)
    return FilteredTerms(tuple(kept.values()), dropped)


def group_terms(words: Iterable[str], attribute: str) -> dict[str, tuple[str, ...]]:
    """Return words by the vocabulary's groups, colours that it does not know by their last word."""
    groups: dict[str, list[str]] = {}
    kind = kind_of(attribute)
    for word in words:
        group = _known().group.get((kind, canonical_key(word)))
        if group is None and kind == "color":
            last = {"gray": "grey"}.get(canonical_key(word.split()[-1]), word.split()[-1])
            group = last if last in read_words()["color"] else None
        groups.setdefault(group or _OTHER, []).append(word)
    if _OTHER in groups:
        groups[_OTHER] = groups.pop(_OTHER)
    return {name: tuple(own) for name, own in groups.items()}


def kind_of(attribute: str) -> str | None:
    """Return `color`, `material` or `pattern` where an attribute is one by its name, else None."""
    tokens = [_stem(token) for token in normalize(attribute).split()]
    return _KINDS.get(tokens[-1]) if tokens else None


def normalize(word: str) -> str:
    """Return a word in lower case, with plain letters, hyphens and single spaces, without marks."""
    text = unicodedata.normalize("NFKC", word).casefold()
    text = re.sub(r"[\u2010-\u2015_]", "-", text)
    text = re.sub(r"\(.*?\)|[\s,;]", " ", text)
    text = "".join(filter(str.isprintable, text))
    return " ".join(text.strip(" \t\n.,;:*•\"'`“”\u2019-").split())


@cache
def canonical_key(word: str) -> str:
    """Return what equal words have in common: `Tie Dyed` and `tie-dye`, `Grey` and `gray`.

    Case, accents, hyphens, spaces, plurals, participles, spelling and synonyms do not count.
    """
    text = unicodedata.normalize("NFKD", normalize(word))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    key = "".join(_stem(token) for token in re.findall(r"[^\W_]+", text))
    return _synonyms().get(key, key)


def _stem(word: str) -> str:
    """Return the stem of one word, good for comparison and not for reading."""
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and word[-2] not in "sui":
        word = word[:-1]
    word = _rules()["spelling"].get(word, word)
    if len(word) > 4 and word.endswith("ed"):
        word = word[:-2]
        if word[-1] == word[-2]:
            word = word[:-1]
    return str(word).removesuffix("e") if len(word) > 3 else str(word)


def _without(text: str, names: Sequence[str]) -> str:
    """Return a value without the name of a class or of the attribute at its end."""
    tokens = text.split()
    for name in names:
        size = len(name.split())
        if len(tokens) > size and canonical_key(" ".join(tokens[-size:])) == canonical_key(name):
            tokens = tokens[:-size]
    return " ".join(tokens)


def _shorter_duplicate(text: str, kind: str | None, there: set[str]) -> str | None:
    """Return the shorter word that says the same and is there already: `navy` for `navy blue`."""
    if kind is None:
        return None
    tokens = text.replace("-", " ").split()
    shorter = []
    for empty in _rules()["empty"][kind]:
        words = empty.split()
        if tokens[: len(words)] == words:
            shorter.append(" ".join(tokens[len(words) :]))
    if canonical_key(tokens[-1]) in {canonical_key(tail) for tail in _rules()["tails"][kind]}:
        shorter.append(" ".join(tokens[:-1]))
    others = there - {"", canonical_key(text)}
    return next((rest for rest in shorter if canonical_key(rest) in others), None)


def _misplaced(key: str, kind: str | None) -> str | None:
    """Return why a word is no value of a colour, material or pattern."""
    if kind is None:
        return None
    if key in _known().vague[kind]:
        return f"is no {kind} that an image shows"
    kinds = _known().kinds.get(key)
    if kinds is None and len(key) >= _MIN_LENGTH_FOR_SLIPS:
        slips = (other for other in _known().kinds if _within_edit_distance_1(key, other))
        kinds = _known().kinds.get(next(slips, ""))
    if not kinds or kind in kinds:
        return None
    return f"is a {min(kinds)}"


def _within_edit_distance_1(word: str, other: str) -> bool:
    """Tell whether one letter more, less or another makes one word of the other."""
    if abs(len(word) - len(other)) > 1 or word == other:
        return False
    short, long = sorted((word, other), key=len)
    same = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    return short[same + (len(short) == len(long)) :] == long[same + 1 :]


@dataclass(frozen=True)
class _Known:
    """What is known of folded words.

    Attributes:
        kinds: word to what it is: `color`, `garment`; some are several things.
        group: kind and word to the vocabulary's group.
        spelling: kind and word to the vocabulary's spelling.
        vague: kind to words that name none of it.
    """

    kinds: Mapping[str, set[str]]
    group: Mapping[tuple[str | None, str], str]
    spelling: Mapping[tuple[str | None, str], str]
    vague: Mapping[str, set[str]]


@cache
def _known() -> _Known:
    kinds: dict[str, set[str]] = {}
    group: dict[tuple[str | None, str], str] = {}
    spelling: dict[tuple[str | None, str], str] = {}
    for kind in ATTRIBUTES:
        for name, words in read_words()[kind].items():
            for word in words:
                kinds.setdefault(canonical_key(word), set()).add(kind)
                group[kind, canonical_key(word)] = name
                spelling[kind, canonical_key(word)] = word
    for other in ("material", "pattern", *_ELSEWHERE):
        for word in _rules()[other]:
            kinds.setdefault(canonical_key(word), set()).add(other)
    vague = {
        kind: {canonical_key(word) for word in words} for kind, words in _rules()["vague"].items()
    }
    return _Known(kinds, group, spelling, vague)


@cache
def _rules() -> dict[str, Any]:
    return read_config(RULES, "the rules of the refine step")


@cache
def _synonyms() -> dict[str, str]:
    def plain(word: str) -> str:
        return "".join(_stem(token) for token in re.findall(r"[^\W_]+", word))

    return {plain(word): plain(same) for word, same in _rules()["synonyms"].items()}
