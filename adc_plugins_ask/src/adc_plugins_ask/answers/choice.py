"""Answers to multiple choices: a letter, or the words of one option."""

import math
import re
from collections.abc import Sequence

from adc_endpoint import without_thinking
from adc_plugins_ask.answers.plain_text import contains, plain, words_of

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MIN_MASS = 0.5
"""Of candidates for the first token, on letters; with less the answer is read as a text."""

_FIRST = re.compile(r"^[(\[]?([A-Za-z])[).:\]]")
_AFTER = re.compile(r"\b(?:answer|option|choice)\b(?:\s+is)?\s*:?\s*[(\[]?([A-Z])\b(?!')")


def lettered(options: Sequence[str]) -> str:
    """Return options as a prompt lists them, one letter each."""
    return "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False))


def read_choice(text: str, options: Sequence[str]) -> int | None:
    """Return the number of the option that a text chooses; None where it cannot be read.

    A letter that is all of it, begins it before a mark, or follows "answer", "option" or "choice";
    else the only option whose words occur, of which a longer one hides those within it. A letter
    that contradicts the only option named cannot be read. "A shawl" is no letter A.
    """
    said = plain(without_thinking(text))
    named = _named(said, options)
    letter = _letter(said)
    if letter is None:
        return named
    chosen = LETTERS.index(letter)
    if chosen >= len(options) or named not in (None, chosen):
        return None
    return chosen


def _letter(said: str) -> str | None:
    bare = said.strip(" .()[]:").upper()
    if len(bare) == 1 and bare in LETTERS:
        return bare
    if match := _FIRST.match(said):
        return match[1].upper()
    if match := _AFTER.search(_capitals_kept(said)):
        return match[1]
    return None


def _capitals_kept(said: str) -> str:
    """Lower the case of the words before a letter, whose own case counts: "a" is an article."""
    return re.sub(r"\b(answer|option|choice)\b", lambda m: m[0].lower(), said, flags=re.IGNORECASE)


def _named(said: str, options: Sequence[str]) -> int | None:
    """Return the only option whose words occur."""
    words = words_of(said)
    left = " ".join(words)
    found = []
    for number in sorted(range(len(options)), key=lambda one: -len(words_of(options[one]))):
        if contains(left.split(), options[number]):
            found.append(number)
            left = f" {left} ".replace(f" {' '.join(words_of(options[number]))} ", " | ")
    if len(found) == 1:
        return found[0]
    # "shawl, not a sweater": what is denied is not chosen.
    denied = re.findall(r"\bnot (?:an? |the )?([\w' ]+)", " ".join(words))
    left_over = [
        one
        for one in found
        if not any(text.startswith(" ".join(words_of(options[one]))) for text in denied)
    ]
    return left_over[0] if len(left_over) == 1 else None


def letter_probabilities(candidates: Sequence[tuple[str, float]], count: int) -> list[float] | None:
    """Return the probabilities of options from candidates for the first token.

    Tokens that are the same letter, blanks and marks aside, are summed, and the sum over letters is
    made one.

    Args:
        candidates: tokens with their log probabilities.
        count: how many options there are.

    Returns:
        None where less than half of the mass is on letters.
    """
    mass = [0.0] * count
    for token, logprob in candidates:
        bare = token.strip(" \n\t.()[]:*\"'").upper()
        if len(bare) == 1 and bare in LETTERS[:count]:
            mass[LETTERS.index(bare)] += math.exp(logprob)
    total = sum(mass)
    return [one / total for one in mass] if total >= MIN_MASS else None
