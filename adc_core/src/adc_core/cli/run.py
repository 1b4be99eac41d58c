"""`adc run`: a pipeline file, in a run directory."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adc_core.cli.found import parts_found
from adc_core.cli.pipeline_file import faults_of, read_pipeline
from adc_core.components.command import Command
from adc_core.reporting.findings_table import write_findings
from adc_core.reporting.result_files import report_line
from adc_core.reporting.text_tables import tables_of
from adc_core.runs.listeners import installed_listeners
from adc_core.runs.run_record import reused_stages
from adc_core.runs.runner import run_pipeline


class RunCommand(Command):
    """Run a pipeline file."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("pipeline", type=Path, help="the pipeline file: .yaml, .toml or .json")
        parser.add_argument(
            "--out", type=Path, help="the run directory (default: runs/NAME OF THE FILE)"
        )
        parser.add_argument(
            "--strict", action="store_true", help="refuse images that cannot be used, naming all"
        )
        parser.add_argument(
            "--stage-cache",
            type=Path,
            metavar="FOLDER",
            help="keep finished stages there for other runs, and take theirs",
        )
        parser.add_argument(
            "--block",
            action="append",
            default=[],
            metavar="PACKAGE/NAME",
            help="a listener to leave out, such as adc-core/progress",
        )

    def run(self, arguments: Namespace) -> int:
        """Run the pipeline and print what was measured."""
        pipeline = read_pipeline(arguments.pipeline)
        folder = arguments.out or Path("runs", arguments.pipeline.stem)
        with faults_of(arguments.pipeline):
            result = run_pipeline(
                pipeline,
                folder,
                installed_listeners(arguments.block),
                strict=arguments.strict,
                stage_cache=arguments.stage_cache,
            )
        for part in (*parts_found(result), *tables_of(result)):
            print(f"{part}\n")
        if result.findings:
            print(f"findings: {write_findings(result, folder)}")
        if (reused := reused_stages(folder)) is not None:
            print(reused)
        print(report_line(folder))
        return 0
