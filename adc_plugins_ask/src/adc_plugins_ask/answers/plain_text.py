"""The text of an answer, without what models put around it."""

import re

_MARKS = re.compile(r"[*_`#\"“”]+")


def plain(text: str) -> str:
    """Return a text without marks, with straight apostrophes and single blanks."""
    return " ".join(_MARKS.sub(" ", text.replace("\u2019", "'")).split())


def words_of(text: str) -> list[str]:
    """Return the words of a text, case folded."""
    return re.findall(r"[\w']+", plain(text).casefold())


def contains(words: list[str], phrase: str) -> bool:
    """Tell whether the words of a phrase follow each other somewhere."""
    wanted = words_of(phrase)
    size = len(wanted)
    return any(words[start : start + size] == wanted for start in range(len(words) - size + 1))
