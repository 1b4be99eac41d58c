"""Whether a pipeline can begin: its paths, its columns, its test set."""

from collections.abc import Callable
from pathlib import Path

from adc_core.errors import InputErrors
from adc_core.records.dataset import Dataset
from adc_core.runs.image_check import absent_images, leave_out
from adc_core.runs.pipeline import Pipeline
from adc_core.runs.pipeline_paths import path_faults
from adc_core.runs.plan import make_plan
from adc_core.runs.test_set import with_classes_of
from adc_core.storage.readers import read_dataset


def check_pipeline(pipeline: Pipeline, read: Callable[[Path], Dataset] = read_dataset) -> None:
    """Check that paths lead somewhere, that columns are made and that the test set fits.

    Files that a list names and that are not there are counted in a warning, as a run would.

    Args:
        pipeline: what would run.
        read: reads a dataset; whoever checks many pipelines keeps what was read.

    Raises:
        InputErrors: what is wrong, one line each.
    """
    if faults := path_faults(pipeline):
        raise InputErrors(faults)
    given = pipeline.dataset
    if isinstance(given, Path):
        given = read(given)
    test = None if pipeline.test is None else read(pipeline.test)
    plan = make_plan(pipeline, given)
    for dataset in (given, test):
        if plan.reads_images and dataset is not None:
            absent = absent_images(dataset.images)
            leave_out(dataset, absent, strict=False, listed="a run would leave them out")
    if given is not None and test is not None:
        with_classes_of(test, given)
