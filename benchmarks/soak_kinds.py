"""The kinds of answer that `soak.py` meets: what is sent, what must become of it, and how often.

`KINDS` is the table. From it come the addresses of a collection, and afterwards what went wrong.
"""

import io
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from PIL import Image
from soak_answers import (
    HOSTS,
    MAX_BYTES,
    bomb,
    content,
    good,
    gzip_bomb,
    image_bytes,
    once,
    packed,
    raw,
    redirect,
    repeated,
    reset_at_once,
    reset_within,
    short,
    sideways,
    silence,
    sixteen_bits,
    status,
    tagged,
    truncated,
    until_closed,
)

from adc_plugins_rehearse.conditions import XMP
from adc_plugins_search.download.outcomes import Reason

if TYPE_CHECKING:
    from soak_server import Serving

CLOSED_FOLDER = HOSTS[:5]
"""Hosts whose robots.txt excludes a folder."""
SILENT_ON_RULES = HOSTS[-1]
"""The host whose robots.txt cannot be read."""
FAULTY = 0.3
KEPT, MISSING = "kept", "MISSING"

Answer = Callable[["Serving"], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """One kind of answer.

    Attributes:
        answer: sends it.
        expected: why the image is refused; None where it is kept.
        weight: how often it is met beside other kinds; kinds that keep a client waiting are rarer.
        hosts: where it is met.
        url: its address, where that is not one of the server.
    """

    answer: Answer
    expected: Reason | None = None
    weight: int = 4
    hosts: tuple[str, ...] = tuple(HOSTS[:-1])
    url: str = "http://{host}:{port}/{kind}/{number}.jpg"


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
    yield "reset", Kind(of(reset_at_once), Reason.SERVER_ERROR)
    yield "reset-within", Kind(of(reset_within), Reason.SERVER_ERROR)
    yield "short-body", Kind(of(short), Reason.SERVER_ERROR)
    yield "endless-body", Kind(of(repeated, bytes(50_000), 0.001), Reason.TOO_LARGE)
    yield "announced-large", Kind(of(content, bytes(MAX_BYTES + 1)), Reason.TOO_LARGE)
    yield "drip", Kind(of(repeated, b"\xff", 1.0), Reason.TOO_SLOW, weight=1)
    yield "too-long", Kind(of(repeated, bytes(500), 0.1), Reason.TOO_SLOW, weight=1)
    yield "silence", Kind(of(silence), Reason.TOO_SLOW, weight=1)
    head = b"HTTP/1.1 200 OK\r\nX: "
    yield "header-drip", Kind(of(repeated, b"y", 1.0, head), Reason.TOO_SLOW, weight=1)
    yield "header-huge", Kind(of(raw, head + b"y" * 100_000 + b"\r\n\r\n"), Reason.SERVER_ERROR)
    yield "header-endless", Kind(of(repeated, b"X: y\r\n" * 99, 0.001, head), Reason.SERVER_ERROR)
    yield "no-http", Kind(of(raw, b"\xff\xfe"), Reason.SERVER_ERROR)
    yield "no-status", Kind(of(raw, b"HTTP/1.1 999999 No\r\n\r\n"), Reason.SERVER_ERROR)
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    yield "no-chunks", Kind(of(raw, chunks), Reason.SERVER_ERROR)
    page = b"<!DOCTYPE html><title>Not here</title>"
    yield "html", Kind(of(content, page, "Content-Type: image/jpeg"), Reason.NOT_AN_IMAGE)
    yield "empty", Kind(of(content, b""), Reason.NOT_AN_IMAGE)
    yield "truncated", Kind(of(truncated), Reason.DAMAGED)
    yield "gzip", Kind(of(packed))
    zeros = of(content, gzip_bomb(), "Content-Encoding: gzip")
    yield "gzip-bomb", Kind(zeros, Reason.TOO_LARGE)
    not_packed = of(content, b"no gzip", "Content-Encoding: gzip")
    yield "gzip-broken", Kind(not_packed, Reason.SERVER_ERROR)
    for side in (11_000, 50_000):  # Pillow only warns of the first
        yield f"bomb-{side}", Kind(of(content, bomb(side)), Reason.TOO_MANY_PIXELS)
    dot = io.BytesIO()
    Image.new("RGB", (1, 1)).save(dot, "GIF")
    yield "pixel", Kind(of(content, dot.getvalue()), Reason.TOO_SMALL)
    yield "same-picture", Kind(of(content, image_bytes(0)), Reason.DUPLICATE)
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
    yield "xmp", Kind(of(tagged, XMP), Reason.OPTED_OUT)
    for name, term in (("generative", b"PROHIBITED-GENAIMLTRAINING"), ("allowed", b"ALLOWED")):
        packet = XMP.replace(b"PROHIBITED-AIMLTRAINING", term)
        yield f"xmp-{name}", Kind(of(tagged, packet), weight=1)
    yield "closed", Kind(of(good), Reason.ROBOTS, hosts=tuple(CLOSED_FOLDER))
    yield "rules-unknown", Kind(of(good), Reason.ROBOTS, hosts=(SILENT_ON_RULES,))


KINDS = dict(_kinds())


def choose(count: int, rng: random.Random) -> list[str]:
    """The kind of each address; the first is good, for a later kind repeats its image."""
    names = [name for name, kind in KINDS.items() if kind.weight]
    faults = round(FAULTY * count)
    kinds = names[:faults]  # each once, as far as they go
    kinds += rng.choices(names, [KINDS[name].weight for name in names], k=faults - len(kinds))
    kinds += ["good"] * (count - 1 - len(kinds))
    rng.shuffle(kinds)
    return ["good", *kinds]


def addresses(kinds: list[str], port: int, unused: int, rng: random.Random) -> dict[str, str]:
    """The kind of each address, by address."""
    found = {}
    for number, name in enumerate(kinds):
        kind = KINDS[name]
        host = rng.choice(kind.hosts)
        url = kind.url.format(host=host, port=port, unused=unused, kind=name, number=number)
        found[url] = name
    return found


def outcomes(folder: Path, urls: dict[str, str]) -> tuple[Counter[tuple[str, str]], list[str]]:
    """How many of each kind ended how, and what is wrong."""
    refused = pq.read_table(folder / "refused.parquet").to_pylist()
    kept = Counter(pq.read_table(folder / "hits.parquet", columns=["url"])["url"].to_pylist())
    reasons: dict[str, list[dict[str, str]]] = {}
    for row in refused:
        reasons.setdefault(row["url"], []).append(row)
    counts: Counter[tuple[str, str]] = Counter()
    wrong = []
    for url, name in urls.items():
        rows = reasons.get(url, [])
        ended = [row["reason"] for row in rows] or [KEPT] * kept[url]
        expected = KINDS[name].expected or KEPT
        counts[name, " and ".join(ended) or MISSING] += 1
        if ended != [expected]:
            details = ", ".join(row["detail"] for row in rows)
            wrong.append(f"{url}: {ended or MISSING} ({details}), not {expected}")
    strangers = (set(kept) | set(reasons)) - set(urls)
    return counts, wrong + [f"{url}: nobody has asked for it" for url in strangers]
