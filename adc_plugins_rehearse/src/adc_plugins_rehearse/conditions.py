"""How the gallery's server treats those who ask for an image: well, or as the web does.

| condition | the server | the image |
|---|---|---|
| good | sends the file | yes |
| slow | sends it after a while | yes |
| broken | sends the first half, as if it were all | no |
| page | sends a page of HTML and calls it an image | no |
| gone, removed, denied | answers 404, 410, 403 | no |
| failing | answers 500 to the first request | at the second |
| busy, throttled | answers 503, 429 with Retry-After: 1 to the first request | at the second |
| reset | resets the connection | no |
| short | sends half of what Content-Length says, and closes the connection | no |
| endless | sends without end, without Content-Length | no |
| drip | sends a byte a second | no |
| gzip | sends it compressed, as Content-Encoding says | yes |
| mistyped | calls the file text/plain | yes |
| moved | redirects three times | at the end |
| loop | redirects to itself | no |
| inward | redirects to a service of this machine | no |
| bomb | sends a PNG of 400 million pixels in 50 kB | no |
| pixel | sends the one pixel with which visitors are counted | no |
| closed | has robots.txt exclude the folder of the image | for the impolite |
| noai, noimageai, noai-upper, noai-us, noai-twice, noai-after, noai-before, noai-dated, noindex-none | sends it with an X-Robots-Tag that holds for us | for the impolite |
| noai-others, noindex-others, preview | sends it with an X-Robots-Tag that does not | yes |
| tdm | sends it with tdm-reservation: 1 | for the impolite |
| xmp | sends it with XMP metadata that prohibit data mining | for the impolite |
"""  # noqa: E501 (a table has one line for each row)

import asyncio
import gzip
import io
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Literal, get_args

from aiohttp import web
from PIL import Image

Condition = Literal[
    "good", "slow", "broken", "page", "gone", "removed", "denied", "failing", "busy", "throttled",
    "reset", "short", "endless", "drip", "gzip", "mistyped", "moved", "loop", "inward", "bomb",
    "pixel", "closed", "noai", "noimageai", "noai-upper", "noai-us", "noai-twice", "noai-after",
    "noai-before", "noai-dated", "noindex-none", "noai-others", "noindex-others", "preview", "tdm",
    "xmp",
]  # fmt: skip
CONDITIONS: tuple[Condition, ...] = get_args(Condition)

WITHOUT_IMAGE: frozenset[Condition] = frozenset(
    (
        *("broken", "page", "gone", "removed", "denied", "reset", "short", "endless", "drip"),
        *("loop", "inward", "bomb", "pixel"),
    )
)
"""Conditions in which nobody gets the image."""

CLOSED = "closed"
"""The folder that robots.txt excludes; offers in the condition of this name are there."""

MOVED = "moved"
HOPS = 3
INWARD = "http://127.0.0.1:9/private.jpg"
"""Nothing listens there; who follows has asked a service of the machine that it runs on."""

HEADERS: Mapping[Condition, tuple[tuple[str, str], ...]] = {
    "noai": (("X-Robots-Tag", "noai"),),
    "noimageai": (("X-Robots-Tag", "noimageai"),),
    "noai-upper": (("X-Robots-Tag", "NoAI"),),
    "noai-us": (("X-Robots-Tag", "adc-search: noai"),),
    "noai-twice": (("X-Robots-Tag", "noarchive"), ("X-Robots-Tag", "noai")),
    "noai-after": (("X-Robots-Tag", "max-image-preview:large, noai"),),
    "noai-before": (("X-Robots-Tag", "noai, max-snippet:-1"),),
    "noai-dated": (("X-Robots-Tag", "unavailable_after: 25 Jun 2030 15:00:00 PST, noimageai"),),
    "noindex-none": (("X-Robots-Tag", "none"),),
    "noai-others": (("X-Robots-Tag", "otherbot: noai"),),
    "noindex-others": (("X-Robots-Tag", "googlebot: noindex"),),
    "preview": (("X-Robots-Tag", "max-image-preview: large"),),
    "tdm": (("tdm-reservation", "1"),),
}
"""What is sent with an image whose owner says something of its use."""

XMP = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">
   <plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
"""The XMP of an image whose owner prohibits data mining there."""

_STATUS: Mapping[Condition, int] = {"gone": 404, "removed": 410, "denied": 403}
_FIRST: Mapping[Condition, tuple[int, Mapping[str, str]]] = {
    "failing": (500, {}),
    "busy": (503, {"Retry-After": "1"}),
    "throttled": (429, {"Retry-After": "1"}),
}
_PIECE = 65_536
_PNG = b"\x89PNG\r\n\x1a\n"
_BOMB_SIDE = 20_000

Content = Callable[[], Awaitable[bytes]]


class FaultInjector:
    """Answers requests for images, each in its condition.

    Args:
        slow_seconds: how long a slow image takes.
        drip_seconds: how long each byte of one that drips takes.
    """

    def __init__(self, slow_seconds: float, drip_seconds: float = 1.0) -> None:
        self._slow_seconds = slow_seconds
        self._drip_seconds = drip_seconds
        self._met: set[str] = set()

    async def answer(
        self, request: web.Request, condition: Condition, mime: str, title: str, content: Content
    ) -> web.StreamResponse:
        """Answer a request for an image.

        Args:
            request: what was asked.
            condition: of the offer.
            mime: what kind of file it is.
            title: of the page that is sent in its stead.
            content: gives the file.
        """
        if condition in _STATUS:
            return web.Response(status=_STATUS[condition])
        if condition in _FIRST and request.path not in self._met:
            self._met.add(request.path)
            status, headers = _FIRST[condition]
            return web.Response(status=status, headers=headers)
        match condition:
            case "slow":
                await asyncio.sleep(self._slow_seconds)
            case "page":
                page = f"<!doctype html><title>{title}</title><p>Please log in."
                return web.Response(body=page.encode(), content_type=mime)
            case "reset":
                return _reset(request)
            case "moved":
                return web.Response(status=302, headers={"Location": _next(request)})
            case "loop":
                return web.Response(status=302, headers={"Location": request.path})
            case "inward":
                return web.Response(status=302, headers={"Location": INWARD})
            case "bomb":
                return web.Response(body=bomb(), content_type="image/png")
            case "pixel":
                return web.Response(body=pixel(), content_type="image/gif")
        data = await content()
        match condition:
            case "broken":
                data = data[: len(data) // 2]
            case "short":
                return await _send(request, mime, [data[: len(data) // 2]], 0, len(data))
            case "drip":
                pieces = [bytes([value]) for value in data]
                return await _send(request, mime, pieces, self._drip_seconds, len(data))
            case "endless":
                return await _send(request, mime, [data], 0, None)
            case "gzip":
                body, headers = gzip.compress(data, mtime=0), {"Content-Encoding": "gzip"}
                return web.Response(body=body, content_type=mime, headers=headers)
            case "mistyped":
                mime = "text/plain"
            case "xmp":
                data = with_xmp(data, XMP)
        response = web.Response(body=data, content_type=mime)
        for name, value in HEADERS.get(condition, ()):
            response.headers.add(name, value)
        return response


async def robots(_: web.Request) -> web.Response:
    """Return the rules of every host of the gallery."""
    return web.Response(text=f"User-agent: *\nDisallow: /{CLOSED}/\n")


def _next(request: web.Request) -> str:
    """Return where an image that has moved is to be asked for next; see `moved_path`."""
    return f"/{MOVED}/{HOPS - 1}{request.path}"


def moved(request: web.Request) -> tuple[str, web.Response | None]:
    """Return the path behind the URL of a moved image, and the redirect that is left."""
    left, path = int(request.match_info["left"]), request.match_info["path"]
    if left == 0:
        return path, None
    location = f"/{MOVED}/{left - 1}/{path}"
    return path, web.Response(status=301, headers={"Location": location})


def _reset(request: web.Request) -> web.Response:
    assert request.transport is not None
    connection: socket.socket = request.transport.get_extra_info("socket")
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    request.transport.abort()
    return web.Response()


async def _send(
    request: web.Request, mime: str, pieces: list[bytes], pause: float, length: int | None
) -> web.StreamResponse:
    """Send pieces and close the connection; without a length, send more until nobody listens."""
    response = web.StreamResponse()
    response.content_type, response.content_length = mime, length
    response.force_close()
    try:
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(pause)
        while length is None:
            await response.write(bytes(_PIECE))
    except ConnectionError:  # the other side has had enough
        return response
    if request.transport is not None:
        request.transport.close()
    return response


def with_xmp(file: bytes, packet: bytes) -> bytes:
    """Return a JPEG or PNG file with XMP metadata behind its first marker or header."""
    if file.startswith(_PNG):
        at = len(_PNG) + 25
        segment = _chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + packet)
    else:
        at, body = 2, b"http://ns.adobe.com/xap/1.0/\0" + packet
        segment = b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body
    return file[:at] + segment + file[at:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a piece of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def bomb() -> bytes:
    """Return a black PNG of 20,000 × 20,000 pixels of one bit."""
    header = struct.pack(">IIBBBBB", _BOMB_SIDE, _BOMB_SIDE, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + _BOMB_SIDE // 8)
    body = b"".join(packer.compress(row * 100) for _ in range(_BOMB_SIDE // 100)) + packer.flush()
    parts = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return _PNG + b"".join(_chunk(*part) for part in parts)


@cache
def pixel() -> bytes:
    """Return a GIF of one pixel."""
    file = io.BytesIO()
    Image.new("P", (1, 1)).save(file, "GIF")
    return file.getvalue()
