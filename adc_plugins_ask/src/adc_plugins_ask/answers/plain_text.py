"""The text of an answer, without what models put around it."""

import re

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_MARKS = re.compile(r"[*_`#\"“”]+")


def without_thinking(text: str) -> str:
    """Return what a model said after it had thought aloud."""
    return _THINKING.sub("", text).strip()


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
