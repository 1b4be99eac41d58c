"""The web at its worst, on twenty addresses of loopback: the server of `soak.py`.

Each kind of answer is one entry of `KINDS`: what is sent, what must become of the picture, and how
often the kind is met. `soak_server.py` prints its port once it listens, and serves until killed.
"""

import asyncio
import gzip
import io
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from PIL import Image

from adc_plugins_search.collectors.outcomes import Reason

HOSTS = [f"127.0.0.{number}" for number in range(1, 21)]
CLOSED_FOLDER = HOSTS[:5]
"""Hosts whose robots.txt excludes a folder."""
SILENT_ON_RULES = HOSTS[-1]
"""The host whose robots.txt cannot be read."""
MAX_BYTES = 200_000
ROBOTS = b"User-agent: *\n# " + b"x" * 5000 + b"\n", b"Disallow: /closed/\n"


class Serving(asyncio.Protocol):
    """One connection; answers one request after the other."""

    once: ClassVar[set[str]] = set()
    """Addresses that have failed already, and shall not again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""
        self.answering: asyncio.Task[None] | None = None

    def connection_lost(self, error: Exception | None) -> None:
        """Stop talking to nobody."""
        if self.answering:
            self.answering.cancel()

    def data_received(self, data: bytes) -> None:
        """Begin an answer once the request is whole; clients wait for one before the next."""
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            self.path = self.received.split(b" ", 2)[1].decode()
            self.received = b""
            self.answering = asyncio.get_running_loop().create_task(self.answer())

    async def answer(self) -> None:
        """Answer what was asked."""
        host, self.port = self.transport.get_extra_info("sockname")[:2]
        if self.path == "/robots.txt":
            await self.rules(host)
            return
        _, kind, name = self.path.split("/")
        self.number = int(name.removesuffix(".jpg"))
        await KINDS[kind].answer(self)

    async def rules(self, host: str) -> None:
        """The robots.txt of a host, in two pieces."""
        if host == SILENT_ON_RULES:
            self.send(b"", status="500 Error")
        elif host in CLOSED_FOLDER:
            first, second = ROBOTS
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(first + second)
            )
            self.transport.write(first)
            await asyncio.sleep(0.02)
            self.transport.write(second)
        else:
            self.send(b"", status="404 Not Found")

    def send(self, body: bytes, *headers: str, status: str = "200 OK", length: int = -1) -> None:
        """A whole answer; `length` announces another length than the body has."""
        said = len(body) if length < 0 else length
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {said}", *headers, "", ""]
        self.transport.write("\r\n".join(lines).encode() + body)

    def end(self) -> None:
        """Close the connection once everything is sent."""
        self.transport.close()

    def reset(self) -> None:
        """Break the connection off."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


Answer = Callable[[Serving], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """One kind of answer.

    Attributes:
        answer: sends it.
        expected: why the picture is refused; None where it is kept.
        weight: how often it is met beside other kinds; kinds that keep a client waiting are rarer.
        hosts: where it is met.
        url: its address, where that is not one of the server.
    """

    answer: Answer
    expected: Reason | None = None
    weight: int = 4
    hosts: tuple[str, ...] = tuple(HOSTS[:-1])
    url: str = "http://{host}:{port}/{kind}/{number}.jpg"


def picture(number: int, **options: object) -> bytes:
    """Tiles of random colours, 32 to 64 pixels a side, another one for each number."""
    rng = np.random.default_rng(number)
    tiles = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
    width, height = (int(side) for side in rng.integers(32, 65, 2))
    image = tiles.resize((width, height), Image.Resampling.NEAREST)
    mode = str(options.pop("mode", "RGB"))
    file = io.BytesIO()
    image.convert(mode).save(file, str(options.pop("format", "JPEG")), **options)
    return file.getvalue()


@cache
def turned() -> Image.Exif:
    """Exif data that say the picture lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def deep(number: int) -> bytes:
    """A PNG file of 16 bits a pixel."""
    pixels = np.random.default_rng(number).integers(0, 65536, (40, 40)).astype(np.uint16)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@cache
def bomb(side: int) -> bytes:
    """A small PNG file that says it is very large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(min(20_000_000, side * (1 + side // 8))), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@cache
def gzip_bomb() -> bytes:
    """Zeros, a hundred times as many as may be fetched."""
    return gzip.compress(bytes(100 * MAX_BYTES))


async def good(to: Serving, *headers: str, **options: object) -> None:
    """A picture."""
    to.send(picture(to.number, **options), *headers)


async def status(to: Serving, line: str, *headers: str) -> None:
    """A status and nothing else."""
    to.send(b"", *headers, status=line)


async def once(to: Serving, line: str, *headers: str) -> None:
    """A status at first, a picture after that."""
    if to.path in to.once:
        to.send(picture(to.number))
    else:
        to.once.add(to.path)
        to.send(b"", *headers, status=line)


async def raw(to: Serving, data: bytes) -> None:
    """Bytes as they are, and the end."""
    to.transport.write(data)
    to.end()


async def content(to: Serving, body: bytes, *headers: str) -> None:
    """A body that is no good picture."""
    to.send(body, *headers)


async def sideways(to: Serving) -> None:
    """A picture that must be turned."""
    to.send(picture(to.number, exif=turned()))


async def sixteen_bits(to: Serving) -> None:
    """A picture of 16 bits."""
    to.send(deep(to.number))


async def reset_at_once(to: Serving) -> None:
    """No answer but a reset."""
    to.reset()


async def reset_within(to: Serving) -> None:
    """Half a body, then a reset."""
    body = picture(to.number)
    to.send(body[: len(body) // 2], length=len(body))
    await asyncio.sleep(0.05)
    to.reset()


async def short(to: Serving) -> None:
    """Half a body, then the end."""
    body = picture(to.number)
    to.send(body[: len(body) // 2], length=len(body))
    to.end()


async def truncated(to: Serving) -> None:
    """A whole answer that is half a picture."""
    body = picture(to.number)
    to.send(body[:-40])


async def packed(to: Serving) -> None:
    """A picture, packed without need."""
    to.send(gzip.compress(picture(to.number)), "Content-Encoding: gzip")


async def until_closed(to: Serving) -> None:
    """A picture without a length, which ends with the connection."""
    to.transport.write(b"HTTP/1.0 200 OK\r\n\r\n" + picture(to.number))
    to.end()


async def repeated(to: Serving, piece: bytes, pause: float, head: bytes = b"") -> None:
    """The same bytes again and again, until the client has had enough."""
    to.transport.write(head or b"HTTP/1.1 200 OK\r\n\r\n")
    while not to.transport.is_closing():
        if to.transport.get_write_buffer_size() < 100_000:
            to.transport.write(piece)
        await asyncio.sleep(pause)


async def silence(to: Serving) -> None:
    """Nothing at all."""
    await asyncio.sleep(3600)


async def redirect(to: Serving, target: str) -> None:
    """Somewhere else, on the next host."""
    host = to.transport.get_extra_info("sockname")[0]
    following = HOSTS[(HOSTS.index(host) + 1) % (len(HOSTS) - 1)]
    place = target.format(host=following, port=to.port, number=to.number)
    to.send(b"", f"Location: {place}", status="302 Found")


def _kinds() -> Iterator[tuple[str, Kind]]:
    def of(answer: Callable[..., Awaitable[None]], *args: object, **options: object) -> Answer:
        return lambda to: answer(to, *args, **options)

    yield "good", Kind(of(good), weight=0)
    for code, reason in ((404, "NOT_FOUND"), (410, "NOT_FOUND"), (403, "DENIED"), (204, "DENIED")):
        yield str(code), Kind(of(status, f"{code} No"), Reason[reason])
    yield "500", Kind(of(status, "500 Error"), Reason.SERVER_ERROR)
    yield "500-once", Kind(of(once, "500 Error"))
    for code, pause in ((503, 0), (503, 1), (429, 1)):
        answer = of(once, f"{code} Later", f"Retry-After: {pause}")
        yield f"{code}-after-{pause}", Kind(answer, weight=1)
    far = of(status, "429 Later", "Retry-After: 99999")
    yield "429-after-a-day", Kind(far, Reason.SERVER_ERROR, weight=1)
    yield "reset", Kind(of(reset_at_once), Reason.UNREACHABLE)
    yield "reset-within", Kind(of(reset_within), Reason.UNREACHABLE)
    yield "short-body", Kind(of(short), Reason.UNREACHABLE)
    yield "endless-body", Kind(of(repeated, bytes(50_000), 0.001), Reason.TOO_LARGE)
    yield "announced-large", Kind(of(content, bytes(MAX_BYTES + 1)), Reason.TOO_LARGE)
    yield "drip", Kind(of(repeated, b"\xff", 1.0), Reason.TOO_SLOW, weight=1)
    yield "too-long", Kind(of(repeated, bytes(500), 0.1), Reason.TOO_SLOW, weight=1)
    yield "silence", Kind(of(silence), Reason.TOO_SLOW, weight=1)
    head = b"HTTP/1.1 200 OK\r\nX: "
    yield "header-drip", Kind(of(repeated, b"y", 1.0, head), Reason.TOO_SLOW, weight=1)
    yield "header-huge", Kind(of(raw, head + b"y" * 100_000 + b"\r\n\r\n"), Reason.UNREACHABLE)
    yield "header-endless", Kind(of(repeated, b"X: y\r\n" * 99, 0.001, head), Reason.UNREACHABLE)
    yield "no-http", Kind(of(raw, b"\xff\xfe"), Reason.UNREACHABLE)
    yield "no-status", Kind(of(raw, b"HTTP/1.1 999999 No\r\n\r\n"), Reason.UNREACHABLE)
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    yield "no-chunks", Kind(of(raw, chunks), Reason.UNREACHABLE)
    page = b"<!DOCTYPE html><title>Not here</title>"
    yield "html", Kind(of(content, page, "Content-Type: image/jpeg"), Reason.NOT_AN_IMAGE)
    yield "empty", Kind(of(content, b""), Reason.NOT_AN_IMAGE)
    yield "truncated", Kind(of(truncated), Reason.DAMAGED)
    yield "gzip", Kind(of(packed))
    zeros = of(content, gzip_bomb(), "Content-Encoding: gzip")
    yield "gzip-bomb", Kind(zeros, Reason.TOO_LARGE)
    not_packed = of(content, b"no gzip", "Content-Encoding: gzip")
    yield "gzip-broken", Kind(not_packed, Reason.UNREACHABLE)
    for side in (11_000, 50_000):  # Pillow only warns of the first
        yield f"bomb-{side}", Kind(of(content, bomb(side)), Reason.TOO_MANY_PIXELS)
    dot = io.BytesIO()
    Image.new("RGB", (1, 1)).save(dot, "GIF")
    yield "pixel", Kind(of(content, dot.getvalue()), Reason.TOO_SMALL)
    yield "same-picture", Kind(of(content, picture(0)), Reason.DUPLICATE)
    yield "wrong-type", Kind(of(good, "Content-Type: text/plain"))
    yield "until-closed", Kind(of(until_closed))
    yield "sideways", Kind(of(sideways))
    yield "cmyk", Kind(of(good, mode="CMYK"))
    yield "palette", Kind(of(good, mode="P", format="PNG"))
    yield "alpha", Kind(of(good, mode="RGBA", format="PNG"))
    yield "16-bits", Kind(of(sixteen_bits))

    for left in range(3):
        target = f"http://{{host}}:{{port}}/{f'chain-{left}' if left else 'good'}/{{number}}.jpg"
        yield f"chain-{left + 1}", Kind(of(redirect, target), weight=4 if left == 2 else 0)
    loop = "http://{host}:{port}/loop/{number}.jpg"
    yield "loop", Kind(of(redirect, loop), Reason.REDIRECTS)
    metadata = "http://169.254.169.254/latest/meta-data/"
    for name, target in (
        ("to-closed", "http://127.0.0.1:9/x.jpg"),
        ("to-metadata", metadata),
        ("to-file", "file:///etc/passwd"),
        ("to-nonsense", "http://[::1"),
    ):
        yield name, Kind(of(redirect, target), Reason.FORBIDDEN)
    nobody = "http://{host}:{unused}/{kind}/{number}.jpg"
    yield "nobody-listens", Kind(of(good), Reason.UNREACHABLE, url=nobody)
    yield "no-web", Kind(of(good), Reason.FORBIDDEN, url="ftp://{host}/{kind}/{number}.jpg")
    private = "http://10.0.0.1/{kind}/{number}.jpg"
    yield "private", Kind(of(good), Reason.FORBIDDEN, url=private)

    for name, line in (
        ("noai", "noai"),
        ("noimageai", "noimageai"),
        ("upper-case", "NoAI"),
        ("for-us", "adc-search: noai"),
        ("two-lines", "max-snippet: 5\r\nX-Robots-Tag: noai"),
        ("after-value", "max-image-preview:large, noai"),
        ("before-value", "noai, max-snippet:-1"),
        ("after-date", "unavailable_after: 25 Jun 2030 15:00:00 PST, noimageai"),
        ("none", "none"),
    ):
        kind = Kind(of(good, f"X-Robots-Tag: {line}"), Reason.OPTED_OUT, weight=1)
        yield f"tag-{name}", kind
    for header, value in (("tdm-reservation", "1"), ("Content-Usage", "train-ai=n")):
        kind = Kind(of(good, f"{header}: {value}"), Reason.OPTED_OUT)
        yield header.lower(), kind
    for name, header in (
        ("other-bot", "X-Robots-Tag: otherbot: noai"),
        ("google", "X-Robots-Tag: googlebot: noindex"),
        ("snippet", "X-Robots-Tag: max-snippet: -1"),
        ("tdm-0", "tdm-reservation: 0"),
        ("train-y", "Content-Usage: train-ai=y"),
    ):
        yield f"allowed-{name}", Kind(of(good, header), weight=1)
    yield "closed", Kind(of(good), Reason.ROBOTS, hosts=tuple(CLOSED_FOLDER))
    yield "rules-unknown", Kind(of(good), Reason.ROBOTS, hosts=(SILENT_ON_RULES,))


KINDS = dict(_kinds())


async def serve() -> None:
    """Print the port, answer until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Serving, "0.0.0.0", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
