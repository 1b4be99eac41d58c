"""`adc detect`: find wrong labels in a dataset, without a pipeline file."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TypeVar

from adc_core.arrays import Array
from adc_core.cli.component_option import component_from
from adc_core.cli.evidence_makers import EvidenceMakers
from adc_core.cli.findings_file import findings_table, write_findings
from adc_core.cli.tables import table, tables_of
from adc_core.component import Component
from adc_core.dataset import Dataset
from adc_core.errors import InputError, InputErrors
from adc_core.faults import lines_of
from adc_core.interfaces import Detector, Encoder, Metric
from adc_core.interruption import listen
from adc_core.listeners import installed_listeners
from adc_core.pipeline import Pipeline
from adc_core.report import REPORT
from adc_core.run import Run
from adc_core.run_directory import PIPELINE
from adc_core.runner import run_pipeline
from adc_core.verdicts import flagged_by_any, most_suspicious_first, suggestions, verdicts_of

C = TypeVar("C", bound=Component)

DETECTORS = ("simifeat", "confident-learning")
"""Used where none is named, as far as the dataset has what they read."""

SHOWN = 10
"""How many suspicious samples are printed; the file has all."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "dataset", type=Path, help="an image folder, a .csv, .parquet or .npz, a saved dataset"
    )
    parser.add_argument(
        "--use",
        action="append",
        metavar="NAME[:OPTIONS]",
        help="a detector, such as simifeat:k=12,rule=vote; may be repeated "
        f"(default: {' and '.join(DETECTORS)})",
    )
    parser.add_argument(
        "--encoder",
        metavar="NAME[:OPTIONS]",
        help="what makes features of images (default: none where the dataset has features)",
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


def run(arguments: Namespace) -> int:
    """Find wrong labels and print the most suspicious."""
    listen()
    pipeline, dataset = _pipeline(arguments)
    folder = arguments.out or Path("runs", f"{_name_of(arguments.dataset)}-detect")
    result = run_pipeline(pipeline, folder, installed_listeners(), dataset, strict=arguments.strict)
    order = most_suspicious_first(result.findings.values())
    written = write_findings(findings_table(result, order), folder, csv=arguments.csv)
    for part in (_verdicts(result), _suspects(result, order), *tables_of(result)):
        print(f"{part}\n")
    print(f"findings: {written}")
    print(f"pipeline: {folder / PIPELINE}")
    if (folder / REPORT).exists():
        print(f"report: {folder / REPORT}")
    return 0


def _name_of(path: Path) -> str:
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.stem


def _pipeline(arguments: Namespace) -> tuple[Pipeline, Dataset]:
    """The pipeline with what the detectors need and the dataset lacks, and the dataset."""
    faults: list[str] = []
    named = [_build(Detector, "--use", text, faults) for text in arguments.use or DETECTORS]
    encoder = _build(Encoder, "--encoder", arguments.encoder, faults)
    metric = _build(Metric, "--truth", arguments.truth and "detection", faults)
    if faults:
        raise InputErrors(faults)
    dataset = Dataset.read(arguments.dataset)
    makers = EvidenceMakers(dataset, arguments.dataset, encoder)
    detectors = []
    for detector in filter(None, named):
        try:
            makers.serve(detector)
            detectors.append(detector)
        except InputError as error:
            faults.append(f"{detector.name}: {error}")
    if faults and (arguments.use or not detectors):
        raise InputErrors(f"--use {fault}" for fault in faults)
    for fault in faults:
        _say(f"left out {fault}")
    if makers.encoder is not None and encoder is None:
        _say(f"added the encoder {makers.encoder.name}: choose another with --encoder")
    for enricher in makers.enrichers:
        _say(f"added the enricher {enricher.name}, for {', '.join(enricher.adds)}")
    pipeline = Pipeline(
        dataset=arguments.dataset,
        encoder=makers.encoder,
        enrichers=makers.enrichers,
        detectors=tuple(detectors),
        metrics=() if metric is None else (metric,),
        truth=arguments.truth,
    )
    return pipeline, dataset


def _build(interface: type[C], flag: str, text: str | None, faults: list[str]) -> C | None:
    """The component that was asked for; where that cannot be, the reason is noted."""
    try:
        return None if text is None else component_from(interface, flag, text)
    except InputError as error:
        faults.extend(lines_of(error))
        return None


def _say(text: str) -> None:
    """Say on standard error what was decided without being asked for."""
    print(f"adc: {text}", file=sys.stderr)


def _verdicts(run: Run) -> str:
    head = ["detector", "flagged", "share", "estimated noise", "suggestions"]
    rows = [
        [
            verdict.detector,
            f"{verdict.flagged:,}",
            f"{100 * verdict.share:.1f} %",
            "-" if verdict.noise_rate is None else f"{100 * verdict.noise_rate:.1f} %",
            f"{verdict.suggested:,}",
        ]
        for verdict in verdicts_of(run.findings)
    ]
    return table(head, rows)


def _suspects(run: Run, order: Array) -> str:
    """The first flagged samples, each with the labels that its detectors suggest."""
    dataset = run.collected
    flagged = flagged_by_any(run.findings.values())
    rows = order[:SHOWN][flagged[order[:SHOWN]]].tolist()
    if not rows:
        return "no label is flagged"
    suggested = {name: suggestions(run.findings[name], dataset.classes) for name in run.findings}
    head = ["most suspicious", "given", "suggested", "flagged by"]
    lines = []
    for row in rows:
        names = dict.fromkeys(column[row].as_py() for column in suggested.values())
        by = [name for name, found in run.findings.items() if found.flagged[row]]
        words = [
            str(dataset.ids[row]),
            dataset.classes[dataset.labels[row]],
            " or ".join(name for name in names if name is not None) or "-",
            ", ".join(by),
        ]
        lines.append([_printable(word) for word in words])
    return table(head, lines, texts=len(head))


def _printable(text: str) -> str:
    """A text that cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
