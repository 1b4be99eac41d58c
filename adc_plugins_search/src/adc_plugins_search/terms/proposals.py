"""What a designer offers for one attribute of one class: values in groups, some of them chosen."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from adc_core import Brief

Groups = Mapping[str, Sequence[str]]
"""Group to values."""


@dataclass(frozen=True)
class Proposal:
    """Values to choose from.

    Attributes:
        class_name: the class that they describe.
        attribute: what they describe of it.
        groups: all of them, by group.
        chosen: those that the designer would take.
    """

    class_name: str
    attribute: str
    groups: Groups
    chosen: tuple[str, ...]


@runtime_checkable
class Proposer(Protocol):
    """A designer that offers more values than it takes."""

    def propose(self, brief: Brief) -> Iterator[Proposal]:
        """Return one proposal for each attribute of each class, made when it is asked for."""

    def more(
        self, brief: Brief, class_name: str, attribute: str, count: int, known: Collection[str]
    ) -> Groups:
        """Return further values, none of which is known; nothing where there are no more."""


@runtime_checkable
class Prompting(Protocol):
    """A designer that asks a model."""

    def prompts(self, brief: Brief) -> Iterator[tuple[str, str]]:
        """Return title and text of what it would ask, without asking."""
