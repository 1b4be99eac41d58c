"""`adc check`: a pipeline file without running it, or a component's promises."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from adc_core.cli.pipeline_file import faults_of, read_pipeline
from adc_core.cli.show import interface_of
from adc_core.dataset import Dataset
from adc_core.errors import InputErrors
from adc_core.image_check import absent_images, leave_out
from adc_core.interfaces import INTERFACES
from adc_core.pipeline import Pipeline
from adc_core.pipeline_paths import path_faults
from adc_core.plan import dataset_of, make_plan
from adc_core.registry import registry
from adc_core.test_set import with_classes_of


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("target", metavar="FILE|KIND", help="a pipeline file, or a kind and a NAME")
    parser.add_argument("name", nargs="?", help="the component to check: NAME or PACKAGE/NAME")


def run(arguments: Namespace) -> int:
    """Check the target; 0 where all is well."""
    if arguments.name is None and arguments.target not in INTERFACES:
        path = Path(arguments.target)
        pipeline = read_pipeline(path)
        with faults_of(path):
            _check_pipeline(pipeline)
        print(f"{arguments.target}: all is well")
        return 0
    return _check_component(arguments.target, arguments.name or "")


def _check_pipeline(pipeline: Pipeline) -> None:
    """Check that its paths lead somewhere, that its columns are made and its test set fits.

    Files that a list names and that are not there are counted in a warning, as a run would.
    """
    if faults := path_faults(pipeline):
        raise InputErrors(faults)
    given = dataset_of(pipeline)
    test = None if pipeline.test is None else Dataset.read(pipeline.test)
    plan = make_plan(pipeline, given)
    for dataset in (given, test):
        if plan.reads_images and dataset is not None:
            absent = absent_images(dataset.images)
            leave_out(dataset, absent, strict=False, listed="a run would leave them out")
    if given is not None and test is not None:
        with_classes_of(test, given)


def _check_component(kind: str, name: str) -> int:
    from adc_core.conformance import checks_for, example_of

    component = registry.load(interface_of(kind), name)
    broken = 0
    for check in checks_for(component):
        promise = (check.__doc__ or "").partition("\n")[0]
        try:
            check(example_of(component))
        except Exception as error:
            broken += 1
            reason = " ".join(str(error).split()) or type(error).__name__
            print(f"broken  {check.__name__}: {promise} {reason}", file=sys.stderr)
        else:
            print(f"kept    {check.__name__}: {promise}")
    return 1 if broken else 0
