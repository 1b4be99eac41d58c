"""What is said of the use of an image: by the headers that come with it, and by its own metadata.

`X-Robots-Tag` as Google documents it, with the words that stop training; the reservation of rights
of the W3C's TDM protocol (article 4(3) of EU directive 2019/790); the preferences of the IETF's
AIPREF drafts; and in the XMP of the file the property Data Mining of the PLUS Coalition, which is
part of the IPTC Photo Metadata Standard since 2023.1. Each is read whole: a rule for another bot or
another use is noted, and does not bind.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol, get_args

from adc_plugins_search.download.outcomes import Reason, RefusedError

TOKEN = "adc-search"
"""The name by which rules for bots call this program."""

Rule = Literal["robots", "x-robots-tag", "tdm-reservation", "content-usage", "plus-data-mining"]
RULES: tuple[Rule, ...] = get_args(Rule)

_STOP = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})
_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_DATED = "unavailable_after"
_FOR_TRAINING = ("train-ai", "bots")
"""The preference that counts, and the wider one that counts where it is not given."""

_RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"
"""Is in every XMP packet, and in hardly an image without one."""
_TDM = b"http://www.w3.org/ns/tdmrep"
_PROPERTY = re.compile(
    rb":(DataMining|reservation|DigitalSourceType)\b"
    rb"""[^<>"']{0,99}+["'>]"""  # the end of an element's tag, or the quote before a value
    rb"\s{0,99}+([\w:/.#-]{1,99})"
)
_MAX_PROPERTIES = 100
_LONGEST_SEARCH = 4 << 20
_PROHIBITED = "DMI-PROHIBITED"
_GENERATIVE_ONLY = "DMI-PROHIBITED-GENAIMLTRAINING"
_SYNTHETIC = "trainedalgorithmicmedia"


class Headers(Protocol):
    """Header lines by name, as aiohttp gives them."""

    def getall(self, key: str, default: Sequence[str]) -> Sequence[str]:
        """Return every line of one name."""


@dataclass(frozen=True)
class Signal:
    """One thing that was said.

    Attributes:
        rule: which of the rules it belongs to; `digital-source-type` is none, and never binds.
        text: what was said, in short.
        binding: whether it forbids this use.
    """

    rule: Rule | Literal["digital-source-type"]
    text: str
    binding: bool


def refuse_opted_out(signals: Iterable[Signal], ignore: Collection[Rule]) -> None:
    """Refuse an image of which something is said that binds.

    Args:
        signals: what is said of it.
        ignore: rules that the user has chosen not to keep.

    Raises:
        RefusedError: its use is forbidden.
    """
    for signal in signals:
        if signal.binding and signal.rule not in ignore:
            raise RefusedError(Reason.OPTED_OUT, f"{signal.rule}: {signal.text}")


def signals_of(headers: Headers) -> list[Signal]:
    """Return everything that the headers of an image say about its use."""
    found = [
        Signal("x-robots-tag", text, binding)
        for line in headers.getall("X-Robots-Tag", ())
        for text, binding in robots_tag(line)
    ]
    if "1" in (line.strip() for line in headers.getall("tdm-reservation", ())):
        found.append(Signal("tdm-reservation", "1", True))
    usage = preferences(headers.getall("Content-Usage", ()))
    for name in _FOR_TRAINING:
        if name in usage:
            found.append(Signal("content-usage", f"{name}={usage[name]}", usage[name] == "n"))
            break
    return found


def robots_tag(line: str) -> Iterator[tuple[str, bool]]:
    """Return the words of one X-Robots-Tag line that stop a use, and whether this program's.

    A word may be followed by a value (`max-snippet: 5`), which is no bot's name; a bot's name
    scopes the rest of its line; and the date of `unavailable_after` holds commas of its own.
    """
    bot, in_date = "", False
    for item in line.split(","):
        word = item.strip().lower()
        if in_date and word[:1].isdigit():  # the rest of `Thu, 25 Jun 2030 15:00:00 PST`
            continue
        in_date = False
        while ":" in word:
            name, _, rest = word.partition(":")
            if name.strip() in _VALUED:
                in_date = name.strip() == _DATED
                word = ""
                break
            bot, word = name.strip(), rest.strip()
        if word in _STOP:
            scope = f"{bot}: " if bot else ""
            yield scope + word, bot in ("", "*", TOKEN)


def preferences(lines: Iterable[str]) -> Mapping[str, str]:
    """Return the members of a Content-Usage dictionary (RFC 8941); parameters are left out."""
    members = {}
    for item in ",".join(lines).split(","):
        name, equals, value = item.partition(";")[0].strip().lower().partition("=")
        if equals:
            members[name.strip()] = value.strip()
    return members


def signals_in(data: bytes) -> list[Signal]:
    """Return everything that the XMP metadata of an image say about its use.

    The bytes of the file are searched, not parsed, whatever its format: for Data Mining of PLUS,
    known by its value, a term of a vocabulary of its own, whatever its prefix; for `reservation` of
    the TDM protocol, where the protocol's namespace is named too; and for Digital Source Type of
    IPTC where it says that a model has drawn the image, which is good to know and no rule. An
    attribute, the text of an element and `rdf:resource` are read alike.

    A prohibition for generative models alone does not bind, for these datasets train classifiers.
    One with exceptions or conditions does, for nobody reads them here. Not found are XMP in UTF-16,
    which no JPEG may hold, packets that a PNG holds compressed, and what comes more than 4 MiB
    after the beginning of the first packet.
    """
    start = data.find(_RDF)
    if start < 0:
        return []
    found: dict[Signal, None] = {}
    properties = _PROPERTY.finditer(data, start, start + _LONGEST_SEARCH)
    for match in islice(properties, _MAX_PROPERTIES):
        name, word = match[1], match[2].rpartition(b"/")[2].decode("ascii")
        if name == b"DataMining" and (term := word.upper()).startswith("DMI-"):
            binding = term.startswith(_PROHIBITED) and term != _GENERATIVE_ONLY
            found[Signal("plus-data-mining", term, binding)] = None
        elif name == b"reservation" and word == "1" and _TDM in data:
            found[Signal("tdm-reservation", "1 in its XMP", True)] = None
        elif name == b"DigitalSourceType" and word.lower().endswith(_SYNTHETIC):
            found[Signal("digital-source-type", word, False)] = None
    return list(found)
