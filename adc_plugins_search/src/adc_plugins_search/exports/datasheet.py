"""The description of an export that people read: what is in it, whose it is, how it was made."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from adc_core.dataset import Dataset

DATASHEET = "README.md"

_SHOWN = 40
"""Rows of a table; what is rarer is counted together."""


def write_datasheet(
    folder: Path, name: str, dataset: Dataset, splits: NDArray[np.str_], recipe: str | None
) -> None:
    """Write `README.md`, which hubs show as the dataset's page.

    It follows Gebru et al., "Datasheets for datasets" (2018), as far as the dataset itself tells.

    Args:
        folder: the export.
        name: of the dataset.
        dataset: its samples.
        splits: the split of each.
        recipe: the pipeline that made it, as YAML.
    """
    text = "\n".join(_lines(name, dataset, splits, recipe)) + "\n"
    (folder / DATASHEET).write_text(text, encoding="utf-8")


def _lines(
    name: str, dataset: Dataset, splits: NDArray[np.str_], recipe: str | None
) -> Iterator[str]:
    names = np.unique(splits).tolist()
    yield from ("---", _hub_header(name, names), "---", "", f"# {name}", "")
    yield (
        f"{len(dataset):,} images of {len(dataset.classes)} classes, labelled by the words that "
        "they were found with: some labels are wrong. `samples.parquet` has a row for each image."
    )
    yield from ("", "## Classes", "")
    yield from _table(("class", *names), _of_classes(dataset, splits, names))
    for attribute, values in dataset.attributes.items():
        yield from ("", f"## {attribute}", "")
        yield from _counted(attribute, values.tolist())
    yield from ("", "## Whose the images are", "")
    yield from _rights(dataset)
    yield from ("", "## How it was made", "")
    if recipe is None:
        yield "Nobody noted how."
    else:
        yield from ("By [ADC](https://pypi.org/project/adc-core/), from this pipeline:", "")
        yield from (f"    {line}" for line in recipe.splitlines())


def _of_classes(
    dataset: Dataset, splits: NDArray[np.str_], names: list[str]
) -> Iterator[tuple[str | int, ...]]:
    counts = [
        np.bincount(dataset.labels[splits == name], minlength=len(dataset.classes)).tolist()
        for name in names
    ]
    for k, label in enumerate(dataset.classes):
        yield (label, *(count[k] for count in counts))


def _rights(dataset: Dataset) -> Iterator[str]:
    known = [] if dataset.sources is None else dataset.sources.column_names
    if dataset.sources is None or "url" not in known:
        yield "Nobody noted where the images came from."
        return
    yield (
        "The images belong to their makers. Their addresses, and as far as the search engines tell "
        "them their makers, licences and how to name them, stand in `samples.parquet`."
    )
    for column in ("licence", "engine"):
        if column in known:
            yield ""
            yield from _counted(column, dataset.sources[column].to_pylist())


def _counted(what: str, values: Iterable[str | None]) -> Iterator[str]:
    counts = Counter(value or "not told" for value in values).most_common()
    rest = sum(count for _, count in counts[_SHOWN:])
    rows = counts[:_SHOWN] + ([(f"{len(counts) - _SHOWN} others", rest)] if rest else [])
    yield from _table((what, "images"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        cells = (f"{cell:,}" if isinstance(cell, int) else cell.replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


def _hub_header(name: str, splits: list[str]) -> str:
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    header = {
        "pretty_name": name,
        "license": "other",
        "task_categories": ["image-classification"],
        "configs": [{"config_name": "default", "data_files": files}],
    }
    text: str = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    return text.rstrip()
