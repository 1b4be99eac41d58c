"""Keys of services, from the environment, and kept out of everything that is written or said."""

import os
from urllib.parse import quote_plus

from adc_core import InputError

_secrets: set[str] = set()


def secret(variable: str, service: str) -> str:
    """Return a key from the environment; from now on it is blotted out of messages and logs.

    Raises:
        InputError: the variable is not set.
    """
    value = optional_secret(variable)
    if not value:
        raise InputError(f"{variable} is not set: {service} needs it; export {variable}=…")
    return value


def optional_secret(variable: str) -> str:
    """Return a key from the environment, kept secret likewise; empty where there is none."""
    value = os.environ.get(variable, "").strip()
    if value:
        _secrets.update((value, quote_plus(value)))
    return value


def keep_secret(value: str) -> None:
    """Blot out something that a service gave, such as a token."""
    _secrets.update((value, quote_plus(value)))


def redact(text: str) -> str:
    """Return the text with every secret blotted out."""
    for value in sorted(_secrets, key=len, reverse=True):
        text = text.replace(value, "…")
    return text


def one_line(said: object) -> str:
    """Return a server's message, safe for a terminal: no key, no control characters, not long."""
    return "".join(filter(str.isprintable, " ".join(redact(str(said)).split())))[:300]
