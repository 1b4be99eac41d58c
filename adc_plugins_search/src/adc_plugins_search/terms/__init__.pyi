from .colors import lab
from .normalize import filter_terms, group_terms
from .select_diverse import select_diverse
from .split_words import words
from .vocabulary import ATTRIBUTES, groups_for, read_words, values_for

__all__ = [
    "ATTRIBUTES",
    "filter_terms",
    "group_terms",
    "groups_for",
    "lab",
    "read_words",
    "select_diverse",
    "values_for",
    "words",
]
