"""JSON over HTTP for searchers: one connection pool, retries, and secrets kept out of messages."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote_plus, urlsplit

import urllib3

from adc_core.errors import InputError, WorkError
from adc_plugins_search.manners import seconds_of, user_agent

_RETRIES = urllib3.Retry(
    total=3,
    redirect=0,
    status_forcelist=(500, 502, 503, 504),
    backoff_factor=0.5,
    raise_on_status=False,
    raise_on_redirect=False,
    # A pause that the service asks for is the collector's to plan, not to be slept away here.
    respect_retry_after_header=False,
)
_TIMEOUT = urllib3.Timeout(connect=10, read=30)
_secrets: set[str] = set()


@dataclass(frozen=True)
class Answer:
    """What a service answered.

    Attributes:
        status: the HTTP status.
        body: the parsed JSON, or None where it is none.
        retry_after: seconds after which the service wants to be asked again, if it says so.
    """

    status: int
    body: Any
    retry_after: float | None


def secret(variable: str, service: str) -> str:
    """A key from the environment; from now on it is blotted out of messages and logs.

    Raises:
        InputError: the variable is not set.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        raise InputError(f"{variable} is not set: {service} needs it; export {variable}=…")
    _secrets.update((value, quote_plus(value)))
    return value


def get_json(url: str, parameters: Mapping[str, str]) -> Answer:
    """Ask a service; connection errors and 5xx answers are retried with growing pauses.

    Raises:
        WorkError: the service cannot be reached.
    """
    try:
        response = _pool().request("GET", url, fields=dict(parameters))
    except urllib3.exceptions.HTTPError as error:
        reason = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error
        problem = f"{urlsplit(url).netloc} cannot be reached: {reason}"
        # Without the cause, whose message holds the address with the key.
        raise WorkError(redact(problem)) from None
    pause = seconds_of(response.headers.get("Retry-After"))
    return Answer(response.status, _parsed(response.data), pause)


def _parsed(data: bytes) -> Any:
    try:
        body = json.loads(data)
    except ValueError:
        return None
    # Services cut titles in the middle of a character; half of one cannot be written anywhere.
    return json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))


def redact(text: str) -> str:
    """The text with every secret blotted out."""
    for value in sorted(_secrets, key=len, reverse=True):
        text = text.replace(value, "…")
    return text


class _Redactor(logging.Filter):
    """urllib3 logs whole addresses, and the addresses hold the key."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if (clean := redact(message)) != message:
            record.msg, record.args = clean, ()
        return True


@cache
def _pool() -> urllib3.PoolManager:
    redactor = _Redactor()
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(redactor)
    return urllib3.PoolManager(
        maxsize=32, retries=_RETRIES, timeout=_TIMEOUT, headers={"User-Agent": user_agent()}
    )
