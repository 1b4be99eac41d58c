"""What a server says of the use of its pictures, in the headers that it sends with them.

`X-Robots-Tag` as Google documents it, with the words that stop training; the reservation of rights
of the W3C's TDM protocol (article 4(3) of EU directive 2019/790); the preferences of the IETF's
AIPREF drafts. Each is read whole: a rule for another bot is noted, and does not bind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

TOKEN = "adc-search"
"""The name by which rules for bots call this program."""

Rule = Literal["robots", "x-robots-tag", "tdm-reservation", "content-usage"]
RULES: tuple[Rule, ...] = get_args(Rule)

_STOP = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})
_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_DATED = "unavailable_after"
_FOR_TRAINING = ("train-ai", "bots")
"""The preference that counts, and the wider one that stands in where it is not given."""


class Headers(Protocol):
    """Header lines by name, as aiohttp gives them."""

    def getall(self, key: str, default: Sequence[str]) -> Sequence[str]:
        """Every line of one name."""


@dataclass(frozen=True)
class Signal:
    """One thing that a server has said.

    Attributes:
        rule: which of the rules it belongs to.
        text: what was said, in short.
        binding: whether it forbids this use.
    """

    rule: Rule
    text: str
    binding: bool


def signals_of(headers: Headers) -> list[Signal]:
    """Everything that the headers of a picture say about its use."""
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
    """The words of one X-Robots-Tag line that stop a use, and whether this program's.

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
    """The members of a Content-Usage dictionary (RFC 8941); parameters are left out."""
    members = {}
    for item in ",".join(lines).split(","):
        name, equals, value = item.partition(";")[0].strip().lower().partition("=")
        if equals:
            members[name.strip()] = value.strip()
    return members
