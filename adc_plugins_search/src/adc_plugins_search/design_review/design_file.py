"""A design as a file that a person reads and edits: words chosen, words rejected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from adc_core import InputError
from adc_core.storage import atomic_file, translate_os_errors
from adc_plugins_search.designers.file import read_design

Place = tuple[str, str]
"""A class and an attribute."""

_HEAD = """\
# A design, for `designer: {use: file, path: …}` of a pipeline. It is yours to edit: `adc design`
# keeps what you add and what you take away. It does not offer words under `rejected` again.
"""


@dataclass
class DesignFile:
    """What was decided.

    Attributes:
        classes: in their order.
        chosen: place to the words that the design holds; none: the class has not this attribute.
        rejected: place to words that must not be offered again.
        omit_from_query: values that the images have but the query leaves out.
        extras: what else is in the file: `template`, `samples_per_query`.
    """

    classes: tuple[str, ...] = ()
    chosen: dict[Place, tuple[str, ...]] = field(default_factory=dict)
    rejected: dict[Place, tuple[str, ...]] = field(default_factory=dict)
    omit_from_query: tuple[str, ...] = ()
    extras: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "DesignFile":
        """Return what a design file says.

        Raises:
            InputErrors: it cannot be read or says something wrong.
            InputError: its queries are written out.
        """
        written = read_design(path)
        if written.queries:
            raise InputError(f"{path}: queries are written out: give another --to")
        rejected = {
            (name, attribute): words
            for name, attributes in written.rejected.items()
            for attribute, words in attributes.items()
        }
        chosen = {
            (name, attribute): words
            for name, attributes in written.values_of.items()
            for attribute, words in attributes.items()
        }
        extras = written.model_dump(include={"template", "samples_per_query"}, exclude_none=True)
        chosen |= {place: () for place in rejected if place not in chosen}
        return cls(written.classes, chosen, rejected, written.omit_from_query, extras)

    def differences(self, before: "DesignFile") -> Iterator[str]:
        """Return what a person changed since, one line per place."""
        for place in dict.fromkeys((*before.chosen, *self.chosen)):
            now, then = self.chosen.get(place, ()), before.chosen.get(place, ())
            words = [f"+ {word}" for word in now if word not in then]
            words += [f"− {word}" for word in then if word not in now]
            if words:
                yield f"{' · '.join(place)}: {', '.join(words)}"

    def reject_what_was_removed(self, before: "DesignFile") -> None:
        """Reject words that were there before and were removed by hand."""
        for place, words in before.chosen.items():
            chosen, rejected = self.chosen.setdefault(place, ()), self.rejected.get(place, ())
            gone = (word for word in words if word not in (*chosen, *rejected))
            self.rejected[place] = (*rejected, *gone)

    def put(self, place: Place, chosen: tuple[str, ...], rejected: tuple[str, ...]) -> None:
        """Note what was decided about an attribute of a class."""
        self.classes = tuple(dict.fromkeys((*self.classes, place[0])))
        self.chosen[place] = chosen
        self.rejected[place] = rejected

    def text(self) -> str:
        """Return the file."""
        table: dict[str, Any] = {
            "classes": list(self.classes),
            "by_class": _nested(self.chosen),
        }
        if rejected := _nested(self.rejected):
            table["rejected"] = rejected
        if self.omit_from_query:
            table["omit_from_query"] = list(self.omit_from_query)
        body = yaml.safe_dump(
            table | self.extras,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=None,
            width=100,
        )
        return _HEAD + body

    def write(self, path: Path) -> None:
        """Write the file whole or not at all.

        Raises:
            WorkError: the disk refuses.
        """
        with translate_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as part:
            part.write_text(self.text(), encoding="utf-8")


def _nested(words_of: Mapping[Place, tuple[str, ...]]) -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = {}
    for (name, attribute), words in words_of.items():
        if words:
            table.setdefault(name, {})[attribute] = list(words)
    return table
