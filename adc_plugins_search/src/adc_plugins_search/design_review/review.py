"""A person looks at proposals in the terminal, rejects, adds, asks for more, and accepts."""

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from adc_core import InputError, WorkError
from adc_plugins_search.design_review.design_file import DesignFile, Place
from adc_plugins_search.terms.normalize import canonical_key
from adc_plugins_search.terms.proposals import Groups, Proposal
from adc_plugins_search.terms.select_diverse import select_diverse

HELP = """\
  - WORD, WORD   reject words; they are not offered again
  + WORD, WORD   take words, offered ones or your own
  more [N]       take N more (5), asking the designer where all are taken
  show           show all words again
  next           accept these words and go on; an empty line does the same
  back           go back to the attribute before
  accept         accept this and all that follows as proposed
  quit           stop; the same command goes on from here
"""
_MORE = 5
_BY_HAND = "by hand"


class QuitError(Exception):
    """The person stopped before accepting."""


@dataclass
class Section:
    """One attribute of one class under review.

    Attributes:
        groups: all words on offer, by group.
        chosen: those taken.
        rejected: those that must not be offered.
    """

    place: Place
    groups: dict[str, tuple[str, ...]]
    chosen: tuple[str, ...]
    rejected: tuple[str, ...] = ()

    @property
    def offered(self) -> dict[str, tuple[str, ...]]:
        """The groups without words that were rejected."""
        gone = {canonical_key(word) for word in self.rejected}
        return {
            name: tuple(word for word in words if canonical_key(word) not in gone)
            for name, words in self.groups.items()
        }

    def add_group(self, name: str, words: tuple[str, ...]) -> None:
        """Put words on offer that are not there yet."""
        there = {canonical_key(word) for own in self.groups.values() for word in own}
        fresh = tuple(word for word in words if canonical_key(word) not in there)
        if fresh:
            self.groups[name] = (*self.groups.get(name, ()), *fresh)

    def reject(self, word: str) -> str | None:
        """Reject a word; what to say if it is not there."""
        key = canonical_key(word)
        on_offer = (*self.chosen, *(one for own in self.offered.values() for one in own))
        found = next((one for one in on_offer if canonical_key(one) == key), None)
        if found is None:
            return f"{word!r} is not there"
        self.chosen = tuple(one for one in self.chosen if canonical_key(one) != key)
        self.rejected = (*self.rejected, found)
        return None

    def take(self, word: str) -> str | None:
        """Take a word; what to say if it is taken already."""
        key = canonical_key(word)
        if same := next((one for one in self.chosen if canonical_key(one) == key), None):
            return f"{word!r} is there" + ("" if same == word else f", as {same!r}")
        self.rejected = tuple(one for one in self.rejected if canonical_key(one) != key)
        on_offer = (one for own in self.groups.values() for one in own)
        known = next((one for one in on_offer if canonical_key(one) == key), None)
        self.add_group(_BY_HAND, (word,))
        self.chosen = (*self.chosen, known or word)
        return None

    def lines(self) -> Iterator[str]:
        """Return the words by group, taken ones with a star."""
        size = max((len(name) for name in self.groups), default=0)
        for name, words in self.offered.items():
            if words:
                marked = [f"*{one}" if one in self.chosen else one for one in words]
                yield from _wrapped(f"  {name:<{size}}  ", marked)
        yield from self.summary()

    def summary(self) -> Iterator[str]:
        """Return the words that are taken, and those that are rejected."""
        total = sum(map(len, self.offered.values()))
        yield from _wrapped(f"  {len(self.chosen)} of {total} taken: ", self.chosen)
        if self.rejected:
            yield from _wrapped("  rejected: ", self.rejected)


def _wrapped(head: str, words: Sequence[str]) -> list[str]:
    """Return words behind a head, on as many lines as they need; no word is broken."""
    width = max(40, min(100, shutil.get_terminal_size().columns))
    text = ", ".join(word.replace(" ", "\xa0") for word in words)
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\xa0", " ") for line in lines] or [head.rstrip()]


def section_of(proposal: Proposal, design_file: DesignFile) -> Section:
    """Return a proposal after earlier decisions: the design file's words win."""
    place = (proposal.class_name, proposal.attribute)
    groups = {name: tuple(words) for name, words in proposal.groups.items()}
    section = Section(place, groups, proposal.chosen, design_file.rejected.get(place, ()))
    if place in design_file.chosen:
        section.chosen = design_file.chosen[place]
        section.add_group(_BY_HAND, section.chosen)
    return section


def review(
    sections: Iterator[Section],
    more: Callable[[Section, int], Groups],
    save: Callable[[Section], None],
    *,
    ask: bool,
) -> None:
    """Show one section after the other and do what the person says.

    Args:
        sections: made one by one, as the review comes to them.
        more: further words for a section.
        save: keeps what was decided; called after every change.
        ask: whether there is a person; else all is accepted as proposed.

    Raises:
        QuitError: the person stopped, or the input ended.
    """
    seen: list[Section] = []
    place = 0
    while True:
        if place == len(seen):
            section = next(sections, None)
            if section is None:
                return
            seen.append(section)
            save(section)
        section = seen[place]
        step = _ask_about(section, more, save) if ask else "next"
        ask = ask and step != "accept"
        place = max(0, place - 1) if step == "back" else place + 1


def _ask_about(
    section: Section, more: Callable[[Section, int], Groups], save: Callable[[Section], None]
) -> str:
    """Do what the person says until it leads away: `next`, `back` or `accept`."""
    print(f"\n{' · '.join(section.place)}")
    print(*section.lines(), sep="\n")
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            print()
            raise QuitError from None
        if not sys.stdin.isatty():
            print(line)
        word, _, rest = line.partition(" ")
        if word in ("", "next"):
            return "next"
        if word in ("back", "accept"):
            return word
        if word == "quit":
            raise QuitError
        if word[0] in "-+−":
            for one in filter(None, (" ".join(part.split()) for part in line[1:].split(","))):
                said = section.take(one) if word[0] == "+" else section.reject(one)
                if said:
                    print(f"  {said}")
        elif word == "more" and (rest or "1").isdecimal():
            _take_more(section, int(rest or _MORE), more)
        elif word == "show":
            print(*section.lines(), sep="\n")
            continue
        else:
            print(HELP, end="")
            continue
        save(section)
        print(*section.summary(), sep="\n")


def _take_more(section: Section, count: int, more: Callable[[Section, int], Groups]) -> None:
    attribute = section.place[1]
    picked = select_diverse(section.offered, attribute, count, section.chosen)
    if len(picked) < count:
        try:
            found = more(section, count - len(picked))
        except (InputError, WorkError) as error:
            print(f"  {error}")
            found = {}
        for name, words in found.items():
            section.add_group(name, tuple(words))
        picked = select_diverse(section.offered, attribute, count, section.chosen)
    print(f"  more: {', '.join(picked) or 'none, there are no others'}")
    section.chosen = (*section.chosen, *picked)
