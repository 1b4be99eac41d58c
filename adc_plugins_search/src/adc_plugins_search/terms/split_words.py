"""The words of a text, as folders, lists and catalogs are searched by."""

import re
import unicodedata


def words(text: str) -> frozenset[str]:
    """Return the words of a text: runs of letters and runs of digits, in lower case."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return frozenset(re.findall(r"[^\W\d_]+|\d+", plain))
