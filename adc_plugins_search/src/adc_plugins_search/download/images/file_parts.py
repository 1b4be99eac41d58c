"""Of how many parts an image's file is made, counted before a decoder takes them one by one.

Pillow reads the parts of a file in Python, a microsecond or ten for each: a file of a few kilobytes
on the wire, millions of empty parts when it is unpacked, would hold up everything else for minutes.
The count follows the bytes as Pillow does, and no further than it has to.
"""

import re
import struct
from collections.abc import Iterator

MAX_PARTS = 50_000
"""More than any image of 20 MB has, and read in less than half a second."""

_JPEG, _PNG, _GIF = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF8"
_FILLING = re.compile(rb"\xff+")
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
_SCAN, _LAST_CHUNK = 0xDA, b"IEND"
_GIF_HEADER = 13
_GIF_BLOCK = re.compile(rb"[!,;]")
_PLACES = frozenset({273, 279, 324, 325})
"""The tags of a TIFF that give each strip's or tile's place and length."""


def has_too_many_parts(data: bytes) -> bool:
    """Tell whether a file has more than `MOST_PARTS` parts that Pillow takes one by one.

    Parts are the segments, chunks, blocks, strips and tiles of JPEG, PNG, GIF and TIFF files, and
    every byte between them; other files have none.
    """
    counted = 0
    for parts in _parts(data):
        counted += parts
        if counted > MAX_PARTS:
            return True
    return False


def _parts(data: bytes) -> Iterator[int]:
    """Return how many parts come next, again and again."""
    if data.startswith(_JPEG):
        return _of_jpeg(data)
    if data.startswith(_PNG):
        return _of_png(data)
    if data.startswith(_GIF):
        return _of_gif(data)
    return _of_tiff(data)


def _of_jpeg(data: bytes) -> Iterator[int]:
    """Return segments up to the first scan, bytes that fill, and bytes that belong to none."""
    position = len(_JPEG)
    while filling := _FILLING.search(data, position):
        yield filling.end() - position
        position = filling.end() + 1
        marker = data[filling.end()] if filling.end() < len(data) else _SCAN
        if marker == _SCAN:
            return
        if marker not in _WITHOUT_LENGTH:
            position += max(2, int.from_bytes(data[position : position + 2]))
    yield max(0, len(data) - position)


def _of_png(data: bytes) -> Iterator[int]:
    position = len(_PNG)
    while position < len(data):
        yield 1
        if data[position + 4 : position + 8] == _LAST_CHUNK:
            return
        position += 12 + int.from_bytes(data[position : position + 4])


def _of_gif(data: bytes) -> Iterator[int]:
    """Return extensions up to the first image, by their blocks of 255 bytes at most."""
    flags = data[10] if len(data) > 10 else 0
    position = _GIF_HEADER + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while block := _GIF_BLOCK.search(data, position):
        yield block.end() - position
        if block[0] != b"!":
            return
        position = block.end() + 1
        while position < len(data) and data[position]:
            yield 1
            position += 1 + data[position]
        position += 1
    yield max(0, len(data) - position)


def _of_tiff(data: bytes) -> Iterator[int]:
    """Return tags of the first directory, and what they say of the number of strips or tiles."""
    layouts = {b"\x2a": ("I", "H", "HHI4x"), b"\x2b": ("4xQ", "Q", "HHQ8x")}
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or (layout := layouts.get(data[2:4].strip(b"\0"))) is None:
        return
    place, number, entry = (order + each for each in layout)
    try:
        (position,) = struct.unpack_from(place, data, 4)
        (tags,) = struct.unpack_from(number, data, position)
        position += struct.calcsize(number)
        for index in range(tags):
            tag, _, count = struct.unpack_from(
                entry, data, position + index * struct.calcsize(entry)
            )
            yield count if tag in _PLACES else 1
    except struct.error:  # it ends before: the decoder will say so
        return
