"""The page of a dataset's health: what the template is given."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adc_core.reporting import data_url, page_environment
from adc_core.runs import PIPELINE, name_of, read_record, said
from adc_core.storage import SPLIT, atomic_file
from adc_plugins_detect.health import wording
from adc_plugins_detect.health.assessment import Health
from adc_plugins_detect.health.checks import (
    EXACT_COPY,
    NEAR_COPY,
    OTHER_LABEL,
    OUTLIER,
    SampleCheck,
)
from adc_plugins_detect.health.files import PAGE

SHOWN = 12
"""Images of one check, or pairs of copies."""

_SIDE = 96
_COPIES = {EXACT_COPY, NEAR_COPY, OTHER_LABEL}


class Card(NamedTuple):
    """One image that a check has found, or two that are copies.

    Attributes:
        images: data URLs, with the names of the samples and their classes.
        note: what was measured.
    """

    images: tuple[tuple[str, str, str], ...]
    note: str


def write_page(health: Health, folder: Path) -> None:
    """Write the page into the run directory; needs `adc-plugins-detect[page]`.

    Raises:
        WorkError: the disk refuses.
    """
    try:
        environment = page_environment("adc_plugins_detect.health")
    except ImportError as error:
        warnings.warn(
            f"no page is written ({error.name} is missing): pip install 'adc-plugins-detect[page]'",
            stacklevel=2,
        )
        return
    template = environment.get_template("health.html.j2")
    record = read_record(folder)
    pipeline = (folder / PIPELINE).read_text(encoding="utf-8")
    page = template.render(
        title=folder.resolve().name,
        record=record,
        pipeline=pipeline,
        facts=list(_facts(health)),
        checks=list(wording.checks(health)),
        galleries=list(_galleries(health)),
        radius=6 if health.duplicates is None else health.duplicates.radius,
        leaks=[wording.leak(found) for found in wording.leaks(health)],
        broken=[(name_of(health.given, one.row), said(one)) for one in health.broken[:SHOWN]],
        evidence=list(wording.evidence(health.evidence)),
        class_head=wording.class_head(health),
        class_rows=[wording.class_row(one) for one in health.classes],
        confusions=[
            wording.confusion(pair, health.dataset.classes) for pair in health.confusions[:SHOWN]
        ],
        overlaps=[
            wording.overlap(pair, health.dataset.classes) for pair in health.overlaps[:SHOWN]
        ],
        orders=[wording.order(test) for test in health.orders],
    )
    with atomic_file(folder / PAGE) as part:
        part.write_text(page, encoding="utf-8")


def _facts(health: Health) -> Iterator[tuple[str, str]]:
    """Yield the few figures at the top of the page."""
    yield "samples", f"{len(health.given):,}"
    yield "classes", str(len(health.given.classes))
    if SPLIT in health.given.columns:
        yield "splits", str(len(np.unique(health.given.columns[SPLIT])))
    yield "cannot be used", f"{len(health.broken):,}"
    yield "without any finding", wording.percent(health.sound / len(health.given))


def _galleries(health: Health) -> Iterator[tuple[str, int, str, list[Card]]]:
    """Give name, count, measure and the first cards of each check that found something."""
    if health.dataset.images is None:
        return
    for check in health.checks:
        how = f"{check.measure}: {check.threshold}"
        if len(check.worst):
            made = _pairs(health, check) if check.name in _COPIES else _singles(health, check)
            yield check.name, len(check.worst), how, list(made)
        elif check.name == OUTLIER and check.values is not None:
            farthest = check._replace(worst=np.argsort(-check.values, kind="stable"))
            yield (
                "farthest samples, none beyond the limit",
                0,
                how,
                list(_singles(health, farthest)),
            )


def _singles(health: Health, check: SampleCheck) -> Iterator[Card]:
    for row in check.worst[:SHOWN].tolist():
        note = "" if check.values is None else f"{check.values[row]:.3g}"
        yield Card((_image(health, row),), note)


def _pairs(health: Health, check: SampleCheck) -> Iterator[Card]:
    """Show samples beside the first of their group, which is shown beside its next one."""
    assert health.duplicates is not None
    duplicates, labels = health.duplicates, health.dataset.labels
    groups = duplicates.exact_group if check.name == EXACT_COPY else duplicates.group
    shown: set[int] = set()
    for row in sorted(check.worst.tolist(), key=lambda row: (int(groups[row]) == row, row)):
        first = int(groups[row])
        if row == first and first in shown:
            continue
        other = int(np.flatnonzero(groups == first)[1]) if row == first else first
        if check.name == OTHER_LABEL and labels[row] == labels[other]:
            continue
        shown.add(first)
        bits = f"{duplicates.bits[row]} of 64 bits differ from its most similar copy"
        note = "" if check.name == EXACT_COPY else bits
        yield Card((_image(health, other), _image(health, row)), note)
        if len(shown) == SHOWN:
            return


def _image(health: Health, row: int) -> tuple[str, str, str]:
    dataset = health.dataset
    url = data_url(dataset.images, row, _SIDE)
    return url, name_of(dataset, row), dataset.classes[dataset.labels[row]]
