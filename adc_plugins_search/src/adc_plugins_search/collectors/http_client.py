"""One GET of untrusted bytes: capped while it streams, and every failure sorted into a reason."""

import socket

import aiohttp
from yarl import URL

from adc_plugins_search.collectors.address_guard import (
    BlockedAddressError,
    Endpoint,
    guarded_sockets,
)
from adc_plugins_search.collectors.outcomes import PassingError, Reason, RefusedError
from adc_plugins_search.manners import seconds_of

_CHUNK = 1 << 16
_PASSING = {408, 425, 429}
_REDIRECTS = {301, 302, 303, 307, 308}
_UNKNOWN_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def open_session(
    timeout: aiohttp.ClientTimeout, user_agent: str, allowed: frozenset[Endpoint]
) -> aiohttp.ClientSession:
    """A session that keeps no cookies, reads no proxy settings and enters no private network."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, socket_factory=guarded_sockets(allowed)),
        timeout=timeout,
        headers={"User-Agent": user_agent, "Accept": "image/*"},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def get(session: aiohttp.ClientSession, address: URL, max_bytes: int) -> bytes | URL:
    """The body, or where a redirect leads.

    Raises:
        RefusedError: it is not to be had.
        PassingError: it may be to be had later.
    """
    try:
        async with session.get(address, allow_redirects=False) as response:
            if response.status in _REDIRECTS:
                return _target(response)
            _check_status(response)
            return await _body(response, max_bytes)
    except (RefusedError, PassingError):
        raise
    except TimeoutError:
        raise PassingError(Reason.TOO_SLOW, "no answer in time") from None
    except ValueError:  # aiohttp's InvalidURL is one, and so is what odd host names lead to
        raise RefusedError(Reason.FORBIDDEN, "no valid address") from None
    except aiohttp.ClientConnectorCertificateError:
        raise RefusedError(Reason.UNREACHABLE, "no valid certificate") from None
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, BlockedAddressError):
            raise RefusedError(Reason.FORBIDDEN, str(error.os_error)) from None
        if error.os_error.errno in _UNKNOWN_HOST:
            raise RefusedError(Reason.UNREACHABLE, "unknown host") from None
        raise PassingError(Reason.UNREACHABLE, "no connection") from None
    except (aiohttp.ClientError, OSError):
        raise PassingError(Reason.UNREACHABLE, "the connection broke") from None


def _target(response: aiohttp.ClientResponse) -> URL:
    try:
        target = response.url.join(URL(response.headers.get("Location", "")))
    except ValueError:
        raise RefusedError(Reason.FORBIDDEN, "redirected to no valid address") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise RefusedError(Reason.FORBIDDEN, "redirected to no http or https address")
    return target.with_fragment(None)


def _check_status(response: aiohttp.ClientResponse) -> None:
    status, said = response.status, f"HTTP {response.status}"
    if status == 200:
        return
    if status in _PASSING or status >= 500:
        pause = seconds_of(response.headers.get("Retry-After"))
        raise PassingError(Reason.SERVER_ERROR, said, pause)
    raise RefusedError(Reason.NOT_FOUND if status in (404, 410) else Reason.DENIED, said)


async def _body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    refused = RefusedError(Reason.TOO_LARGE, f"more than {max_bytes:,} bytes")
    if (response.content_length or 0) > max_bytes:
        raise refused
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise refused
    return bytes(body)
