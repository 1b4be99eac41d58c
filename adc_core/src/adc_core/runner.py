"""Running a pipeline in a run directory: all of it, or up to the collected dataset."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adc_core.dataset import Dataset
from adc_core.errors import InputError
from adc_core.listeners import Listeners, installed_listeners
from adc_core.pipeline import Pipeline
from adc_core.plan import make_plan
from adc_core.run import Run
from adc_core.run_directory import COLLECTOR, SAMPLES, open_run_directory
from adc_core.stages import Stages, names_of_stages
from adc_core.truth import read_truth, truth_table, with_classes_of


def run_pipeline(
    pipeline: Pipeline,
    folder: Path,
    listeners: Listeners | None = None,
    given: Dataset | None = None,
) -> Run:
    """Run a pipeline in a directory; see `Pipeline.run`.

    Args:
        pipeline: what to do.
        folder: the run directory.
        listeners: who hears of progress; by default every installed listener.
        given: the dataset of the pipeline, where it was read already.
    """
    if given is None and pipeline.dataset is not None:
        given = Dataset.read(pipeline.dataset)
    test = None if pipeline.test is None else Dataset.read(pipeline.test)
    trusted = None if pipeline.truth is None else truth_table(pipeline.truth)
    plan = make_plan(pipeline, given)
    listeners = listeners or installed_listeners()
    with open_run_directory(folder, pipeline, listeners) as directory:
        with _told(listeners, folder, names_of_stages(pipeline, plan)):
            stages = Stages(pipeline, directory)
            if given is not None:
                directory.note_given(given.fingerprint_of(*SAMPLES))
            design, dataset = stages.collect(given)
            truth = None if trusted is None else read_truth(trusted, dataset)
            dataset = stages.encode(dataset)
            dataset, truth = stages.corrupt(dataset, truth)
            dataset = stages.enrich(dataset, plan)
            findings = stages.detect(dataset)
            curations = stages.curate(dataset, findings)
            run = Run(
                brief=pipeline.brief,
                design=design,
                collected=dataset,
                findings=findings,
                curations=curations,
                truth=truth,
                test=None if test is None else with_classes_of(test, dataset),
            )
            run = run.replace(trainings=stages.learn(run))
            run = run.replace(measurements=stages.measure(run))
            directory.finish()
        listeners.tell("adc_run_finished", folder=folder, run=run)
    return run


def collect_pipeline(pipeline: Pipeline, folder: Path, listeners: Listeners | None = None) -> Run:
    """Run the first stages of a pipeline, up to the collected dataset.

    Later stages that are finished in the directory stay; `run_pipeline` goes on there.

    Args:
        pipeline: what to do.
        folder: the run directory.
        listeners: who hears of progress; by default every installed listener.

    Raises:
        InputError: the pipeline collects nothing.
    """
    if pipeline.collector is None:
        raise InputError("the pipeline has a dataset already: there is nothing to collect")
    listeners = listeners or installed_listeners()
    with open_run_directory(folder, pipeline, listeners) as directory:
        with _told(listeners, folder, ("designer", COLLECTOR)):
            design, dataset = Stages(pipeline, directory).collect(None)
        run = Run(brief=pipeline.brief, design=design, collected=dataset)
        listeners.tell("adc_run_finished", folder=folder, run=run)
    return run


@contextmanager
def _told(listeners: Listeners, folder: Path, stages: Iterable[str]) -> Iterator[None]:
    """Tell the listeners that a run has started, and if it fails that it did."""
    listeners.tell("adc_run_started", folder=folder, stages=tuple(stages))
    try:
        yield
    except BaseException as error:
        listeners.tell("adc_run_failed", folder=folder, error=error)
        raise
