"""The folder of an audit: a list to fill in, images, a page to look at, and the plan."""

import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from adc_core import Dataset, ImageFiles, InputError, WorkError, progress
from adc_core.storage import atomic_folder
from adc_plugins_detect.audits.answers import COLUMNS, Look, table_to_fill_in
from adc_plugins_detect.noise.audit import AuditSample

LIST, PLAN, PAGE, ANSWER, IMAGES = "audit.csv", "plan.json", "index.html", "audit.json", "images"

_SIDE = 512
"""Longer images are shrunk to so many pixels."""


def looks_at(dataset: Dataset, sample: AuditSample) -> list[Look]:
    """Name the labels to look at, in their order."""
    paths = dataset.images.paths if isinstance(dataset.images, ImageFiles) else None
    return [
        Look(
            str(dataset.ids[row]),
            "" if paths is None else str(paths[row]),
            dataset.classes[dataset.labels[row]],
        )
        for row in sample.rows.tolist()
    ]


def write_audit(dataset: Dataset, sample: AuditSample, folder: Path) -> None:
    """Write the folder, whole or not at all.

    The strata are in the plan alone, so that the judge does not know what is suspected.

    Raises:
        InputError: an image cannot be read.
        WorkError: the disk refuses.
    """
    looks = looks_at(dataset, sample)
    with atomic_folder(folder, folder.with_name(f".{folder.name}.part")) as part:
        names = _write_images(dataset, sample, looks, part / IMAGES)
        (part / LIST).write_text(table_to_fill_in(looks), encoding="utf-8")
        (part / PAGE).write_text(_page(folder.name, looks, names, dataset), encoding="utf-8")
        plan = {
            "format": 1,
            "dataset": dataset.fingerprint_of("ids", "labels", "classes"),
            **{name: column.tolist() for name, column in sample},
        }
        (part / PLAN).write_text(json.dumps(plan) + "\n", encoding="utf-8")


def read_plan(folder: Path, dataset: Dataset) -> AuditSample:
    """Read what was drawn.

    Raises:
        InputError: there is no plan, or it is about other samples or labels.
        WorkError: the plan is damaged.
    """
    path = folder / PLAN
    try:
        plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        sample = AuditSample(**{name: plan[name] for name in AuditSample.model_fields})
        drawn_from = plan["dataset"]
    except FileNotFoundError:
        raise InputError(
            f"{path} is missing: leave the list in the folder that `adc audit` made"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise WorkError(f"{path} is damaged: put it back from a copy, or audit anew") from error
    if drawn_from != dataset.fingerprint_of("ids", "labels", "classes"):
        raise InputError(
            f"{folder} is an audit of other samples or labels than this run has: name the run that "
            "it was made of, or audit anew with --to"
        )
    return sample


def _write_images(
    dataset: Dataset, sample: AuditSample, looks: list[Look], folder: Path
) -> list[str]:
    """Write the images as `NNN_given.png`; return their names, none where there are no images."""
    if dataset.images is None:
        return []
    folder.mkdir()
    names = []
    for number, (row, look) in enumerate(zip(sample.rows.tolist(), looks, strict=True), 1):
        given = re.sub(r"[^\w-]+", "_", look.given)[:60]
        names.append(f"{number:03}_{given}.png")
        dataset.images.small(row, _SIDE)[0].convert("RGB").save(folder / names[-1])
        progress(number, len(looks), "image")
    return names


def _page(name: str, looks: list[Look], names: list[str], dataset: Dataset) -> str:
    """Write the page: every image with its given label, and three answers to click."""
    cards = "\n".join(
        f'<li data-n="{number}"><p>{number}. <b>{html.escape(look.given)}</b></p>'
        + (
            f'<img src="{IMAGES}/{quote(names[number - 1])}" loading="lazy" '
            f'alt="Image {number}, labelled {html.escape(look.given)}">'
            if names
            else f"<p>{html.escape(look.id)}</p>"
        )
        + '<p class="answers"></p></li>'
        for number, look in enumerate(looks, 1)
    )
    rows = json.dumps([[n, *look] for n, look in enumerate(looks, 1)]).replace("<", "\\u003c")
    key = json.dumps(dataset.fingerprint_of("ids", "labels") + name).replace("<", "\\u003c")
    fill = {
        "@name": html.escape(name),
        "@cards": cards,
        "@rows": rows,
        "@columns": json.dumps(COLUMNS),
        "@key": key,
    }
    page = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    return re.sub("|".join(fill), lambda found: fill[found[0]], page)
