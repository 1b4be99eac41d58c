"""How this program behaves towards servers: it names itself truthfully and keeps pauses."""

from email.utils import parsedate_to_datetime
from time import time

from adc_plugins_search.collectors.address_guard import names_private

YEAR = 366 * 86_400.0


def user_agent(contact: str = "") -> str:
    """`adc-search/VERSION`, with an address at which whoever runs it can be reached."""
    from importlib_metadata import version  # slow to import, and workers are told the result

    return f"adc-search/{version('adc-plugins-search')}" + (f" ({contact})" if contact else "")


def why_not_asked(host: str, port: int) -> str:
    """Say why a host is not asked by somebody who gives no `contact`, and what to do."""
    if names_private(host):
        named = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return (
            f"allow_hosts: {named} is on this machine or in a private network: if it is a service "
            f"of your own, list it in the downloader's `allow_hosts: ['{named}']`; it needs no "
            "contact"
        )
    return (
        f"contact: {host} is another machine, whose owner must be able to reach you: "
        "set the downloader's `contact` to an address of yours"
    )


def seconds_of(retry_after: str | None) -> float | None:
    """A Retry-After header, which holds seconds or a date, as seconds from now, a year at most."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return min(float(retry_after), YEAR)
    try:
        return min(max(0.0, parsedate_to_datetime(retry_after).timestamp() - time()), YEAR)
    except (ValueError, OverflowError):  # years and offsets may have any number of digits
        return None
