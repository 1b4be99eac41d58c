"""Refusals, which say nothing of a label."""

from adc_endpoint import without_thinking
from adc_plugins_ask.answers.plain_text import plain, words_of
from adc_plugins_ask.answers.yes_no import read_one

_BEGINNINGS = (
    *("i'm sorry", "sorry", "i can't", "i cannot", "i'm unable", "i am unable", "i won't"),
    *("i will not", "i am sorry"),
)


def refuses(text: str) -> bool:
    """Tell whether a text declines to answer; "I cannot tell" does not, nor "I'm sorry, no."."""
    said = plain(without_thinking(text)).casefold()
    words = words_of(said)
    if not said.startswith(_BEGINNINGS):
        return False
    apology = 2 if said.startswith(("i'm sorry", "i am")) else 1
    rest = " ".join(words[apology:])
    return read_one(said) is None and read_one(rest) is None
