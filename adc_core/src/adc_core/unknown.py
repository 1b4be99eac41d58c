"""What to say of a name that nobody knows."""

import difflib
from collections.abc import Iterable


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """What to say of an unknown name: the near match, or the list."""
    known = list(known)
    if close := difflib.get_close_matches(name, known, n=1):
        return f'there is no {what} "{name}": did you mean "{close[0]}"?'
    return f'there is no {what} "{name}"; there is {", ".join(known) or "none"}'
