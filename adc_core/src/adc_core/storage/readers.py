"""Reading datasets that others made: image folders, manifests and `.npz` files."""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from adc_core.arrays.strings import from_arrow
from adc_core.arrays.validation import Array
from adc_core.errors import InputError, unknown_name
from adc_core.images.sequence import ImageFiles
from adc_core.records.dataset import LABEL_SETS, PROBLEMATIC, UNCLEAR_SETS, Dataset
from adc_core.storage.image_folder import read_image_folder
from adc_core.storage.image_tables import image_column, image_tables_in, read_image_tables
from adc_core.storage.saved_dataset import HEADER, read_saved
from adc_core.storage.splits import SPLIT
from adc_core.storage.tables import labels_of, read_table, refuse_more_than_memory
from adc_core.storage.webdataset import read_shards

_MATRICES = ("features", "probabilities")
"""List columns of a Parquet manifest that are evidence."""

_SETS = (LABEL_SETS, UNCLEAR_SETS)
"""List columns of a Parquet manifest that become columns of the dataset."""

_DYNAMICS = ("given_probability", "margin", "loss", "correct")

_ARRAYS = (
    "labels",
    "images",
    *_MATRICES,
    *_SETS,
    PROBLEMATIC,
    "ids",
    "classes",
    *_DYNAMICS,
    "epochs",
)
"""What a `.npz` file may hold."""

_OTHER_NAMES = {
    "X": "features",
    "embeddings": "features",
    "pred_probs": "probabilities",
    "target": "labels",
    "y": "labels",
}
"""What others call the same arrays."""


def read_dataset(path: Path | str) -> Dataset:
    """Read a saved dataset, an image folder (class sub-folders), tar shards or a manifest.

    A folder may hold splits, `train/CLASS/…` beside `test/CLASS/…`: all are read, and the
    column `split` says which is which.

    A manifest is a CSV or Parquet file with the columns `label` and `path` (relative to the
    manifest), optionally `id`, `split`, `attribute.NAME` and, in Parquet, the lists of numbers
    `features`, `probabilities`, `label_sets` and `unclear_sets` (with the first, `problematic` is
    true or false of a sample); other columns become `sources`. A
    `.npz` file holds `labels` and any of the same, `images`, `ids`, `classes`, and of training
    dynamics `given_probability`, `margin`, `loss`, `correct` (N × E, all four) and `epochs`.

    Parquet files with images in them, in a folder or its `data/`, are read in place, as
    Hugging Face's `datasets` writes them: the column `label`, images in a column of bytes.

    A folder of tar shards is read in place: of each sample the image, `.cls` or the `label`
    in `.json`, and the rest of `.json` as sources.

    Columns of `probabilities` and of label sets are in the order of the classes, which is that of
    their sorted names where the manifest's labels are names.

    Raises:
        InputError: nothing usable there; the message says what was expected.
    """
    path = Path(path)
    if path.is_dir():
        if (path / HEADER).is_file():
            return read_saved(path)
        if any(path.glob("*.tar")):
            return read_shards(path)
        tables = image_tables_in(path)
        return read_image_tables(path, tables) if tables else read_image_folder(path)
    if not path.exists():
        raise InputError(f"{path} does not exist: give a folder, a manifest or a .npz file")
    if path.suffix == ".parquet" and image_column(path) is not None:
        return read_image_tables(path.parent, [path])
    if path.suffix in (".csv", ".parquet"):
        return _read_manifest(path)
    if path.suffix == ".npz":
        return _read_npz(path)
    raise InputError(f"{path} is not one of: a folder, .csv, .parquet, .npz")


def _read_manifest(path: Path) -> Dataset:
    table = read_table(path)
    if "label" not in table.column_names:
        raise InputError(f"{path} has no column `label`; it has {', '.join(table.column_names)}")
    if not len(table):
        raise InputError(f"{path} has no rows")
    labels, classes = labels_of(table["label"], None, str(path))
    columns: dict[str, Any] = {"labels": labels, "classes": classes}
    for name in _MATRICES:
        if name in table.column_names:
            columns[name] = _matrix_of(table[name], f"{path}: {name}")
    if "probabilities" in columns and pa.types.is_integer(table["label"].type):
        columns["classes"] = _numbered(columns["probabilities"])
    if "path" in table.column_names:
        columns["images"] = ImageFiles(path.parent, from_arrow(table["path"]))
    if "id" in table.column_names:
        columns["ids"] = from_arrow(table["id"].cast(pa.string()))
    elif "path" in table.column_names:
        columns["ids"] = columns["images"].paths
    columns["attributes"] = {
        name.removeprefix("attribute."): from_arrow(table[name])
        for name in table.column_names
        if name.startswith("attribute.")
    }
    columns["columns"] = {
        name: _matrix_of(table[name], f"{path}: {name}").astype(np.int8)
        for name in _SETS
        if name in table.column_names
    }
    if LABEL_SETS in table.column_names and PROBLEMATIC in table.column_names:
        flags = table[PROBLEMATIC].cast(pa.bool_()).fill_null(False)
        columns["columns"][PROBLEMATIC] = flags.to_numpy()
    if SPLIT in table.column_names:
        splits = table[SPLIT].cast(pa.string()).fill_null("")
        columns["columns"][SPLIT] = from_arrow(splits)
    known = ("id", "path", "label", SPLIT, *_MATRICES, *_SETS)
    rest = [
        name
        for name in table.column_names
        if name not in (*known, *columns["columns"]) and not name.startswith("attribute.")
    ]
    return Dataset(**columns, sources=table.select(rest) if rest else None)


def _matrix_of(column: pa.ChunkedArray, where: str) -> Array:
    """Convert a column of number lists to one row of numbers per sample."""
    kind = column.type
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    listed = listed or pa.types.is_fixed_size_list(kind)
    if not listed or not (
        pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
    ):
        raise InputError(f"{where} is {kind}, expected lists of numbers: write Parquet or .npz")
    lengths = pc.list_value_length(column).fill_null(-1).to_numpy()
    if (differs := lengths != lengths[0]).any() or lengths[0] < 0:
        row = int(differs.argmax()) if lengths[0] >= 0 else 0
        if lengths[row] < 0:
            raise InputError(f"{where}: row {row} is missing: fill or remove it")
        raise InputError(
            f"{where}: row {row} has {lengths[row]} numbers but row 0 has {lengths[0]}"
        )
    parts = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate(parts).reshape(len(column), int(lengths[0]))


def _numbered(probabilities: Array) -> tuple[str, ...]:
    """Return a class name for each column, as labels are numbers too."""
    return tuple(str(number) for number in range(probabilities.shape[1]))


def _read_npz(path: Path) -> Dataset:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            refuse_more_than_memory(path, sum(one.file_size for one in file.zip.infolist()))
            arrays: dict[str, Array] = {name: file[name] for name in file.files}
    except InputError:
        raise
    except (OSError, ValueError, BadZipFile) as error:
        raise InputError(f"{path} cannot be read as npz: {error}") from None
    if strange := arrays.keys() - set(_ARRAYS):
        name = min(strange)
        if name in _OTHER_NAMES:
            raise InputError(f"{path} holds {name!r}: name it {_OTHER_NAMES[name]!r}")
        raise InputError(f"{path}: {unknown_name('array', name, _ARRAYS)}")
    if "labels" not in arrays:
        raise InputError(f"{path} has no array `labels`; it has {', '.join(arrays) or 'nothing'}")
    columns: dict[str, Any] = dict(arrays)
    named = columns["labels"].dtype.kind in "US"
    if "classes" in columns:
        columns["classes"] = tuple(str(name) for name in columns["classes"])
    elif "probabilities" in columns and columns["probabilities"].ndim == 2 and not named:
        columns["classes"] = _numbered(columns["probabilities"])
    given = {name: columns.pop(name) for name in (*_DYNAMICS, "epochs") if name in columns}
    columns["columns"] = {
        name: columns.pop(name) for name in (*_SETS, PROBLEMATIC) if name in columns
    }
    if given:
        columns["dynamics"] = _dynamics_of(given, path)
    return Dataset(**columns)


def _dynamics_of(given: dict[str, Array], path: Path) -> dict[str, Array]:
    """Make training dynamics of N × E arrays; epochs are counted from 1 unless given."""
    if missing := [name for name in _DYNAMICS if name not in given]:
        raise InputError(
            f"{path} holds {min(given)!r} but not {missing[0]!r}: "
            f"training dynamics are {', '.join(_DYNAMICS)}"
        )
    shape = given["given_probability"].shape
    return {"epochs": np.arange(1, 1 + (shape[1] if len(shape) > 1 else 0))} | given
