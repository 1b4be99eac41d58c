"""One question to an endpoint that speaks OpenAI chat completions, and what can go wrong."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import urllib3
from pydantic import BaseModel, ValidationError

from adc_core import InputError, WorkError
from adc_core.components import raise_if_interrupted
from adc_endpoint.bounded_response import TooLongError, read_bounded
from adc_endpoint.endpoint import Endpoint
from adc_endpoint.keys import one_line, redact
from adc_endpoint.retry_after import retry_after_seconds

MAX_BYTES = 4 << 20
"""No answer to a question of ours is longer."""

_ATTEMPTS = 5
_MAX_INTERVAL = 60.0
_TRANSIENT = (408, 409, 425, 429, 500, 502, 503, 504, 529)

Message = Mapping[str, Any]
"""A part of a conversation: `role`, and `content`: a text, or a list of texts and images."""


class UnsupportedRequestError(Exception):
    """The endpoint refuses the request's form (400, 415, 422, 501); the message is the server's."""


@dataclass(frozen=True)
class Completion:
    """What a model answered.

    Attributes:
        text: the answer.
        cut: whether it ended because it became too long.
        tokens_in: tokens of the prompt, where the endpoint counts them.
        tokens_out: tokens of the answer, likewise.
        refusal: why the model, or the endpoint's filter, will not answer; None where it did.
        first_tokens: candidates for the first token with their log probabilities, where asked for.
    """

    text: str
    cut: bool
    tokens_in: int | None
    tokens_out: int | None
    refusal: str | None = None
    first_tokens: tuple[tuple[str, float], ...] = ()


class SharedPause:
    """The time until which nobody asks, for all that ask the same endpoint at once."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    def extend(self, seconds: float) -> None:
        """Let everybody wait for so long from now, or longer where it was asked for."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + seconds)

    def wait(self) -> None:
        """Return when it is over.

        Raises:
            KeyboardInterrupt: stopping was asked for meanwhile.
        """
        while (left := self._until - time.monotonic()) > 0:
            raise_if_interrupted()
            time.sleep(min(left, 0.2))


def complete(
    endpoint: Endpoint,
    model: str,
    messages: Sequence[Message],
    parameters: Mapping[str, Any],
    timeout: float,
    pause: SharedPause | None = None,
) -> Completion:
    """Ask once; refusals for a while (429, 5xx) are waited for as the server wishes.

    Args:
        endpoint: where.
        model: its name there.
        messages: the conversation.
        parameters: what else the request holds: `temperature`, `response_format`.
        timeout: seconds that an answer may take, as a whole and between two of its bytes.
        pause: of all that ask at once: a wait that the server asks of one holds them all back.

    Raises:
        UnsupportedRequestError: the server does not take the request in this form.
        InputError: the key, the model or the address is wrong.
        WorkError: the server cannot be reached, fails, or is too slow.
    """
    request = {"model": model, "messages": [dict(one) for one in messages], **parameters}
    body = json.dumps(request | {"stream": False}, ensure_ascii=False).encode()
    shared = SharedPause() if pause is None else pause
    for attempt in range(_ATTEMPTS):
        raise_if_interrupted()
        shared.wait()
        try:
            status, wished, data = _post(endpoint, body, timeout)
        except urllib3.exceptions.ProtocolError as error:
            status, wished, data = 0, None, redact(str(error)).encode()
        except urllib3.exceptions.HTTPError as error:
            reason = redact(str(getattr(error.__cause__, "strerror", None) or error))
            raise WorkError(
                f"{endpoint.host} cannot be reached: {reason}: start it, or check base_url"
            ) from None
        if status == 200:
            return _completion(data, endpoint)
        problem = _problem(endpoint, status, data)
        passing = status in (0, *_TRANSIENT) and "insufficient_quota" not in problem
        if not passing:
            raise _failure(endpoint, model, status, problem)
        seconds = min(2.0**attempt, _MAX_INTERVAL) if wished is None else wished
        if seconds > _MAX_INTERVAL:
            raise WorkError(
                f"{problem}; it asks to wait {seconds:.0f} s: run again then, what was answered "
                "is kept"
            )
        if attempt < _ATTEMPTS - 1:
            # Who fails alone waits alone; who is told to slow down speaks for all.
            own = shared if status == 429 else SharedPause()
            own.extend(seconds)
            own.wait()
    raise WorkError(f"{problem}; asked {_ATTEMPTS} times: run again later")


def _post(endpoint: Endpoint, body: bytes, timeout: float) -> tuple[int, float | None, bytes]:
    """Return status, wished pause and body of an answer.

    Raises:
        urllib3.exceptions.HTTPError: the connection failed.
        WorkError: the answer is too slow or too long.
    """
    headers = {"User-Agent": _user_agent(), "Content-Type": "application/json"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"

    def ask() -> urllib3.BaseHTTPResponse:
        return _pool().request(
            "POST",
            f"{endpoint.base_url}/chat/completions",
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=10, read=timeout),
            retries=False,
            redirect=False,
            preload_content=False,
        )

    try:
        response, data = read_bounded(ask, most_bytes=MAX_BYTES, seconds=timeout)
    except TooLongError:
        raise WorkError(f"{endpoint.host} answered more than {MAX_BYTES:,} bytes") from None
    except (TimeoutError, urllib3.exceptions.ReadTimeoutError):
        raise WorkError(
            f"{endpoint.host} gave no whole answer within {timeout:g} s: raise timeout, or take a "
            "smaller model"
        ) from None
    return response.status, retry_after_seconds(response.headers.get("Retry-After")), data


def _problem(endpoint: Endpoint, status: int, data: bytes) -> str:
    """Return what went wrong, on one line and without the key."""
    if status == 0:
        return f"{endpoint.host} broke the connection: {data.decode()}"
    try:
        error = json.loads(data)["error"]
        said = error.get("message") if isinstance(error, dict) else error
        code = error.get("code") if isinstance(error, dict) else None
        said = f"{said} ({code})" if code and isinstance(code, str) else said
    except (ValueError, KeyError, TypeError, RecursionError):
        said = data.decode("utf-8", "replace")
    text = one_line(said)
    return f"{endpoint.host} answered {status}: {text or 'no reason given'}"


def _failure(endpoint: Endpoint, model: str, status: int, problem: str) -> Exception:
    if status in (400, 415, 422, 501):
        return UnsupportedRequestError(problem)
    if status in (401, 403):
        return InputError(f"{problem}; check {endpoint.key_variable}")
    if status == 404:
        return InputError(f"{problem}; check base_url and the model {model!r}")
    if 300 <= status < 400:
        return InputError(f"{problem}; check base_url, which leads elsewhere")
    return WorkError(f"{problem}; check the account and base_url")


class _Part(BaseModel):
    text: str = ""


class _Message(BaseModel):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Candidate(BaseModel):
    token: str
    logprob: float


class _Token(BaseModel):
    top_logprobs: list[_Candidate] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Choice(BaseModel):
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Body(BaseModel):
    choices: list[_Choice]
    usage: _Usage | None = None


def _completion(data: bytes, endpoint: Endpoint) -> Completion:
    """Return the answer of a body: one JSON object, or an unrequested stream of them.

    Raises:
        WorkError: it is no chat completion.
    """
    text = data.decode("utf-8", "replace").strip()
    lines = [line.removeprefix("data:").strip() for line in text.split("\n") if line[:5] == "data:"]
    pieces = [line for line in lines if line != "[DONE]"] if lines else [text]
    try:
        bodies = [_Body.model_validate_json(piece) for piece in pieces]
    except ValidationError:
        if b'"error"' in data:
            raise WorkError(f"{_problem(endpoint, 200, data)}; run again later") from None
        raise WorkError(
            f"{endpoint.host} answered something that is no chat completion: check base_url"
        ) from None
    choices = [choice for body in bodies for choice in body.choices[:1]]
    messages = [part for choice in choices if (part := choice.message or choice.delta)]
    reasons = {choice.finish_reason for choice in choices}
    said = "".join(one.refusal or "" for one in messages)
    refusal = one_line(said) or None
    if refusal is None and "content_filter" in reasons:
        refusal = "blocked by its content filter"
    usage = next((body.usage for body in reversed(bodies) if body.usage), None) or _Usage()
    return Completion(
        text=redact("".join(_content(one) for one in messages)),
        cut="length" in reasons,
        tokens_in=usage.prompt_tokens,
        tokens_out=usage.completion_tokens,
        refusal=refusal,
        first_tokens=next((one for choice in choices if (one := _first_tokens(choice))), ()),
    )


def _first_tokens(choice: _Choice) -> tuple[tuple[str, float], ...]:
    tokens = (choice.logprobs and choice.logprobs.content) or ()
    return tuple((one.token, one.logprob) for token in tokens[:1] for one in token.top_logprobs)


def _content(message: _Message) -> str:
    if isinstance(message.content, list):
        return "".join(part.text for part in message.content)
    return message.content or ""


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=32)


@cache
def _user_agent() -> str:
    from importlib_metadata import version  # slow to import

    return f"adc-endpoint/{version('adc-endpoint')}"
