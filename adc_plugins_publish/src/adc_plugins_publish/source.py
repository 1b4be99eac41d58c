"""What is exported: a dataset, and what is known of how it came about."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import yaml

from adc_core import (
    Curation,
    Dataset,
    Findings,
    InputError,
    Run,
    read_collected,
    read_dataset,
    read_run,
)
from adc_core.runs import COLLECTOR, PIPELINE, is_finished, is_run_directory, left_out_images

CURATORS = "curators/"
"""The stages that have a dataset; the others have something about it."""

_WITHOUT = ("designer", "encoder", "simulators", "enrichers", "detectors", "learners", "metrics")


@dataclass(frozen=True)
class Source:
    """A dataset on its way out.

    Attributes:
        path: what the user named.
        dataset: the samples to write.
        original: the same before any curator; its images are where the user has them.
        curations: what made `dataset` out of `original`, in order.
        findings: detector name to what it said of `original`.
        curators: of the pipeline, applied or not.
        pipeline: the pipeline of the run, as YAML; None where no run is known.
        collected: whether images were found by searching, and so labelled by the words of a query.
        simulators: of the pipeline: what made labels wrong on purpose.
        left_out: id to the reason, of images that the run could not use.
    """

    path: Path
    dataset: Dataset
    original: Dataset
    curations: Mapping[str, Curation] = field(default_factory=dict)
    findings: Mapping[str, Findings] = field(default_factory=dict)
    curators: tuple[str, ...] = ()
    pipeline: str | None = None
    collected: bool = False
    simulators: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


def read_source(path: Path, *, raw: bool = False, stage: str | None = None) -> Source:
    """Read what the user wants to export.

    Args:
        path: a run directory, a stage of one, or whatever `read_dataset` reads.
        raw: of a run, the dataset as collected or given, in place of the curated one.
        stage: of a run, the dataset of this stage: `collector`, or `curators/NAME`.

    Raises:
        InputError: there is no such dataset, run or stage.
        WorkError: a stage is missing or damaged.
    """
    if raw and stage is not None:
        raise InputError("--raw and --stage are two answers to one question: give one of them")
    run, inside = _run_and_stage(path)
    if run is None:
        if raw or stage is not None:
            option = "--raw" if raw else "--stage"
            raise InputError(f"{option} is for run directories, and {path} is none: leave it out")
        dataset = read_dataset(path)
        return Source(path, dataset, dataset, collected=_was_collected(dataset))
    if inside is not None and (raw or stage is not None):
        raise InputError(f"{path} is a stage already: give {run} with --raw or --stage")
    wanted = inside if stage is None else stage.strip("/")
    pipeline = (run / PIPELINE).read_text(encoding="utf-8")
    if wanted == COLLECTOR or (raw and not is_finished(run)):
        dataset = read_dataset(path) if inside is not None else read_collected(run)
        return Source(
            path,
            dataset,
            dataset,
            pipeline=pipeline,
            collected=_was_collected(dataset),
            left_out={} if inside is not None else left_out_images(run),
        )
    if not is_finished(run):
        raise InputError(
            f"the run in {run} is not finished: run it again to the end, or export what was "
            "collected with --raw"
        )
    source = _of_run(path, read_run(run), pipeline, raw, wanted)
    labeled = source.dataset.labeled
    aside = {str(one): "its label was set aside" for one in source.dataset.ids[~labeled]}
    return replace(
        source,
        dataset=source.dataset if labeled.all() else source.dataset.take(np.flatnonzero(labeled)),
        left_out=left_out_images(run) | aside,
    )


def _of_run(path: Path, run: Run, pipeline: str, raw: bool, stage: str | None) -> Source:
    names = list(run.curations)
    if stage is not None:
        known = [f"{CURATORS}{name}" for name in names]
        if stage not in known:
            raise InputError(
                f"the run has no stage {stage!r} with a dataset: choose "
                f"{', '.join([*known, COLLECTOR])}"
            )
        applied = names[: known.index(stage) + 1]
    else:
        applied = [] if raw else names
    curations = {name: run.curations[name] for name in applied}
    return Source(
        path=path,
        dataset=curations[applied[-1]].dataset if applied else run.collected,
        original=run.collected,
        curations=curations,
        findings=run.findings,
        curators=tuple(names),
        pipeline=pipeline,
        collected=run.design is not None or _was_collected(run.collected),
        simulators=_simulators(pipeline),
    )


def _run_and_stage(path: Path) -> tuple[Path | None, str | None]:
    """Return the run directory that a path is, or is a stage of; and the stage's name."""
    if not path.is_dir():
        return None, None
    if is_run_directory(path):
        return path, None
    for depth in (1, 2):
        whole = path if len(path.parts) > depth else path.absolute()
        run, stage = whole.parents[depth - 1], "/".join(whole.parts[-depth:])
        if not is_run_directory(run):
            continue
        if stage == COLLECTOR or stage.startswith(CURATORS):
            return run, stage
        if stage.partition("/")[0] in _WITHOUT:
            raise InputError(
                f"{path} is a stage without a dataset: export the run, {run}, or a curator's stage"
            )
    return None, None


def _was_collected(dataset: Dataset) -> bool:
    known = () if dataset.sources is None else dataset.sources.column_names
    return {"engine", "query"} <= {*known}


def _simulators(pipeline: str) -> tuple[str, ...]:
    parsed = yaml.safe_load(pipeline)
    listed = parsed.get("simulators") if isinstance(parsed, dict) else None
    uses = [item.get("use", "") for item in listed or [] if isinstance(item, dict)]
    return tuple(str(name).rpartition("/")[2] for name in uses)
