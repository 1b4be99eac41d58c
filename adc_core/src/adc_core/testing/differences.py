"""The first place where two results that should be equal are not."""

from typing import Any

import numpy as np

from adc_core.records.record import Record


def require_same(first: Any, second: Any, which: str) -> None:
    """Require two equal arrays or records; the error shows the first value that differs.

    Args:
        first: what is right.
        second: what is compared with it.
        which: what to call the second: `the second time`.
    """
    if isinstance(first, Record) and first == second:
        return
    difference = _difference(first, second)
    assert difference is None, f"{which} differs: {difference}"
    assert not isinstance(first, Record), f"{which} differs"


def _difference(first: Any, second: Any, name: str = "") -> str | None:
    """Describe the first value that differs; None where there is none that can be shown."""
    if isinstance(first, Record) and type(first) is type(second):
        fields = type(first).model_fields
        found = (_difference(getattr(first, one), getattr(second, one), one) for one in fields)
        return next((one for one in found if one is not None), None)
    if not (isinstance(first, np.ndarray) and isinstance(second, np.ndarray)):
        return None
    of = f"{name} " if name else ""
    if first.shape != second.shape:
        return f"{of}has shape {second.shape} and not {first.shape}"
    other = first != second
    if first.dtype.kind == "f":
        other &= ~(np.isnan(first) & np.isnan(second))
    if not other.any():
        return None
    place = tuple(int(one) for one in np.argwhere(other)[0])
    at = ", ".join(map(str, place))
    return f"{of}[{at}] is {second[place]} and not {first[place]}"
