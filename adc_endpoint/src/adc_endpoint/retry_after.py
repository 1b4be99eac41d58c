"""The header Retry-After: how long a server wants to be left alone."""

from email.utils import parsedate_to_datetime
from time import time

_YEAR = 366 * 86_400.0


def retry_after_seconds(retry_after: str | None) -> float | None:
    """Return a Retry-After header, seconds or a date, as seconds from now, a year at most."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return min(float(retry_after), _YEAR)
    try:
        return min(max(0.0, parsedate_to_datetime(retry_after).timestamp() - time()), _YEAR)
    except (ValueError, OverflowError):  # years and offsets may have any number of digits
        return None
