"""Running a pipeline in a run directory: all of it, or up to the collected dataset."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adc_core.errors import InputError, InputErrors
from adc_core.images.sequence import ImageArray
from adc_core.records.dataset import Dataset
from adc_core.records.run import Run
from adc_core.runs.image_check import BROKEN, leave_out
from adc_core.runs.listeners import Listeners, installed_listeners
from adc_core.runs.pipeline import Pipeline
from adc_core.runs.pipeline_paths import path_faults
from adc_core.runs.plan import Plan, dataset_of, make_plan, names_of_stages
from adc_core.runs.run_directory import SAMPLES, open_run_directory
from adc_core.runs.run_record import COLLECTOR
from adc_core.runs.stage_cache import StageCache
from adc_core.runs.stages import Stages
from adc_core.runs.test_set import warn_of_leaks, with_classes_of
from adc_core.storage.readers import read_dataset
from adc_core.storage.truth import read_truth, truth_table

_DATASET, _TEST = "dataset", "test"
"""The stages that find images which cannot be used, in what the pipeline names so."""


def run_pipeline(
    pipeline: Pipeline,
    folder: Path | str,
    listeners: Listeners | None = None,
    given: Dataset | None = None,
    *,
    strict: bool = False,
    stage_cache: Path | str | None = None,
) -> Run:
    """Run a pipeline in a directory; what is already finished there is reused.

    Args:
        pipeline: what to do.
        folder: the run directory, made if absent.
        listeners: who hears of progress; by default every installed listener.
        given: the dataset of the pipeline, where it was read already.
        strict: refuse images that cannot be used, instead of leaving them out with a warning.
        stage_cache: a folder where finished stages are kept for other runs, and taken from.

    Raises:
        InputError: the pipeline, its data or the directory is wrong.
        WorkError: a stage failed, or the directory is damaged or in use.
    """
    folder = Path(folder)
    if faults := path_faults(pipeline):
        raise InputErrors(faults)
    if given is None:
        given = dataset_of(pipeline)
    test = None if pipeline.test is None else read_dataset(pipeline.test)
    trusted = None if pipeline.truth is None else truth_table(pipeline.truth)
    plan = make_plan(pipeline, given)
    listeners = listeners or installed_listeners()
    to_check = _to_check(plan, given, test)
    cache = None if stage_cache is None else StageCache(Path(stage_cache))
    with open_run_directory(folder, pipeline, listeners, cache) as directory:
        with _announced(listeners, folder, (*to_check, *names_of_stages(pipeline, plan))):
            stages = Stages(pipeline, directory)
            if given is not None:
                directory.note_given(given.fingerprint_of(*SAMPLES))

            def usable(name: str, dataset: Dataset | None) -> Dataset | None:
                if dataset is None or name not in to_check:
                    return dataset
                listed = f"{folder / name / BROKEN} lists all"
                broken = stages.check(name, dataset)
                # What is kept of a dataset in memory must be all of it.
                refuse = strict or dataset is pipeline.in_memory
                return leave_out(dataset, broken, strict=refuse, listed=listed)

            before, given, test = given, usable(_DATASET, given), usable(_TEST, test)
            if given is not before:  # fewer samples have fewer neighbors, and no graph
                plan = make_plan(pipeline, given)
            design, dataset = stages.collect(given)
            if test is not None:
                test = with_classes_of(test, dataset)
                if plan.reads_images:
                    warn_of_leaks(test, dataset)
            truth = None if trusted is None else read_truth(trusted, dataset)
            everything = stages.encode(dataset)
            dataset, truth = stages.corrupt(everything, truth)
            if len(dataset) < len(everything):
                plan = make_plan(pipeline, dataset, corrupted=True)
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
                test=test,
            )
            run = run.replace(trainings=stages.learn(run))
            run = run.replace(measurements=stages.measure(run))
            directory.finish()
        listeners.tell("adc_run_finished", folder=folder, run=run)
    return run


def collect_pipeline(
    pipeline: Pipeline, folder: Path | str, listeners: Listeners | None = None
) -> Run:
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
    folder = Path(folder)
    listeners = listeners or installed_listeners()
    with open_run_directory(folder, pipeline, listeners) as directory:
        with _announced(listeners, folder, ("designer", COLLECTOR)):
            design, dataset = Stages(pipeline, directory).collect(None)
        run = Run(brief=pipeline.brief, design=design, collected=dataset)
        listeners.tell("adc_run_finished", folder=folder, run=run)
    return run


@contextmanager
def _announced(listeners: Listeners, folder: Path, stages: Iterable[str]) -> Iterator[None]:
    """Tell the listeners that a run has started, and if it fails that it did."""
    listeners.tell("adc_run_started", folder=folder, stages=tuple(stages))
    try:
        yield
    except BaseException as error:
        listeners.tell("adc_run_failed", folder=folder, error=error)
        raise


def _to_check(plan: Plan, dataset: Dataset | None, test: Dataset | None) -> tuple[str, ...]:
    """Name what has images in files that somebody is going to decode."""
    given = {_DATASET: dataset, _TEST: test}
    return tuple(
        name
        for name, one in given.items()
        if plan.reads_images and one is not None and not isinstance(one.images, ImageArray | None)
    )
