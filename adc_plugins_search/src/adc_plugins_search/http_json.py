"""JSON over HTTP for searchers: one connection pool, retries, and bounds on what is answered."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import urllib3
from pydantic import BaseModel, Field, ValidationError

from adc_core import InputError, Page, WorkError
from adc_endpoint import TooLongError, one_line, read_bounded, redact, retry_after_seconds
from adc_plugins_search.user_agent import user_agent

MAX_BYTES = 16 << 20
"""Of one answer; a page of results has a hundredth of it."""
MAX_HITS = 5_000
"""On one page; no service shows more than some hundred."""
_MAX_SECONDS = 60.0
_ATTEMPTS = 4
_TRANSIENT = (500, 502, 503, 504)
# A pause that the service asks for is the collector's to plan, not to be slept away here.
_BACKOFF = 0.5
_TIMEOUT = urllib3.Timeout(connect=10, read=30)
M = TypeVar("M", bound=BaseModel)
Hits = Annotated[list[M], Field(max_length=MAX_HITS)]
"""The hits of a page."""


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


def get_json(
    url: str,
    parameters: Mapping[str, str],
    *,
    headers: Mapping[str, str] | None = None,
    method: Literal["GET", "POST"] = "GET",
) -> Answer:
    """Ask a service; connection errors and 5xx answers are retried with growing pauses.

    Args:
        url: its address.
        parameters: sent in the address, or as a form where something is posted.
        headers: sent beside the usual ones, or in their place.
        method: how to ask.

    Raises:
        WorkError: the service cannot be reached, or its answer is too slow or too long.
    """
    all_headers = {"User-Agent": user_agent(), **(headers or {})}
    form: dict[str, Any] = {"encode_multipart": False} if method == "POST" else {}

    def ask() -> urllib3.BaseHTTPResponse:
        return _pool().request(
            method,
            url,
            fields=dict(parameters),
            headers=all_headers,
            redirect=False,
            preload_content=False,
            **form,
        )

    for attempt in range(_ATTEMPTS):
        last = attempt == _ATTEMPTS - 1
        try:
            response, data = read_bounded(ask, most_bytes=MAX_BYTES, seconds=_MAX_SECONDS)
        except (urllib3.exceptions.HTTPError, TimeoutError, TooLongError) as error:
            if last or not isinstance(error, urllib3.exceptions.HTTPError):
                # Without the cause, whose message holds the address with the key.
                raise WorkError(f"{urlsplit(url).netloc} {_failure(error)}") from None
        else:
            if last or response.status not in _TRANSIENT:
                break
        time.sleep(_BACKOFF * 2**attempt)
    pause = retry_after_seconds(response.headers.get("Retry-After"))
    return Answer(response.status, _parsed(data), pause)


def _failure(error: Exception) -> str:
    if isinstance(error, TooLongError):
        return f"answered more than {MAX_BYTES:,} bytes: check base_url"
    if isinstance(error, TimeoutError):
        return f"gave no whole answer within {_MAX_SECONDS:g} s: try again later"
    return f"cannot be reached: {redact(str(error))}"


def results_of(answer: Answer, model: type[M], service: str) -> M:
    """Return the body of a good answer, checked.

    Raises:
        WorkError: it is no JSON object, or lacks what a page of results must have.
    """
    if not isinstance(answer.body, dict):
        raise WorkError(f"{service} answered with something that is no JSON object: check base_url")
    try:
        return model.model_validate(answer.body)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise WorkError(f"{service} answered without a usable {place}: {fault['msg']}") from None


def refusal(
    answer: Answer, message: object, service: str, cursor: str, *keys: str, park: float = 60
) -> Page:
    """Return what an error means: come back later, or an exception.

    Args:
        answer: the service's.
        message: what it says of the reason.
        service: its name.
        cursor: where to go on later.
        keys: the variables that hold its keys.
        park: seconds to wait where it does not say how long.

    Raises:
        InputError: the key or the request is refused.
        WorkError: the service failed.
    """
    said = f"{service} answered {answer.status}: {one_line(message or 'no reason given')}"
    if answer.status == 429 or (answer.status == 503 and answer.retry_after is not None):
        pause = park if answer.retry_after is None else answer.retry_after
        return Page(cursor=cursor, retry_after=pause)
    if answer.status in (401, 403) and keys:
        raise InputError(f"{said}; check {' and '.join(keys)}")
    if answer.status in (400, 401, 403, 422):
        raise InputError(f"{said}; check the query and the searcher's options")
    raise WorkError(f"{said}; try again later, or check base_url")


def _parsed(data: bytes) -> Any:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):  # nested without end
        return None
    # Services cut titles in the middle of a character; half of one cannot be written anywhere.
    return json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))


class _Redactor(logging.Filter):
    """urllib3 logs whole addresses, and the addresses hold the key."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if (clean := redact(message)) != message:
            record.msg, record.args = clean, ()
        return True


@cache
def _pool() -> urllib3.PoolManager:
    logging.getLogger("urllib3.connectionpool").addFilter(_Redactor())
    return urllib3.PoolManager(maxsize=32, retries=False, timeout=_TIMEOUT)
