"""Text rules: images of the web that titles and sizes say are of no use."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Curation, Curator, Dataset, Findings, InputError

Rule = Literal[
    "no text",
    "short text",
    "few words",
    "many words",
    "common text",
    "small file",
    "small side",
    "long shape",
]

SETS: dict[str, tuple[Rule, ...]] = {
    "laion": ("no text", "short text", "small file"),
    "align": ("no text", "few words", "many words", "common text", "small side", "long shape"),
}
"""Rules of LAION-5B (arXiv 2210.08402) and ALIGN (arXiv 2102.05918), as far as titles and sizes
tell; each is the reason of what no rule before it has met."""

LEAST_LETTERS, LEAST_BYTES, LEAST_SIDE = 5, 5000, 201
FEWEST_WORDS, MOST_WORDS, MOST_SHARED, LONGEST = 3, 20, 10, 3.0

Mask = NDArray[np.bool_]


def text_rule(rule: Rule, sources: pa.Table) -> Mask:
    """Mark the samples that a rule leaves out; one whose value is not known is left in.

    Args:
        rule: a text shorter than 5 letters, a file below 5,000 bytes; fewer than 3 or more than 20
            words, a text that more than 10 samples share (in any case, without spaces around), a
            side of 200 pixels or less, sides of 1 to 3 or more.
        sources: a row for each sample, with the columns that the rule reads: `title`, `bytes`, or
            `width` and `height`.

    Raises:
        InputError: a column is missing.
    """
    return _RULES[rule](_Columns(sources, rule))


class _Columns:
    """What rules read of a table of sources."""

    def __init__(self, sources: pa.Table, rule: str) -> None:
        self._sources, self._rule = sources, rule

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self._sources.column_names:
            raise InputError(
                f'the rule "{self._rule}" reads the column {name} of the sources, which have '
                f"{', '.join(self._sources.column_names) or 'none'}: leave out the rule"
            )
        return self._sources[name]

    def texts(self) -> pa.ChunkedArray:
        """Return N titles in lower case without spaces around; empty where there is none."""
        titles = self._column("title").cast(pa.string()).fill_null("")
        return pc.utf8_lower(pc.utf8_trim_whitespace(titles))

    def letters(self) -> NDArray[np.int64]:
        return _numbers(pc.utf8_length(self.texts())).astype(np.int64)

    def words(self) -> NDArray[np.int64]:
        return _numbers(pc.count_substring_regex(self.texts(), r"\S+")).astype(np.int64)

    def shared(self) -> NDArray[np.int64]:
        _, place, counts = np.unique(
            np.asarray(self.texts().dictionary_encode().combine_chunks().indices),
            return_inverse=True,
            return_counts=True,
        )
        found: NDArray[np.int64] = counts[place]
        return found

    def number(self, name: str) -> NDArray[np.float64]:
        """Return N numbers, NaN where nothing is known."""
        return _numbers(self._column(name))

    def sides(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the shorter and the longer side of each image."""
        width, height = self.number("width"), self.number("height")
        return np.minimum(width, height), np.maximum(width, height)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)


def _long(columns: _Columns) -> Mask:
    short, long = columns.sides()
    return np.asarray(long >= LONGEST * short)


_RULES: dict[Rule, Callable[[_Columns], Mask]] = {
    "no text": lambda of: of.letters() == 0,
    "short text": lambda of: of.letters() < LEAST_LETTERS,
    "few words": lambda of: of.words() < FEWEST_WORDS,
    "many words": lambda of: of.words() > MOST_WORDS,
    "common text": lambda of: (of.shared() > MOST_SHARED) & (of.letters() > 0),
    "small file": lambda of: of.number("bytes") < LEAST_BYTES,
    "small side": lambda of: of.sides()[0] < LEAST_SIDE,
    "long shape": _long,
}


class TextRules(Curator):
    """Leaves out images whose title or size says that they are of no use, as LAION and ALIGN do.

    Reads `title`, `bytes`, `width` and `height` of the sources. The first rule that is met is the
    reason. A cheap first pass over what was collected; it says nothing of labels.

    Traps: numbers of words suit languages that write spaces. A title that many samples share may
    be a shop's, of good images.
    """

    rules: Literal["laion", "align"] | tuple[Rule, ...] = Field(
        default="laion", description="a set of rules, or their names in the order of their reasons"
    )

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Leave out what any rule is met by, whatever detectors say.

        Raises:
            InputError: the dataset has no sources, or they lack a column that a rule reads.
        """
        if dataset.sources is None:
            raise InputError(
                "text-rules reads the sources, which the dataset does not have: collect it, or "
                "give a manifest with the columns title, bytes, width and height"
            )
        rules = SETS[self.rules] if isinstance(self.rules, str) else self.rules
        reasons = np.full(len(dataset), "", dtype=object)
        for rule in reversed(rules):
            reasons[text_rule(rule, dataset.sources)] = rule
        rows = np.flatnonzero(reasons != "")
        notes = [f"{rule}: {int((reasons == rule).sum()):,}" for rule in rules]
        return Curation.of(dataset, drop=rows, reasons=reasons[rows].tolist(), notes=notes)
