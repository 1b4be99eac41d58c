"""The description of an export that people read: what is in it, whose it is, how it was made."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset
from adc_plugins_publish.changes import CHANGES, count_moves
from adc_plugins_publish.public_pipeline import public_pipeline
from adc_plugins_publish.source import Source

DATASHEET = "README.md"

_SHOWN = 40
"""Rows of a table; what is rarer is counted together."""
_LONGEST = 100
"""Characters of a text that is not ours."""


@dataclass(frozen=True)
class Export:
    """What a datasheet describes.

    Attributes:
        form: of the export.
        name: of the dataset.
        source: where its samples come from.
        dataset: the samples that were written.
        splits: the split of each.
        left_out: id to the reason, of images that were left out.
    """

    form: str
    name: str
    source: Source
    dataset: Dataset
    splits: NDArray[np.str_]
    left_out: Mapping[str, str]


def write_datasheet(folder: Path, export: Export, header: str) -> None:
    """Write `README.md`, which hubs show as the dataset's page.

    It follows Gebru et al., "Datasheets for datasets" (2018), as far as the dataset itself says.

    Args:
        folder: the export.
        export: what it holds.
        header: the YAML that programs read.
    """
    lines = ["---", header, "---", "", *_lines(export)]
    (folder / DATASHEET).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lines(export: Export) -> Iterator[str]:
    dataset, splits = export.dataset, export.splits
    names = np.unique(splits).tolist()
    yield from (f"# {_plain(export.name)}", "")
    yield (
        f"{len(dataset):,} images of {len(dataset.classes)} classes, {_labels(export.source)} "
        "`samples.parquet` has a row for each image."
    )
    yield from ("", "## How to read it", "")
    yield from (f"    {line}" for line in _READ[export.form].format(export.name).splitlines())
    yield from ("", "## Classes", "")
    yield from _table(("class", *names), _of_classes(dataset, splits, names))
    if export.source.curations or export.left_out:
        yield from ("", "## What was changed", "")
        yield from _changes(export)
    for attribute, values in dataset.attributes.items():
        yield from ("", f"## {_plain(attribute)}", "")
        yield from _counted(attribute, values.tolist())
    yield from ("", "## Whose the images are", "")
    yield from _rights(dataset)
    yield from ("", "## How it was made", "")
    yield from _making(export.source)


_READ = {
    "image-folder": "from datasets import load_dataset\n"
    'dataset = load_dataset("{0}")                  # or\n'
    "from torchvision.datasets import ImageFolder\n"
    'train = ImageFolder("{0}/train")',
    "webdataset": "from datasets import load_dataset\n"
    'dataset = load_dataset("{0}")                  # `cls` is the label; or\n'
    "import webdataset\n"
    'train = webdataset.WebDataset("{0}/train-00000.tar").decode("pil")',
    "hugging-face": 'from datasets import load_dataset\ndataset = load_dataset("{0}")',
    "url-list": "img2dataset --url_list samples.parquet --input_format parquet --url_col url \\\n"
    '    --output_format webdataset --save_additional_columns \'["id", "label"]\'',
}


def _labels(source: Source) -> str:
    if source.simulators:
        made = ", ".join(source.simulators)
        start = f"whose labels were made wrong on purpose, by {made}"
    elif source.collected:
        start = "labelled by the words that they were found with"
    else:
        start = "labelled as they were given"
    if source.curations:
        by = ", ".join(source.curations)
        if not count_moves(source):
            return f"{start}; {by} changed nothing: some labels may be wrong."
        return f"{start}, then repaired by {by}: some may still be wrong."
    if source.curators:
        left = ", ".join(source.curators)
        return f"{start}: some labels are wrong. What {left} would repair is not repaired here."
    return f"{start}: some labels {'are' if source.collected else 'may be'} wrong."


def _of_classes(
    dataset: Dataset, splits: NDArray[np.str_], names: list[str]
) -> Iterator[tuple[str | int, ...]]:
    counts = [
        np.bincount(dataset.labels[splits == name], minlength=len(dataset.classes)).tolist()
        for name in names
    ]
    for k, label in enumerate(dataset.classes):
        yield (label, *(count[k] for count in counts))


def _changes(export: Export) -> Iterator[str]:
    source = export.source
    yield f"`{CHANGES}` lists every change with its reason."
    if source.curations:
        yield ""
        several = ", one curator after another" if len(source.curations) > 1 else ""
        yield f"Of {len(source.original):,} images{several}:"
        yield ""
        rows = [
            (name, curation.count("relabel"), curation.count("drop"))
            for name, curation in source.curations.items()
        ]
        yield from _table(("curator", "relabelled", "dropped"), rows)
    if moves := count_moves(source):
        yield ""
        shown = [(old, new or "(dropped)", count) for old, new, count in moves[:_SHOWN]]
        if rest := sum(count for _, _, count in moves[_SHOWN:]):
            shown.append((f"{len(moves) - _SHOWN} others", "", rest))
        yield from _table(("from", "to", "images"), shown)
    if moves and source.findings:
        yield ""
        yield from _table(("detector", "of these it flags"), _flagging(source))
    if export.left_out:
        reasons = Counter(export.left_out.values()).most_common()
        yield ""
        yield f"Left out, for they cannot be used: {len(export.left_out):,} images."
        yield ""
        yield from _table(("reason", "images"), reasons)


def _flagging(source: Source) -> Iterator[tuple[str, int]]:
    changed = {name for one in source.curations.values() for name in one.changes["id"].to_pylist()}
    for detector, found in source.findings.items():
        yield detector, len(changed.intersection(found.ids[found.flagged].tolist()))


def _rights(dataset: Dataset) -> Iterator[str]:
    known = [] if dataset.sources is None else dataset.sources.column_names
    if dataset.sources is None or "url" not in known:
        yield "Nobody noted where the images came from."
        return
    yield (
        "The images belong to their makers. Their addresses, and as far as the search engines tell "
        "them their makers, licenses and how to name them, are in `samples.parquet`."
    )
    for column in ("license", "engine"):
        if column in known:
            yield ""
            yield from _counted(column, dataset.sources[column].to_pylist())


def _making(source: Source) -> Iterator[str]:
    adc = "[ADC](https://pypi.org/project/adc-core/)"
    if source.pipeline is None:
        yield f"{adc} wrote it from `{_plain(source.path.absolute().name)}`."
        yield "Nobody noted how that was made."
        return
    yield from (f"By {adc}, from this pipeline:", "")
    yield from (f"    {line}" for line in public_pipeline(source.pipeline).splitlines())


def _counted(what: str, values: Iterable[str | None]) -> Iterator[str]:
    counts = Counter(value or "unknown" for value in values).most_common()
    rest = sum(count for _, count in counts[_SHOWN:])
    rows = counts[:_SHOWN] + ([(f"{len(counts) - _SHOWN} others", rest)] if rest else [])
    yield from _table((what, "images"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(map(_plain, head))} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        cells = (f"{cell:,}" if isinstance(cell, int) else _plain(cell) for cell in row)
        yield f"| {' | '.join(cells)} |"


_MARKS = str.maketrans({"<": "&lt;", ">": "&gt;"} | {mark: f"\\{mark}" for mark in "\\|[]`"})


def _plain(text: str) -> str:
    """Return a text of anybody's on one short line, without tags, links or columns of its own."""
    line = "".join(filter(str.isprintable, " ".join(text.split())))
    return (line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…").translate(_MARKS)
