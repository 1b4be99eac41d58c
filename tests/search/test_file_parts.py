"""Files of very many parts are refused by a count, before Pillow takes the parts one by one."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from adc_plugins_search.download.images.file_parts import MAX_PARTS, has_too_many_parts
from adc_plugins_search.download.images.verify import ImageRules, verify
from adc_plugins_search.download.outcomes import Reason, Refused, RefusedError

RULES = ImageRules(size=64, min_side=8, max_pixels=64_000_000)
COMMENT = b"\xff\xfe\x00\x02"
MANY = 2 * MAX_PARTS


def saved(form: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes) -> bytes:
    return struct.pack(">I", 0) + kind + struct.pack(">I", zlib.crc32(kind))


def within(data: bytes, place: int, parts: bytes) -> bytes:
    return data[:place] + parts + data[place:]


def tiff_of_strips(count: int, order: str, big: bool) -> bytes:
    """A TIFF whose directory says that it has so many strips."""
    start = {"<": b"II", ">": b"MM"}[order]
    if big:
        head = start + struct.pack(order + "HHHQ", 43, 8, 0, 16)
        return head + struct.pack(order + "QHHQQ", 1, 273, 4, count, 0)
    return start + struct.pack(order + "HIHHHII", 42, 8, 1, 273, 4, count, 0)


def gif_with(parts: bytes) -> bytes:
    data = saved("GIF", "P")
    return within(data, 13 + (3 << (data[10] & 7) + 1), parts)


def comment(blocks: int) -> bytes:
    return b"!\xfe" + b"\x01a" * blocks + b"\0"


BOMBS = {
    "jpeg, filling": within(saved("JPEG"), 2, b"\xff" * MANY),
    "jpeg, comments": within(saved("JPEG"), 2, COMMENT * MANY),
    "jpeg, junk": within(saved("JPEG"), 2, b"x" * MANY),
    "jpeg, junk to the end": b"\xff\xd8" + b"x" * MANY,
    "png, texts": within(saved("PNG"), 33, chunk(b"teXt") * MANY),
    "png, pixels": within(saved("PNG"), 33, chunk(b"IDAT") * MANY),
    "png, at the end": within(saved("PNG"), len(saved("PNG")) - 12, chunk(b"teXt") * MANY),
    "gif, comment": gif_with(comment(MANY)),
    "gif, junk": gif_with(b"x" * MANY),
    "gif, junk to the end": b"GIF89a" + bytes(7) + b"x" * MANY,
    "tiff": tiff_of_strips(MANY, "<", big=False),
    "tiff, big-endian": tiff_of_strips(MANY, ">", big=False),
    "bigtiff": tiff_of_strips(MANY, "<", big=True),
}


@pytest.mark.parametrize("name", BOMBS)
def test_many_parts_are_too_many(name: str) -> None:
    with pytest.raises(RefusedError) as caught:
        verify(BOMBS[name], RULES, "")
    assert caught.value.refused == Refused(Reason.DAMAGED, "more than 50,000 parts in a file")


def test_counting_takes_no_time() -> None:
    """Of 20 MB, which Pillow reads for half a minute."""
    data = within(saved("JPEG"), 2, b"\xff" * 19_000_000)
    started = time.process_time()
    assert has_too_many_parts(data)
    assert time.process_time() - started < 5


PLAIN = {
    "jpeg": saved("JPEG"),
    "progressive": saved("JPEG", progressive=True),
    "jpeg, restart markers": saved("JPEG", restart_marker_blocks=1),
    "jpeg, filled before each marker": within(saved("JPEG"), 2, b"\xff" * 1000),
    "jpeg, comment of filling": saved("JPEG", comment=b"\xff" * 60_000),
    "png": saved("PNG"),
    "gif": saved("GIF", "P"),
    "gif, long comment": gif_with(comment(1000)),
    "tiff": saved("TIFF"),
    "tiff, rows": saved("TIFF", tiffinfo={278: 1}),
    "webp": saved("WEBP"),
    "bmp": saved("BMP"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_images_as_they_are_found_have_few(name: str) -> None:
    assert not has_too_many_parts(PLAIN[name])
    _, stored = verify(PLAIN[name], RULES, "")
    assert (stored.width, stored.height) == (800, 600)


@pytest.mark.parametrize("name", PLAIN)
def test_half_a_file_is_no_fault(name: str) -> None:
    for length in (*range(60), len(PLAIN[name]) // 2):
        assert not has_too_many_parts(PLAIN[name][:length])
