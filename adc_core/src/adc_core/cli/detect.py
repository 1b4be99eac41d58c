"""`adc detect`: find wrong labels in a dataset, without a pipeline file."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TypeVar

from adc_core.cli.component_option import component_from
from adc_core.cli.evidence_ladder import announced, choose_rung
from adc_core.cli.found import parts_found
from adc_core.components.command import Command
from adc_core.components.component import Component
from adc_core.components.interfaces import Detector, Encoder, Enricher, Learner, Metric
from adc_core.errors import InputError, InputErrors, lines_of
from adc_core.records.dataset import Dataset
from adc_core.reporting.findings_table import write_findings
from adc_core.reporting.result_files import report_line
from adc_core.reporting.text_tables import tables_of
from adc_core.runs.completion import complete
from adc_core.runs.listeners import installed_listeners
from adc_core.runs.pipeline import Pipeline
from adc_core.runs.run_record import PIPELINE, reused_stages
from adc_core.runs.runner import run_pipeline
from adc_core.storage.readers import read_dataset

C = TypeVar("C", bound=Component)

DETECTORS = ("adc-plugins-detect/self-confidence",)
"""Used where none is named. In full, so that no other package of that name gets in the way."""


class DetectCommand(Command):
    """Find wrong labels in a dataset, without a pipeline file."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument(
            "dataset", type=Path, help="an image folder, a .csv, .parquet or .npz, a saved dataset"
        )
        parser.add_argument(
            "--use",
            action="append",
            metavar="NAME[:OPTIONS]",
            help="a detector, such as simifeat:k=12,rule=vote, in place of self-confidence; may be "
            "repeated",
        )
        parser.add_argument(
            "--encoder",
            metavar="NAME[:OPTIONS]",
            help="what makes features of images (default: the best available, which is printed)",
        )
        parser.add_argument(
            "--learner",
            metavar="NAME[:OPTIONS]",
            help="what is trained by cross-validation, for probabilities and training dynamics",
        )
        parser.add_argument(
            "--enricher", metavar="NAME[:OPTIONS]", help="what makes probabilities, in its place"
        )
        parser.add_argument(
            "--fast", action="store_true", help="seconds for thousands of images: no network at all"
        )
        parser.add_argument(
            "--truth", type=Path, help="true labels, to measure the detectors: CSV or Parquet"
        )
        parser.add_argument(
            "--out", type=Path, help="the run directory (default: runs/NAME OF THE DATASET-detect)"
        )
        parser.add_argument(
            "--strict", action="store_true", help="refuse images that cannot be used, naming all"
        )
        parser.add_argument("--csv", action="store_true", help="write findings.csv, not .parquet")

    def run(self, arguments: Namespace) -> int:
        """Find wrong labels and print the most suspicious."""
        pipeline, dataset = _pipeline(arguments)
        folder = arguments.out or Path("runs", f"{_name_of(arguments.dataset)}-detect")
        result = run_pipeline(
            pipeline, folder, installed_listeners(), dataset, strict=arguments.strict
        )
        written = write_findings(result, folder, csv=arguments.csv)
        for part in (*parts_found(result), *tables_of(result)):
            print(f"{part}\n")
        if (reused := reused_stages(folder)) is not None:
            print(reused)
        print(f"findings: {written}")
        print(f"pipeline: {folder / PIPELINE}")
        print(report_line(folder))
        return 0


def _name_of(path: Path) -> str:
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.stem


def _pipeline(arguments: Namespace) -> tuple[Pipeline, Dataset]:
    """Return the dataset, and the pipeline with what the detectors need and the dataset lacks."""
    faults: list[str] = []
    named = [_build(Detector, "--use", text, faults) for text in arguments.use or DETECTORS]
    encoder = _build(Encoder, "--encoder", arguments.encoder, faults)
    learner = _build(Learner, "--learner", arguments.learner, faults)
    enricher = _build(Enricher, "--enricher", arguments.enricher, faults)
    metric = _build(Metric, "--truth", arguments.truth and "detection", faults)
    if learner is not None and enricher is not None:
        faults.append("--learner and --enricher both make probabilities: give one of them")
    if faults:
        raise InputErrors(faults)
    dataset = read_dataset(arguments.dataset)
    rung = choose_rung(
        dataset, encoder=encoder, learner=learner, enricher=enricher, fast=arguments.fast
    )
    pipeline = Pipeline(
        dataset=arguments.dataset,
        detectors=tuple(detector for detector in named if detector is not None),
        metrics=() if metric is None else (metric,),
        truth=arguments.truth,
    )
    completed, rung_used = complete(pipeline, dataset, rung)
    if rung_used:
        for line in announced(rung, dataset):
            print(f"adc: {line}", file=sys.stderr)
    return completed, dataset


def _build(interface: type[C], flag: str, text: str | None, faults: list[str]) -> C | None:
    """Build the component that was asked for; where that fails, note the reason."""
    try:
        return None if text is None else component_from(interface, flag, text)
    except InputError as error:
        faults.extend(lines_of(error))
        return None
