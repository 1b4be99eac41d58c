"""`adc export`: a dataset in the form that another tool reads."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from adc_core.dataset import Dataset

FORMATS = ("image-folder", "webdataset", "hugging-face", "url-list")


class ExportCommand:
    """Write a dataset for other tools, with its manifest, Croissant description and datasheet."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The options of `adc export`."""
        parser.add_argument(
            "dataset", type=Path, help="whatever `adc detect` takes, or a stage of a run"
        )
        parser.add_argument(
            "--as", dest="form", choices=FORMATS, required=True, help="what to write"
        )
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a new folder")
        parser.add_argument(
            "--split",
            action="append",
            default=[],
            metavar="NAME=SHARE",
            help="a split with a share of the samples, such as test=0.1; may be repeated; the rest "
            "is train; without it, the splits that the dataset has, or train",
        )
        parser.add_argument(
            "--strict", action="store_true", help="refuse images that cannot be used, naming all"
        )
        parser.add_argument("--seed", type=int, default=0, help="of the splits")

    def run(self, arguments: argparse.Namespace) -> int:
        """Write the folder, whole or not at all.

        Raises:
            InputError: there is no such dataset, it lacks what the form needs, or the folder
                exists.
            WorkError: the folder cannot be written.
        """
        from adc_core.dataset import Dataset
        from adc_core.image_check import broken_images, leave_out
        from adc_core.interruption import listen
        from adc_core.progress_bars import progress_bar
        from adc_core.seal import new_folder, refuse_existing
        from adc_core.work import working_in
        from adc_plugins_search.exports.croissant import write_croissant
        from adc_plugins_search.exports.datasheet import write_datasheet

        listen()
        folder: Path = arguments.to
        refuse_existing(folder)
        dataset = Dataset.read(arguments.dataset)
        if dataset.images is not None and arguments.form != "url-list":
            with progress_bar("check images") as progressed, working_in(folder, progressed):
                broken = broken_images(dataset)
            listed = "--strict refuses them, naming all"
            dataset = leave_out(dataset, broken, strict=arguments.strict, listed=listed)
        splits = _splits(dataset, dict(map(_share, arguments.split)), arguments.seed)
        with (
            new_folder(folder, folder.with_name(f".{folder.name}.part")) as part,
            progress_bar(f"export {arguments.form}") as progressed,
            working_in(part, progressed),
        ):
            _writer(arguments.form)(dataset, splits, part)
            write_datasheet(part, folder.name, dataset, splits, _recipe(arguments.dataset))
            write_croissant(part, folder.name)
        print(f"{len(dataset):,} samples: {folder}")
        return 0


def _writer(form: str) -> "Callable[[Dataset, NDArray[np.str_], Path], None]":
    if form == "image-folder":
        from adc_plugins_search.exports.image_folder import export_image_folder as write
    elif form == "webdataset":
        from adc_plugins_search.exports.tar_shards import export_tar_shards as write
    elif form == "hugging-face":
        from adc_plugins_search.exports.hugging_face import export_hugging_face as write
    else:
        from adc_plugins_search.exports.url_list import export_url_list as write
    return write


def _splits(dataset: "Dataset", shares: dict[str, float], seed: int) -> "NDArray[np.str_]":
    import numpy as np

    from adc_core.near_duplicates import GROUP
    from adc_core.splits import SPLIT
    from adc_plugins_search.exports.splits import TRAIN, split_by_group

    if not shares:
        return dataset.columns.get(SPLIT, np.full(len(dataset), TRAIN))
    groups = dataset.columns.get(GROUP, np.arange(len(dataset)))
    return split_by_group(dataset.labels, groups, shares, seed)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        if not name.isidentifier():
            raise ValueError
        return name, float(share)
    except ValueError:
        raise InputError(f"--split {text}: write NAME=SHARE, such as test=0.1") from None


def _recipe(path: Path) -> str | None:
    """The pipeline of the run that a dataset is a stage of."""
    for folder in (path, *path.resolve().parents[:2]):
        if (folder / "run.json").is_file() and (folder / "pipeline.yaml").is_file():
            return (folder / "pipeline.yaml").read_text(encoding="utf-8")
    return None
