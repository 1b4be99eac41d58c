"""One GET of untrusted bytes: capped while it streams, and every failure sorted into a reason."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import aiohttp
from yarl import URL

from adc_core import WorkError
from adc_endpoint import retry_after_seconds
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.http.opt_out import Signal, refuse_opted_out, signals_of
from adc_plugins_search.download.http.robots import MAX_BYTES
from adc_plugins_search.download.http.ssrf_guard import BlockedAddressError, guarded_sockets
from adc_plugins_search.download.outcomes import Reason, RefusedError, TransientError
from adc_plugins_search.download.web_address import parse_url

_CHUNK = 1 << 16
_IDLE = 5.0
"""Seconds for which a connection is kept for the next image; most hosts have only one."""
_LONGEST_LINE = 8_190
_TRANSIENT = {408, 425, 429}
_THROTTLED = {429, 503}
_ROBOTS_REDIRECTS = 6
_NAMES_KEPT = 300
"""Seconds for which a host's addresses are kept: resolvers break under a question per image."""
_RATE_AFTER = 5.0
"""Seconds after which the rate of a body is measured."""
_REDIRECTS = {301, 302, 303, 307, 308}
_BROKEN_OFF = {errno.ECONNRESET, errno.EPIPE}
_UNKNOWN_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def open_session(rules: FetchRules) -> aiohttp.ClientSession:
    """Return a session without cookies and proxy settings that enters no private network."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_IDLE,
            ttl_dns_cache=_NAMES_KEPT,
            socket_factory=guarded_sockets(rules.allowed),
        ),
        timeout=aiohttp.ClientTimeout(
            total=rules.timeout,
            sock_connect=rules.connect_timeout,
            sock_read=rules.read_timeout,
        ),
        headers={"User-Agent": rules.user_agent, "Accept": "image/*"},
        cookie_jar=aiohttp.DummyCookieJar(),
        max_line_size=_LONGEST_LINE,
        max_field_size=_LONGEST_LINE,
    )


@dataclass(frozen=True)
class Body:
    """What was fetched.

    Attributes:
        data: the bytes, unpacked.
        signals: what the server said of their use.
    """

    data: bytes
    signals: tuple[Signal, ...]


async def get(session: aiohttp.ClientSession, address: URL, rules: FetchRules) -> Body | URL:
    """Return the body, or where a redirect leads.

    Raises:
        RefusedError: it is not to be had.
        PassingError: it may be to be had later.
    """
    with _translate_failures():
        async with session.get(address, allow_redirects=False) as response:
            if response.status in _REDIRECTS:
                return _target(response)
            _check_status(response)
            signals = tuple(signals_of(response.headers))
            refuse_opted_out(signals, rules.ignore)
            return Body(await _body(response, rules.max_bytes, rules.min_bytes_per_second), signals)


async def get_robots(session: aiohttp.ClientSession, address: URL) -> tuple[int, bytes]:
    """Return status and body of a robots.txt, redirects followed, its end cut where it is too long.

    Raises:
        RefusedError: it is not to be had.
        PassingError: it may be to be had later.
    """
    for _ in range(_ROBOTS_REDIRECTS):
        with _translate_failures():
            async with session.get(address, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return response.status, await _start(response.content, MAX_BYTES)
                address = _target(response)
    return 404, b""  # RFC 9309, 2.3.1.2: after five redirects there is none


async def _start(stream: aiohttp.StreamReader, size: int) -> bytes:
    """Return the first bytes of a stream, in however many pieces they come."""
    found = bytearray()
    while len(found) < size and (piece := await stream.read(size - len(found))):
        found += piece
    return bytes(found)


@contextmanager
def _translate_failures() -> Iterator[None]:
    try:
        yield
    except (RefusedError, TransientError):
        raise
    except aiohttp.ConnectionTimeoutError:
        raise TransientError(Reason.UNREACHABLE, "no connection in time") from None
    except TimeoutError:
        raise TransientError(Reason.TOO_SLOW, "no answer in time") from None
    except aiohttp.ClientConnectorCertificateError:  # a ValueError too
        raise RefusedError(Reason.UNREACHABLE, "no valid certificate") from None
    except ValueError:  # aiohttp's InvalidURL is one, and so is what odd host names lead to
        raise RefusedError(Reason.FORBIDDEN, "no valid address") from None
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, BlockedAddressError):
            raise RefusedError(Reason.FORBIDDEN, str(error.os_error)) from None
        if error.os_error.errno in (errno.EMFILE, errno.ENFILE):  # no image's fault
            raise WorkError(
                "more connections than this system allows open files: raise the limit "
                "(ulimit -n), then run the same again"
            ) from None
        if error.os_error.errno in _UNKNOWN_HOST:
            raise RefusedError(Reason.UNREACHABLE, "unknown host") from None
        raise TransientError(Reason.UNREACHABLE, "no connection") from None
    except (aiohttp.ClientError, OSError) as error:
        # Who breaks a connection off has answered, and a network that is down has not; but that is
        # how a network goes down, so the image is not given up for good.
        silent = isinstance(error, OSError) and error.errno not in _BROKEN_OFF
        reason = Reason.UNREACHABLE if silent else Reason.SERVER_ERROR
        raise TransientError(reason, "the connection broke", lasting=silent) from None


def _target(response: aiohttp.ClientResponse) -> URL:
    try:
        target = parse_url(response.headers.get("Location", ""), response.url)
    except ValueError:
        raise RefusedError(Reason.FORBIDDEN, "redirected to no valid address") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise RefusedError(Reason.FORBIDDEN, "redirected to no http or https address")
    return target


def _check_status(response: aiohttp.ClientResponse) -> None:
    status, said = response.status, f"HTTP {response.status}"
    if status == 200:
        return
    if status in _TRANSIENT or status >= 500:
        retry_after = retry_after_seconds(response.headers.get("Retry-After"))
        raise TransientError(Reason.SERVER_ERROR, said, retry_after, throttled=status in _THROTTLED)
    raise RefusedError(Reason.NOT_FOUND if status in (404, 410) else Reason.DENIED, said)


async def _body(
    response: aiohttp.ClientResponse, max_bytes: int, min_bytes_per_second: int
) -> bytes:
    refused = RefusedError(Reason.TOO_LARGE, f"more than {max_bytes:,} bytes")
    if (response.content_length or 0) > max_bytes:
        raise refused
    body = bytearray()
    started = monotonic()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise refused
        seconds = monotonic() - started
        if seconds > _RATE_AFTER and len(body) < min_bytes_per_second * seconds:
            raise TransientError(
                Reason.TOO_SLOW, f"less than {min_bytes_per_second:,} bytes per second"
            )
    return bytes(body)
