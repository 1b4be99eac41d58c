"""The address of a service: what it may hold, and whether a key may go there.

Pipeline files are handed on, and so name addresses that are not the user's choice; keys are in the
environment, and so are the addresses that somebody chose for them.
"""

import ipaddress
import os
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

from adc_core import InputError


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    _ = parts.port  # raises where it is none
    if "@" in parts.netloc or parts.query:
        raise ValueError(
            "must hold no password and no '?': options and keys have places of their own"
        )
    return url


BaseUrl = Annotated[str, Field(pattern=r"^https?://"), AfterValidator(_without_secrets)]
"""An http or https address without anything that must not be written down."""


def check_may_have(base_url: str, key: str, service: str, own: str = "") -> None:
    """Refuse to send a key to an address for which nobody has meant it.

    It may go to the service's own host, to this machine, and to what the variable
    `ADC_SERVICE_BASE_URL` names; unencrypted only to this machine and the own network.

    Args:
        base_url: where it would go.
        key: the variable that holds it.
        service: whose key it is.
        own: an address of the service itself, if it has one.

    Raises:
        InputError: it may not go there; says which variable to set.
    """
    parts = urlsplit(base_url)
    check_encrypted(parts, key)
    variable = f"ADC_{service.upper()}_BASE_URL"
    meant = own, os.environ.get(variable, "").strip()
    origins = {_origin(each) for each in meant if each}
    if not is_loopback(parts.hostname or "") and _origin(base_url) not in origins:
        raise InputError(
            f"base_url: {parts.netloc} would get the key of {key}: if you trust it, export "
            f"{variable}={base_url}, else unset {key}"
        )


def check_encrypted(parts: SplitResult, key: str) -> None:
    """Refuse to send a key unencrypted beyond the own network.

    Args:
        parts: of the address to which it would go.
        key: the variable that holds it.

    Raises:
        InputError: it would.
    """
    if parts.scheme == "http" and not is_near(parts.hostname or ""):
        raise InputError(
            f"base_url: {parts.netloc} would get the key of {key} unencrypted: use https, or "
            f"unset {key}"
        )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_near(host: str) -> bool:
    """Tell whether a host is this machine or one of a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
    return address.is_private or address.is_loopback
