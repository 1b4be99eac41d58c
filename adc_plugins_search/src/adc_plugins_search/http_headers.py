"""The headers that this program sends and heeds: User-Agent and Retry-After."""

from email.utils import parsedate_to_datetime
from time import time

YEAR = 366 * 86_400.0


def user_agent(contact: str = "") -> str:
    """Return `adc-search/VERSION`, with an address at which the operator can be reached."""
    from importlib_metadata import version  # slow to import, and workers are sent the result

    return f"adc-search/{version('adc-plugins-search')}" + (f" ({contact})" if contact else "")


def retry_after_seconds(retry_after: str | None) -> float | None:
    """Return a Retry-After header, seconds or a date, as seconds from now, a year at most."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return min(float(retry_after), YEAR)
    try:
        return min(max(0.0, parsedate_to_datetime(retry_after).timestamp() - time()), YEAR)
    except (ValueError, OverflowError):  # years and offsets may have any number of digits
        return None
