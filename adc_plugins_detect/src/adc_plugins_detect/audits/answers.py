"""The list of labels to look at: written empty, read when somebody has filled it in."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import InputError
from adc_core.errors import InputErrors

COLUMNS = ("number", "id", "path", "given", "wrong", "true_label")
"""A person fills in `wrong`, and `true_label` where they like."""

_NEEDED = {"number", "wrong"}
_WORDS = {
    **dict.fromkeys(("yes", "y", "true", "1"), 1.0),
    **dict.fromkeys(("no", "n", "false", "0"), 0.0),
    **dict.fromkeys(("not sure", "unsure", "?"), 0.5),
}
_NONE = "none"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Look(NamedTuple):
    """A label to look at.

    Attributes:
        id: of the sample.
        path: of its image file as the dataset names it, or empty.
        given: name of the given class.
    """

    id: str
    path: str
    given: str


def table_to_fill_in(looks: Sequence[Look]) -> str:
    """Write the list as CSV, numbered from 1, with nothing under `wrong`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, look in enumerate(looks, 1):
        writer.writerow((number, *map(_without_formula, look), "", ""))
    return text.getvalue()


def read_answers(path: Path, given: Sequence[str], classes: Sequence[str]) -> NDArray[np.float64]:
    """Read what was filled in; lines may be in any order, and be missing.

    Args:
        path: the list, with commas, semicolons or tabs, as spreadsheets save it.
        given: names of the given classes, in the order of the numbers.
        classes: all names, for `true_label`.

    Returns:
        n numbers: 1 the label is wrong, 0 right, 0.5 not sure, NaN no answer.

    Raises:
        InputError: the file cannot be read, or lines of it; each has a line in the message.
    """
    rows = _rows(path)
    answers = np.full(len(given), np.nan)
    seen: dict[int, int] = {}
    faults = []
    for line, row in rows:
        where = f"{path}, line {line}"
        text = row["number"]
        number = int(text) if text.isdecimal() else 0
        if not 1 <= number <= len(given):
            faults.append(f"{where}: number is {text!r}: the audit has the numbers 1…{len(given)}")
            continue
        if number in seen:
            faults.append(
                f"{where}: duplicate number {number}, also in line {seen[number]}: remove one"
            )
            continue
        seen[number] = line
        try:
            answers[number - 1] = _answer(row, given[number - 1], classes)
        except InputError as error:
            faults.append(f"{where}: {error}")
    if faults:
        raise InputErrors(faults)
    return answers


def _answer(row: dict[str, str], given: str, classes: Sequence[str]) -> float:
    word, label = row["wrong"].lower(), row.get("true_label", "")
    if word and word not in _WORDS:
        raise InputError(f"wrong is {row['wrong']!r}: write yes, no or not sure, or leave it empty")
    stated = _WORDS[word] if word else np.nan
    if not label:
        return stated
    if label not in classes and label != _NONE:
        raise InputError(
            f"true_label {label!r} is not a class: {', '.join(classes)}, or {_NONE} of them"
        )
    by_label = float(label != given)
    if stated in (0.0, 1.0) and stated != by_label:
        is_it = "is not" if by_label else "is"
        raise InputError(
            f"wrong is {row['wrong']}, but true_label {is_it} the given {given}: correct one of "
            "the two"
        )
    return stated if stated == 0.5 else by_label


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Read the lines with their numbers, texts without spaces around."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: save it as CSV UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
        if missing := sorted(_NEEDED - set(header)):
            raise InputError(f"{path} has no column {' and no '.join(missing)}: it has {header}")
        return [
            (reader.line_num, dict(zip(header, [*map(str.strip, row), *[""] * len(header)],
                                       strict=False)))
            for row in reader
            if any(field.strip() for field in row)
        ]  # fmt: skip
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from None


def _without_formula(text: str) -> str:
    """Put a quote before a text that a spreadsheet would calculate."""
    return f"'{text}" if text.startswith(_FORMULA) else text
