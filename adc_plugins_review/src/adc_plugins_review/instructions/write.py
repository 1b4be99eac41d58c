"""Instructions as a page of its own, which a browser shows without any server, and as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

from adc_core.reporting import data_url, page_environment
from adc_core.storage import atomic_file
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.instructions.class_instructions import class_instructions

PAGE, TABLE = "instructions.html", "instructions.json"

_SIDE = 220


def write_instructions(source: Source, into: Path, most: int = 6, seed: int = 0) -> Path:
    """Write the page and the table; return the page.

    Args:
        source: the samples under review.
        into: the folder.
        most: exemplars of a class at most.
        seed: of what is drawn.

    Raises:
        InputError: there are no features to compare images by.
        WorkError: the disk refuses.
    """
    classes = class_instructions(source, most, seed)
    images = source.dataset.images
    text = (
        page_environment("adc_plugins_review.instructions")
        .get_template("instructions.html.j2")
        .render(classes=classes, image=lambda example: data_url(images, example.row, _SIDE))
    )
    into.mkdir(parents=True, exist_ok=True)
    with atomic_file(into / PAGE) as part:
        part.write_text(text, encoding="utf-8")
    table = json.dumps([asdict(one) for one in classes], indent=1, ensure_ascii=False)
    with atomic_file(into / TABLE) as part:
        part.write_text(table + "\n", encoding="utf-8")
    return into / PAGE
