"""What every request has to pass: host, origin, rate, body; and the headers of every answer."""

import hmac
import secrets
import sqlite3
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from adc_core import WorkError
from adc_core.storage import translate_os_errors
from adc_plugins_review.campaign.raters import Rater, owner_token, rater_of
from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.pages import page

DESK = web.AppKey("desk", Desk)
OWN_HEADER = "X-ADC-Review"
MAX_BODY = 16 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
B = TypeVar("B", bound="Body")

_KNOWN_AT_ONCE = 10_000
"""Buckets that are kept; the oldest go first."""


class Body(BaseModel):
    """The content of a request: nothing but its fields, each of its type."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    LISTS: ClassVar[tuple[str, ...]] = ()


class Buckets:
    """Token buckets: so many requests a second of each sender, and some at once.

    Args:
        rate: requests per second.
        burst: how many at once after a pause.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, sender: str) -> bool:
        """Count one request; tell whether it may pass."""
        now = time.monotonic()
        left, before = self._left.pop(sender, (float(self._burst), now))
        left = min(self._burst, left + (now - before) * self._rate)
        passes = left >= 1
        self._left[sender] = (left - passes, now)
        if len(self._left) > _KNOWN_AT_ONCE:
            self._left.popitem(last=False)
        return passes


POLICY = "Content-Security-Policy"


class Guard:
    """The rules of one server.

    Args:
        hosts: names and ports under which it may be asked.
        embed: origins that may show the pages in a frame.

    Attributes:
        whole_page_policy: of a page that has its style and images within it, and loads nothing.
    """

    def __init__(self, hosts: set[str], embed: tuple[str, ...] = ()) -> None:
        self._hosts = hosts
        ancestors = " ".join(embed) or "'none'"
        submit = " ".join(("'self'", *embed))
        self._policy = (
            "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
            f"connect-src 'self'; form-action {submit}; base-uri 'none'; "
            f"frame-ancestors {ancestors}"
        )
        self.whole_page_policy = (
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors {ancestors}"
        )
        self._framed = bool(embed)
        self._by_token = Buckets(20, 60)
        self._by_address = Buckets(50, 100)
        self._unknown = Buckets(20 / 60, 20)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request pass, or say in one line why not; no exception leaves this."""
        try:
            self._check(request)
            with translate_os_errors(request.app[DESK].review):
                response = await handler(request)
        except Refused as error:
            response = refusal(request, error.status, str(error))
        except web.HTTPNotFound:
            missed = self.miss(request)
            response = refusal(request, missed.status, str(missed))
        except web.HTTPException as error:
            response = refusal(request, error.status, error.reason)
        except (sqlite3.OperationalError, WorkError):
            # A full or read-only disk: the page keeps the answer and sends it again.
            print("adc: the review cannot be written: look at the disk", file=sys.stderr)
            response = refusal(request, 503, "the answer could not be kept: it is sent again")
        except Exception as error:
            # Frames without values: a token is never in them.
            print("".join(traceback.format_tb(error.__traceback__)), file=sys.stderr)
            print(f"adc: {type(error).__name__} in a page", file=sys.stderr)
            response = refusal(request, 500, "something went wrong here")
        if not response.prepared:
            self._add_headers(response)
        return response

    def _check(self, request: web.Request) -> None:
        if request.host not in self._hosts:
            raise Refused(421, "this server does not answer under that name")
        sender = request.match_info.get("token")
        if sender is None and not self._by_address.take(request.remote or ""):
            raise Refused(429, "too many requests: wait a moment")
        if sender is not None and not self._by_token.take(sender):
            raise Refused(429, "too many requests: wait a moment")
        if request.method in ("GET", "HEAD"):
            return
        own = request.headers.get(OWN_HEADER) == "1" and request.content_type == "application/json"
        form = request.content_type == "application/x-www-form-urlencoded"
        if not own and not (form and _same_origin(request)):
            raise Refused(403, "this request does not come from a page of this server")

    def miss(self, request: web.Request) -> Refused:
        """Count a request for something unknown, and say what becomes of it."""
        if not self._unknown.take(request.remote or ""):
            return Refused(429, "too many requests: wait a moment")
        return Refused(404, "there is no such page: you need a link")

    def _add_headers(self, response: web.StreamResponse) -> None:
        headers = response.headers
        headers.setdefault(POLICY, self._policy)
        headers["Referrer-Policy"] = "no-referrer"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if not self._framed:
            headers["X-Frame-Options"] = "DENY"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers.setdefault("Cache-Control", "no-store")
        headers["Server"] = "adc"


GUARD = web.AppKey("guard", Guard)


def _same_origin(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def refusal(request: web.Request, status: int, message: str) -> web.Response:
    """Answer that something cannot be done: as JSON to the script, as a page to a browser."""
    if request.content_type == "application/json" or request.headers.get(OWN_HEADER):
        return web.json_response({"error": message}, status=status)
    response = page("message", message=message)
    response.set_status(status)
    return response


def go_to(where: str) -> web.Response:
    """Answer a form: the browser loads a page, and loading that again sends nothing."""
    return web.Response(status=303, headers={"Location": where})


async def rater_in(request: web.Request) -> Rater:
    """Return whose link it is.

    Raises:
        Refused: 404 where it is nobody's, with the same words as for any unknown page.
    """
    rater = await request.app[DESK].read(rater_of, request.match_info["token"])
    if rater is None:
        raise request.app[GUARD].miss(request)
    return rater


async def check_owner(request: web.Request) -> None:
    """Let only the owner pass.

    Raises:
        Refused: 404, as for any unknown page.
    """
    known = await request.app[DESK].read(owner_token)
    if not hmac.compare_digest(known.encode(), request.match_info["token"].encode()):
        raise request.app[GUARD].miss(request)


async def body_of(request: web.Request, form: type[B]) -> B:
    """Read the content of a request, from the script or from a form.

    Raises:
        Refused: 400 where it is not what it should be, 413 where it is too long.
    """
    try:
        if request.content_type == "application/json":
            return form.model_validate_json(await request.read(), strict=True)
        fields = await request.post()
        lists = {name: [str(one) for one in fields.getall(name)] for name in fields}
        return form.model_validate(
            {name: given if name in form.LISTS else given[-1] for name, given in lists.items()}
        )
    except (ValidationError, UnicodeDecodeError, LookupError, ValueError):
        raise Refused(400, "this request is not complete: load the page again") from None


def new_key() -> str:
    """Make a key for a form, so that one that is sent twice counts once."""
    return secrets.token_urlsafe(16)
