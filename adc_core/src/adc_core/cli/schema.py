"""`adc schema`: what may stand in a pipeline file, for editors that complete and check it."""

import json
from argparse import ArgumentParser, Namespace

from adc_core.components.command import Command


class SchemaCommand(Command):
    """Print the JSON schema of pipeline files, with all installed components."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add no argument: the schema is of all that is installed."""

    def run(self, arguments: Namespace) -> int:
        """Print the schema."""
        from adc_core.runs.pipeline_schema import pipeline_schema

        print(json.dumps(pipeline_schema(), indent=1, ensure_ascii=False))
        return 0
