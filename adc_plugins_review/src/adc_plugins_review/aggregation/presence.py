"""How present a class is in an image, by votes for levels."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError

LEVELS = ("PP", "PNP", "NP", "U")
"""What people say: present and predominant, present and not predominant, not present, unsure."""

OUTCOMES = ("predominant", "present", "absent", "unsure", "unresolved")


def presence(votes: ArrayLike, need: int = 2) -> NDArray[np.str_]:
    """Decide how present each class is (after FSD50K, arXiv 2010.00475).

    Two who agree decide; that somebody sees it, predominant or not, agrees that it is there. Where
    as many see it as do not, it is unresolved: ask once more, and after five votes an expert.
    `predominant` and `present` both belong into a label set, and only `predominant` confirms the
    one label of an image.

    Args:
        votes: M × 4 counts of `LEVELS`.
        need: so many must agree.

    Returns:
        M of `OUTCOMES`.

    Raises:
        InputError: votes of another shape, or none needed.
    """
    counts = np.asarray(votes)
    if counts.ndim != 2 or counts.shape[1] != len(LEVELS) or need < 1:
        raise InputError(
            f"votes: expected M × 4 counts ({', '.join(LEVELS)}) and need from 1, "
            f"got {counts.shape} and {need}"
        )
    most, some, none, unsure = counts.T
    seen, unseen = most + some >= need, none >= need
    outcomes: NDArray[np.str_] = np.select(
        [seen & unseen, (most >= need) & (most >= some), seen, unseen, unsure >= need],
        ["unresolved", *OUTCOMES[:4]],
        "unresolved",
    )
    return outcomes
