"""What hubs and `datasets` read of a README: which files are which split, and the features."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import yaml

from adc_plugins_publish.formats.hugging_face import DTYPES

_FILES = {
    "image-folder": "{}/**",
    "webdataset": "{}-*.tar",
    "hugging-face": "data/{}-*.parquet",
}


def hub_header(
    form: str,
    name: str,
    splits: Sequence[str],
    classes: Sequence[str],
    table: pa.Schema,
    suffixes: Sequence[str],
) -> str:
    """Return the YAML between the lines `---` at the head of a README.

    Image folders and Hugging Face's files tell their features themselves; tar shards and a list
    cannot, so the header does.

    Args:
        form: of the export.
        name: of the dataset.
        splits: that it has.
        classes: K names.
        table: the schema of its `samples.parquet`.
        suffixes: of the images of tar shards, such as `.jpg`.
    """
    files: Any = "samples.parquet"
    if form in _FILES:
        files = [{"split": split, "path": _FILES[form].format(split)} for split in splits]
    header: dict[str, Any] = {
        "pretty_name": name,
        "license": "other",
        "task_categories": ["image-classification"],
        "configs": [{"config_name": "default", "data_files": files}],
    }
    features = None
    if form == "url-list":
        features = _columns(table, {"label": classes})
    if form == "webdataset":
        features = _members(table, classes, suffixes)
    if features is not None:
        header["dataset_info"] = {"features": features}
    text: str = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    return text.rstrip()


def _members(
    table: pa.Schema, classes: Sequence[str], suffixes: Sequence[str]
) -> list[dict[str, Any]] | None:
    """Return a feature for each kind of member that a sample has, as `datasets` reads a shard."""
    facts = _columns(pa.schema([field for field in table if field.name != "path"]), {})
    if facts is None:
        return None
    return [
        *({"name": suffix.lstrip("."), "dtype": "image"} for suffix in suffixes),
        {"name": "cls", "dtype": _class_label(classes)},
        {"name": "json", "struct": facts},
        {"name": "__key__", "dtype": "string"},
        {"name": "__url__", "dtype": "string"},
    ]


def _columns(table: pa.Schema, classes: dict[str, Sequence[str]]) -> list[dict[str, Any]] | None:
    """Return a feature for each column; None where one has a type that only a library can name."""
    if not all(_is_plain(field.type) for field in table):
        return None
    return [
        {
            "name": field.name,
            "dtype": _class_label(classes[field.name])
            if field.name in classes
            else DTYPES.get(str(field.type), str(field.type)),
        }
        for field in table
    ]


def _is_plain(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    return any(test(kind) for test in (*tests, pa.types.is_null))


def _class_label(classes: Sequence[str]) -> dict[str, Any]:
    return {"class_label": {"names": {str(k): name for k, name in enumerate(classes)}}}
