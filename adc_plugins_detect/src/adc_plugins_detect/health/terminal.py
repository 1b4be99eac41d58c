"""The health of a dataset on the terminal."""

from collections.abc import Iterator

from adc_core.reporting import table
from adc_plugins_detect.health import wording
from adc_plugins_detect.health.assessment import Health

SHOWN = 5
"""Pairs of classes that are printed; the files have all."""

MOST_CLASSES = 20


def printed(health: Health) -> Iterator[str]:
    """Yield the parts of what is printed, one after another, in words."""
    rows = [
        [name, f"{count:,}", wording.percent(share), names]
        for name, count, share, names, _ in wording.checks(health)
    ]
    if rows:
        yield _table(["check", "found", "share", "for example"], rows)
    if health.duplicates is not None and health.duplicates.radius < 6:
        yield (
            "These images look so much alike that only hashes within "
            f"{health.duplicates.radius} of 64 bits are taken for copies."
        )
    if health.leaks:
        yield "\n".join(wording.leak(found) for found in wording.leaks(health))
    if said := " ".join(wording.evidence(health.evidence)):
        yield said
    classes = health.classes[:MOST_CLASSES]
    rows = [wording.class_row(one) for one in classes]
    more = len(health.classes) - len(classes)
    yield _table(wording.class_head(health), rows) + (f"\n… {more} more" if more else "")
    names = health.dataset.classes
    if health.confusions:
        rows = [[*wording.confusion(pair, names)] for pair in health.confusions[:SHOWN]]
        yield _table(["labelled", "predicted", "samples", "even spread"], rows, texts=2)
    if health.overlaps:
        rows = [[*wording.overlap(pair, names)] for pair in health.overlaps[:SHOWN]]
        yield _table(["classes among each other", "neighbors", "by chance"], rows)
    yield from (wording.order(test) for test in health.orders)


def _table(head: list[str], rows: list[list[str]], texts: int = 1) -> str:
    printable = [
        ["".join(letter if letter.isprintable() else "?" for letter in cell) for cell in row]
        for row in rows
    ]
    if head[-1] == "for example":  # the last column begins on one line, as texts do
        lines = table(head[:-1], [row[:-1] for row in printable]).splitlines()
        ends = [head[-1], *(row[-1] for row in printable)]
        return "\n".join(
            f"{line}  {end}".rstrip() for line, end in zip(_even(lines), ends, strict=True)
        )
    return table(head, printable, texts=texts)


def _even(lines: list[str]) -> list[str]:
    width = max(map(len, lines))
    return [line.ljust(width) for line in lines]
