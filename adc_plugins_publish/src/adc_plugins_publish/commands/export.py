"""`adc export`: a dataset in the form that another tool reads."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import Command, InputError
from adc_core.errors import InputErrors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from adc_core import Dataset
    from adc_core.arrays import Array
    from adc_plugins_publish.belonging import Together
    from adc_plugins_publish.formats.samples_table import Written
    from adc_plugins_publish.source import Source

MOVES = "moves"
FORMATS = ("image-folder", "webdataset", "hugging-face", "url-list", MOVES)


class ExportCommand(Command):
    """Write a dataset for other tools, or list what to change in a folder of one's own."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc export`."""
        parser.add_argument(
            "dataset",
            type=Path,
            help="a run directory (its curated dataset), a stage of one, or whatever `adc detect` "
            "takes",
        )
        parser.add_argument(
            "--as",
            dest="form",
            choices=FORMATS,
            required=True,
            help="what to write; moves: a list for `adc apply`, of what a run would change in the "
            "folder that it was given",
        )
        parser.add_argument(
            "--to", type=Path, required=True, metavar="FOLDER", help="a new folder; of moves a .csv"
        )
        parser.add_argument(
            "--raw", action="store_true", help="of a run, the dataset as collected or given"
        )
        parser.add_argument(
            "--stage",
            metavar="NAME",
            help="of a run, the dataset of this stage, such as curators/relabel",
        )
        parser.add_argument(
            "--split",
            action="append",
            default=[],
            metavar="NAME=SHARE",
            help="a split with a share of the samples, such as test=0.1; may be repeated; the rest "
            "is train; without it, the splits that the dataset has, or train",
        )
        parser.add_argument(
            "--together",
            choices=["all", "duplicates", "creator", "page"],
            default="all",
            help="what --split keeps on one side: near duplicates, images of one creator or of one "
            "page, or all of these where they are known",
        )
        parser.add_argument("--seed", type=int, default=0, help="of the splits")
        parser.add_argument(
            "--strict",
            action="store_true",
            help="refuse a dataset with images that cannot be read, in place of leaving them out",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Write the folder, whole or not at all.

        Raises:
            InputError: there is no such dataset, it lacks what the form needs, or the folder
                exists.
            WorkError: the folder cannot be written.
        """
        from adc_core.storage import refuse_existing
        from adc_plugins_publish.source import read_source

        refuse_existing(arguments.to)
        if arguments.form == MOVES and arguments.split:
            raise InputError("--split is for the other forms: moves stay within the folder")
        shares = dict(map(_share, arguments.split))
        source = read_source(arguments.dataset, raw=arguments.raw, stage=arguments.stage)
        if arguments.form == MOVES:
            from adc_plugins_publish.moves.list_moves import list_moves

            print(list_moves(source, arguments.to))
            return 0
        print(_export(source, arguments, shares))
        return 0


def _export(source: "Source", arguments: argparse.Namespace, shares: dict[str, float]) -> str:
    """Write one form; return what to tell."""
    import numpy as np
    import pyarrow.parquet as pq

    from adc_core.cli import shown_work
    from adc_core.records import rows_of
    from adc_core.runs import broken_images, leave_out
    from adc_core.storage import atomic_folder
    from adc_plugins_publish.changes import (
        CHANGES,
        count_moves,
        table_of_changes,
        write_changes,
    )
    from adc_plugins_publish.croissant import write_croissant
    from adc_plugins_publish.datasheet import Export, write_datasheet
    from adc_plugins_publish.formats.hub_header import hub_header
    from adc_plugins_publish.formats.outside_images import warn_of_outside
    from adc_plugins_publish.formats.samples_table import SAMPLES

    folder, form = arguments.to, arguments.form
    with (
        atomic_folder(folder, folder.with_name(f".{folder.name}.part")) as part,
        shown_work(f"export {form}", part),
    ):
        dataset, left_out = source.dataset, dict(source.left_out)
        if arguments.strict and left_out:
            raise InputErrors(
                f"{name}: {reason}: replace or remove it" for name, reason in left_out.items()
            )
        if form != "url-list":
            broken = broken_images(dataset)
            left_out |= {str(dataset.ids[one.row]): one.reason for one in broken}
            listed = f"{folder / CHANGES} lists all"
            dataset = leave_out(dataset, broken, strict=arguments.strict, listed=listed)
            warn_of_outside(dataset.images)
        splits = _splits(dataset, shares, arguments.together, arguments.seed)
        before = rows_of(source.original.ids, dataset.ids)
        entitled = source.original.labels[before] == dataset.labels
        written = _writer(form)(dataset, splits, entitled, part)
        changes = table_of_changes(source, left_out)
        if changes is not None:
            write_changes(changes, dataset, written.paths, part)
        export = Export(form, folder.name, source, dataset, splits, left_out)
        header = hub_header(
            form,
            folder.name,
            np.unique(splits).tolist(),
            dataset.classes,
            pq.read_schema(part / SAMPLES),
            written.suffixes,
        )
        write_datasheet(part, export, header)
        write_croissant(part, folder.name, collected=source.collected)
    if source.left_out:
        images = "1 image" if len(source.left_out) == 1 else f"{len(source.left_out):,} images"
        _say(f"the run left out {images} that cannot be used: {folder / CHANGES} lists all")
    if written.renamed:
        files = "1 file" if written.renamed == 1 else f"{written.renamed:,} files"
        _say(
            f"{files} got a number behind the name, which another file has in the same class: "
            f"{folder / SAMPLES} has the ids"
        )
    lines = [f"{len(dataset):,} samples: {folder}"]
    if source.curations:
        moves = count_moves(source)
        relabeled = sum(count for _, new, count in moves if new is not None)
        dropped = sum(count for _, new, count in moves if new is None)
        lines.append(f"{relabeled:,} relabelled, {dropped:,} dropped: {folder / CHANGES}")
    return "\n".join(lines)


def _say(text: str) -> None:
    print(f"adc: {text}", file=sys.stderr)


def _writer(form: str) -> "Callable[[Dataset, NDArray[np.str_], Array, Path], Written]":
    if form == "image-folder":
        from adc_plugins_publish.formats.image_folder import export_image_folder as write
    elif form == "webdataset":
        from adc_plugins_publish.formats.webdataset import export_webdataset as write
    elif form == "hugging-face":
        from adc_plugins_publish.formats.hugging_face import export_hugging_face as write
    else:
        from adc_plugins_publish.formats.url_list import export_url_list as write
    return write


def _splits(
    dataset: "Dataset", shares: dict[str, float], together: "Together", seed: int
) -> "NDArray[np.str_]":
    import numpy as np

    from adc_core.storage import SPLIT
    from adc_plugins_publish.belonging import groups_of
    from adc_plugins_publish.splits import TRAIN, split_by_group

    if not shares:
        splits = dataset.columns.get(SPLIT, np.full(len(dataset), TRAIN))
        names, codes = np.unique(splits.astype(np.str_), return_inverse=True)
        return np.array([name if name.isidentifier() else TRAIN for name in names])[codes]
    return split_by_group(dataset.labels, groups_of(dataset, together), shares, seed)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        if not name.isidentifier():
            raise ValueError
        return name, float(share)
    except ValueError:
        raise InputError(f"--split {text}: write NAME=SHARE, such as test=0.1") from None
