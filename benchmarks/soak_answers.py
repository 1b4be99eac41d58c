"""What the server of `soak.py` sends: images, what is none, and every way to break off."""

import asyncio
import gzip
import io
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from adc_plugins_rehearse.conditions import with_xmp

if TYPE_CHECKING:
    from soak_server import Serving

HOSTS = [f"127.0.0.{number}" for number in range(1, 21)]
MAX_BYTES = 200_000


def image_bytes(number: int, **options: object) -> bytes:
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
    """Exif data that say the image lies on its side."""
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
    """A PNG file that says it is very large, cut so that it may be fetched."""

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


async def good(to: "Serving", *headers: str, **options: object) -> None:
    """An image."""
    to.send(image_bytes(to.number, **options), *headers)


async def status(to: "Serving", line: str, *headers: str) -> None:
    """A status and nothing else."""
    to.send(b"", *headers, status=line)


async def once(to: "Serving", line: str, *headers: str) -> None:
    """A status at first, an image after that."""
    if to.path in to.once:
        to.send(image_bytes(to.number))
    else:
        to.once.add(to.path)
        to.send(b"", *headers, status=line)


async def raw(to: "Serving", data: bytes) -> None:
    """Bytes as they are, and the end."""
    to.transport.write(data)
    to.end()


async def content(to: "Serving", body: bytes, *headers: str) -> None:
    """A body that is no good image."""
    to.send(body, *headers)


async def sideways(to: "Serving") -> None:
    """An image that must be turned."""
    to.send(image_bytes(to.number, exif=turned()))


async def tagged(to: "Serving", packet: bytes) -> None:
    """An image with XMP metadata."""
    to.send(with_xmp(image_bytes(to.number), packet))


async def sixteen_bits(to: "Serving") -> None:
    """An image of 16 bits."""
    to.send(deep(to.number))


async def reset_at_once(to: "Serving") -> None:
    """No answer but a reset."""
    to.reset()


async def reset_within(to: "Serving") -> None:
    """Half a body, then a reset."""
    body = image_bytes(to.number)
    to.send(body[: len(body) // 2], length=len(body))
    await asyncio.sleep(0.05)
    to.reset()


async def short(to: "Serving") -> None:
    """Half a body, then the end."""
    body = image_bytes(to.number)
    to.send(body[: len(body) // 2], length=len(body))
    to.end()


async def truncated(to: "Serving") -> None:
    """A whole answer that is half an image."""
    body = image_bytes(to.number)
    to.send(body[:-40])


async def packed(to: "Serving") -> None:
    """An image, packed without need."""
    to.send(gzip.compress(image_bytes(to.number)), "Content-Encoding: gzip")


async def until_closed(to: "Serving") -> None:
    """An image without a length, which ends with the connection."""
    to.transport.write(b"HTTP/1.0 200 OK\r\n\r\n" + image_bytes(to.number))
    to.end()


async def repeated(to: "Serving", piece: bytes, pause: float, head: bytes = b"") -> None:
    """The same bytes again and again, until the client has had enough."""
    to.transport.write(head or b"HTTP/1.1 200 OK\r\n\r\n")
    while not to.transport.is_closing():
        if to.transport.get_write_buffer_size() < 100_000:
            to.transport.write(piece)
        await asyncio.sleep(pause)


async def silence(to: "Serving") -> None:
    """Nothing at all."""
    await asyncio.sleep(3600)


async def redirect(to: "Serving", target: str) -> None:
    """Somewhere else, on the next host."""
    host = to.transport.get_extra_info("sockname")[0]
    following = HOSTS[(HOSTS.index(host) + 1) % (len(HOSTS) - 1)]
    place = target.format(host=following, port=to.port, number=to.number)
    to.send(b"", f"Location: {place}", status="302 Found")
