"""`adc health`: what is wrong with a dataset beside its labels."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import Command, InputError, create, read_dataset

if TYPE_CHECKING:
    from adc_core import Dataset, Encoder, Pipeline
    from adc_core.runs import Broken

_ENCODER = "patches"
_NEIGHBORS = 10


class HealthCommand(Command):
    """Look at a dataset beside its labels: copies, leaks, outliers, bad images, classes, order."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc health`."""
        parser.add_argument("dataset", type=Path, help="whatever `adc detect` takes")
        parser.add_argument(
            "--encoder",
            metavar="NAME[:OPTIONS]",
            help="what makes features of images, for outliers and classes (default: none where "
            f"the dataset has features, else {_ENCODER})",
        )
        parser.add_argument(
            "--out", type=Path, help="the run directory (default: runs/NAME OF THE DATASET-health)"
        )
        parser.add_argument(
            "--strict", action="store_true", help="refuse images that cannot be used, naming all"
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Assess the dataset, print what was found, write table, summary and page.

        Raises:
            InputError: there is no such dataset, or the directory holds another run.
            WorkError: the directory cannot be written.
        """
        from adc_core import Encoder, run_pipeline
        from adc_core.cli import component_from
        from adc_core.runs import installed_listeners
        from adc_plugins_detect.health.assessment import assess
        from adc_plugins_detect.health.files import PAGE, SUMMARY, TABLE, write_files
        from adc_plugins_detect.health.page import write_page
        from adc_plugins_detect.health.terminal import printed

        encoder = None
        if arguments.encoder is not None:
            encoder = component_from(Encoder, "--encoder", arguments.encoder)
        path: Path = arguments.dataset
        given = read_dataset(path)
        pipeline = _pipeline(path, given, encoder)
        folder = arguments.out or Path("runs", f"{_name_of(path)}-health")
        _refuse_other(folder, pipeline)
        # Health has a page of its own.
        listeners = installed_listeners(block=("adc-plugins-publish/html-report",))
        run = run_pipeline(pipeline, folder, listeners, given, strict=arguments.strict)
        health = assess(
            given,
            run.collected,
            _broken(folder, len(given) - len(run.collected)),
            features=_origin(pipeline),
            labels_in_order=not path.is_dir() or any(path.glob("*.tar")),
        )
        write_files(health, folder)
        write_page(health, folder)
        for part in printed(health):
            print(f"{part}\n")
        for name in (TABLE, SUMMARY, PAGE):
            if (folder / name).exists():
                print(f"{Path(name).suffix[1:]}: {folder / name}")
        return 0


def _name_of(path: Path) -> str:
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.stem


def _pipeline(path: Path, dataset: "Dataset", encoder: "Encoder | None") -> "Pipeline":
    """Plan what must be computed, as far as the dataset allows; say what was chosen."""
    from adc_core import Encoder, Enricher, Pipeline

    def make(name: str, **options: int) -> Enricher:
        return create(Enricher, {"use": f"adc-plugins-detect/{name}", **options})

    enrichers = []
    if dataset.images is not None:
        enrichers += [make("image-quality"), make("duplicates")]
        if encoder is None and dataset.features is None:
            encoder = create(Encoder, {"use": f"adc-plugins-detect/{_ENCODER}"})
            _say(f"added the encoder {_ENCODER}: choose another with --encoder")
    elif encoder is not None:
        raise InputError(f"--encoder: {path} has no images to encode: leave the encoder out")
    if encoder is not None or dataset.features is not None:
        if dataset.neighbors is None and len(dataset) > 1:
            enrichers.append(make("neighbors", k=min(_NEIGHBORS, len(dataset) - 1)))
        if dataset.probabilities is None and (dataset.class_counts > 0).sum() > 1:
            enrichers.append(make("ridge-probe"))
            _say("added the enricher ridge-probe, for predictions")
    return Pipeline(dataset=path, encoder=encoder, enrichers=tuple(enrichers))


def _refuse_other(folder: Path, pipeline: "Pipeline") -> None:
    """Refuse a directory with results that other options have made."""
    from adc_core.runs import PIPELINE
    from adc_plugins_detect.health.files import SUMMARY

    if not (folder / SUMMARY).exists() or not (folder / PIPELINE).exists():
        return
    if (folder / PIPELINE).read_text(encoding="utf-8") != pipeline.to_yaml(folder):
        raise InputError(
            f"{folder} holds results with other options, see its {PIPELINE}: choose another --out"
        )


def _origin(pipeline: "Pipeline") -> str:
    if pipeline.encoder is None:
        return "those of the dataset"
    return f"the encoder {pipeline.encoder.name}"


def _broken(folder: Path, left_out: int) -> "list[Broken]":
    """Read which images the run has left out."""
    from adc_core.runs import BROKEN_IMAGES

    return BROKEN_IMAGES.read(folder / "dataset", {}) if left_out else []


def _say(text: str) -> None:
    """Say on standard error what was decided without being asked for."""
    print(f"adc: {text}", file=sys.stderr)
