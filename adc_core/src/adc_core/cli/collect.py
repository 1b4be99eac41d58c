"""`adc collect`: the images of a pipeline file, without what comes after them."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from adc_core.cli.pipeline_file import read_pipeline
from adc_core.components.command import Command
from adc_core.reporting.collection_summary import CollectionSummary, summarize
from adc_core.reporting.result_files import report_line
from adc_core.reporting.text_tables import table
from adc_core.runs.listeners import installed_listeners
from adc_core.runs.run_record import COLLECTOR, reused_stages
from adc_core.runs.runner import collect_pipeline

SHOWN = 12
"""Rows of a table; the report has all."""


class CollectCommand(Command):
    """Collect the images of a pipeline file, and no more."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("pipeline", type=Path, help="the pipeline file: .yaml, .toml or .json")
        parser.add_argument(
            "--out", type=Path, help="the run directory (default: runs/NAME OF THE FILE)"
        )

    def run(self, arguments: Namespace) -> int:
        """Collect and print what was found, and what was not."""
        pipeline = read_pipeline(arguments.pipeline)
        folder = arguments.out or Path("runs", arguments.pipeline.stem)
        result = collect_pipeline(pipeline, folder, installed_listeners())
        assert result.design is not None
        summary = summarize(result.design, result.collected, folder / COLLECTOR)
        for part in _parts(summary):
            print(f"{part}\n")
        if (reused := reused_stages(folder)) is not None:
            print(reused)
        print(f"images: {len(result.collected):,} in {folder / COLLECTOR}")
        print(report_line(folder))
        print(f"next: adc run {arguments.pipeline} --out {folder}")
        return 0


def _parts(summary: CollectionSummary) -> Iterator[str]:
    for kind, yields in summary.yields.items():
        rows = [
            [one.name, f"{one.queries:,}", f"{one.images:,}", f"{one.barren:,}"] for one in yields
        ]
        yield _shortened([kind, "queries", "images", "empty"], rows)
    if summary.refusals:
        rows = [[one.reason, f"{one.count:,}"] for one in summary.refusals]
        yield _shortened(["refused", "images"], rows)
    for name, counts in (("license", summary.licenses), ("engine", summary.engines)):
        yield _shortened([name, "images"], [[value, f"{count:,}"] for value, count in counts])
    if summary.barren:
        shown = ", ".join(f'"{text}"' for text in summary.barren[:5])
        more = f" and {len(summary.barren) - 5:,} more" if len(summary.barren) > 5 else ""
        yield f"no image kept of: {shown}{more}"


def _shortened(head: list[str], rows: list[list[str]]) -> str:
    more = f"\n… and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return table(head, rows[:SHOWN]) + more
