"""`adc check`: a pipeline file without running it, or a component's promises."""

import sys
import traceback
from argparse import ArgumentParser, Namespace
from pathlib import Path

from adc_core.cli.pipeline_file import faults_of, read_pipeline
from adc_core.components.command import Command
from adc_core.components.component import Component
from adc_core.components.interfaces import interface_of
from adc_core.components.plugin_faults import fault_of
from adc_core.components.registry import registry
from adc_core.errors import InputError, WorkError
from adc_core.runs.pipeline_check import check_pipeline


class CheckCommand(Command):
    """Check a pipeline file, or a component against the promises of its interface."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.usage = "adc check FILE\n       adc check KIND NAME"
        parser.add_argument("target", metavar="FILE or KIND", help="a pipeline file, or a kind")
        parser.add_argument(
            "name", nargs="?", help="of the component to check: NAME or PACKAGE/NAME"
        )

    def run(self, arguments: Namespace) -> int:
        """Check the target; 0 where all is well."""
        if arguments.name is None and arguments.target not in registry.kinds():
            path = Path(arguments.target)
            _refuse_name(path)
            pipeline = read_pipeline(path)
            with faults_of(path):
                check_pipeline(pipeline)
            print(f"{arguments.target}: all is well")
            return 0
        if arguments.name is None:
            raise InputError(f"say which of {arguments.target}: adc check {arguments.target} NAME")
        return _check_component(arguments.target, arguments.name, debug=arguments.debug)


def _refuse_name(path: Path) -> None:
    """Refuse a component's name where a pipeline file is expected.

    Raises:
        InputError: there is such a component, and no such file.
    """
    name = str(path)
    for kind in registry.kinds():
        offered = {one for entry in registry.entries(kind) for one in (entry.name, entry.full_name)}
        if name in offered and not path.exists():
            raise InputError(f"{name} is not a file: adc check {kind} {name} checks the component")


def _check_component(kind: str, name: str, *, debug: bool) -> int:
    from adc_core.testing import checks_for, example_of, promise_of, promised_by, remedy_of

    component = registry.load(interface_of(kind), name)
    try:
        checks = checks_for(component)
    except ValueError as error:
        raise InputError(str(error)) from error
    broken = 0
    for check in promised_by(component):
        promise = promise_of(check)
        if check not in checks:
            reason = component.known_exceptions[check.__name__]
            print(f"skipped {check.__name__}: {promise} Known exception: {reason}")
            continue
        try:
            check(example_of(component))
        except (Exception, SystemExit) as error:
            if component.asks_service and type(error) in (InputError, WorkError):
                print(f"skipped {check.__name__}: {promise} {error}")
                continue
            broken += 1
            print(
                f"broken  {check.__name__}: {promise} {_reason(error, component)}", file=sys.stderr
            )
            print(f"        {remedy_of(check)}", file=sys.stderr)
            if debug:
                traceback.print_exception(error)
        else:
            print(f"kept    {check.__name__}: {promise}")
    return 1 if broken else 0


def _reason(error: BaseException, component: type[Component]) -> str:
    """Return what a check found, with type and line unless it is a broken promise."""
    if isinstance(error, AssertionError) and str(error):
        return " ".join(str(error).split())
    return fault_of(component, error)
