"""The run directory: one folder per finished stage, and `run.json`.

A stage is written in `.work` and renamed when whole, so a killed run leaves finished stages and
resumable work, never half a stage.
"""

import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from adc_core.components.context import OnProgress, OnStatus, work_context
from adc_core.components.installed import installed_packages
from adc_core.components.signals import raise_if_interrupted
from adc_core.errors import InputError, WorkError
from adc_core.reporting.result_files import RESULTS
from adc_core.runs.listeners import Listeners
from adc_core.runs.pipeline import Pipeline
from adc_core.runs.previous_results import keep_previous
from adc_core.runs.run_record import (
    PIPELINE,
    RECORD,
    Machine,
    RunRecord,
    StageRecord,
    read_record,
    write_record,
)
from adc_core.runs.stage_cache import StageCache, link_folder
from adc_core.runs.stage_formats import StageFormat
from adc_core.storage.atomic import (
    atomic_file,
    atomic_folder,
    files_cut_short,
    translate_os_errors,
    write_json,
)
from adc_core.storage.checksums import SUMS, read_checksums, verify_checksums, write_checksums
from adc_core.storage.plain_files import refuse_irregular

W = TypeVar("W")
R = TypeVar("R")

EVIDENCE = ("encoder", "enrichers/")
"""How the names of the stages begin that gather evidence."""

SAMPLES = ("ids", "labels", "classes")
"""What decides whether a dataset is still the one that a run was given."""

_STAGE = "stage.json"
_LOCK = ".lock"


class RunDirectory:
    """A run directory that this process holds; use `open_run_directory`."""

    def __init__(
        self,
        folder: Path,
        pipeline: Pipeline,
        listeners: Listeners,
        stage_cache: StageCache | None = None,
    ) -> None:
        self.folder = folder
        self._stage_cache = stage_cache
        self._listeners = listeners
        self._work = folder / ".work"
        self._cache = folder / ".cache"
        self._done: set[str] = set()
        before = read_record(folder)
        self._record = RunRecord(
            source=pipeline.source,
            started=_now(),
            pipeline=json.loads(pipeline.model_dump_json()),
            seeds=dict(_seeds("", pipeline.model_dump(mode="json"))),
            machine=Machine(
                cpus=os.cpu_count(),
                platform=platform.platform(),
                python=platform.python_version(),
            ),
            packages=installed_packages(),
            stages={} if before is None else before.stages,
        )
        with translate_os_errors(folder):
            for part in files_cut_short(folder, (RECORD, PIPELINE, *RESULTS)):
                part.unlink()
            text = pipeline.to_yaml(folder)
            keep_previous(folder, PIPELINE, text)
        write_record(self._record, folder)  # first: by it a killed run knows its directory again
        with atomic_file(folder / PIPELINE) as part:
            part.write_text(text, encoding="utf-8")

    def stage(
        self,
        name: str,
        key: Mapping[str, Any],
        work: Callable[[], W],
        form: StageFormat[W, R],
        *,
        keeps_cache: bool = False,
        artifacts: Sequence[str] = (),
    ) -> R:
        """Make the result of a stage, or read it if it was made from the same key.

        Args:
            name: the stage and its folder: `detectors/simifeat`.
            key: everything that the result depends on: fingerprints, never secrets.
            work: makes the result.
            form: how it is written and read.
            keeps_cache: whether its work folder serves the same stage with another key, too, and
                stays when it is finished; the work itself knows what of it still holds.
            artifacts: files of its work folder that are kept beside the result.

        Raises:
            WorkError: the disk refuses, or the finished stage is damaged.
        """
        raise_if_interrupted()
        folder = self.folder / name
        described = {"stage": name, "key": dict(key)}
        started = time.perf_counter()
        reused = json.dumps(_stage_key(folder)) == json.dumps(described)
        if reused:
            result = form.read(folder, verify_checksums(folder))
        else:
            make = partial(self._make, name, described, work, form, keeps_cache, artifacts)
            try:
                reused = self._made_or_taken(name, described, make)
                result = form.read(folder, read_checksums(folder))
            except BaseException as error:
                self._listeners.tell("adc_stage_failed", stage=name, error=error)
                raise
        self._finish(name, folder, time.perf_counter() - started, reused=reused)
        return result

    def _made_or_taken(
        self, name: str, described: Mapping[str, Any], make: Callable[[], None]
    ) -> bool:
        """Take a stage from the cache if it is there; else make it, and leave it there.

        Returns:
            Whether it was taken.
        """
        if self._stage_cache is None:
            make()
            return False
        folder = self.folder / name
        with self._stage_cache.held(described) as cached:
            if taken := cached.is_dir():
                verify_checksums(cached)
                link_folder(cached, folder, self._work / "part")
            else:
                make()
                link_folder(folder, cached, cached.with_suffix(".part"))
        return taken

    def _make(
        self,
        name: str,
        described: Mapping[str, Any],
        work: Callable[[], W],
        form: StageFormat[W, R],
        keeps_cache: bool,
        artifacts: Sequence[str],
    ) -> None:
        """Do a stage's work in a folder of its own and write the result, whole or not at all."""
        kept = self._cache if keeps_cache else self._work / "stages"
        place = scratch = kept / name.replace("/", ".")
        if not keeps_cache:
            digest = sha256(json.dumps(described).encode()).hexdigest()[:16]
            _forget_other(scratch, digest)
            place = scratch / digest
        self._listeners.tell("adc_stage_started", stage=name)
        with translate_os_errors(place), work_context(place, *self._heard_of(name)):
            value = work()
        part = self._work / "part"
        with atomic_folder(self.folder / name, part):
            sums = form.write(value, part)
            write_json(part / _STAGE, described)
            for file in artifacts:
                if (place / file).exists():
                    shutil.copyfile(place / file, part / file)
            write_checksums(part, sums)
        if not keeps_cache:
            shutil.rmtree(scratch, ignore_errors=True)

    def note_given(self, fingerprint: str) -> None:
        """Note which dataset the run was given, so that a reader can tell whether it still is."""
        self._record.given = fingerprint
        write_record(self._record, self.folder)

    def finish(self) -> None:
        """Note that every stage is done and drop folders of stages that are no longer planned."""
        stages = self._record.stages
        # Evidence is dear, and serves again when its pipeline comes back.
        for name in {name for name in set(stages) - self._done if not name.startswith(EVIDENCE)}:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self._record.stages = {name: stages[name] for name in stages if name in self._done}
        self._record.finished = True
        write_record(self._record, self.folder)
        shutil.rmtree(self._work, ignore_errors=True)

    def _finish(self, name: str, folder: Path, seconds: float, *, reused: bool) -> None:
        digest = sha256((folder / SUMS).read_bytes()).hexdigest()
        before = self._record.stages.pop(name, None)
        if reused and before is not None and before.fingerprint == digest:
            worked = before.seconds
        else:
            worked = round(seconds, 3)
        self._record.stages[name] = StageRecord(fingerprint=digest, seconds=worked, reused=reused)
        self._done.add(name)
        write_record(self._record, self.folder)
        self._listeners.tell("adc_stage_finished", stage=name, seconds=seconds, reused=reused)

    def _heard_of(self, stage: str) -> tuple[OnProgress, OnStatus]:
        def on_progress(done: int, total: int | None, unit: str) -> None:
            self._listeners.tell(
                "adc_stage_progressed", stage=stage, done=done, total=total, unit=unit
            )

        def on_status(text: str) -> None:
            self._listeners.tell("adc_stage_status", stage=stage, text=text)

        return on_progress, on_status


def _forget_other(scratch: Path, digest: str) -> None:
    """Delete partial results of other options: they are of no use to a stage."""
    if scratch.is_dir():
        for old in scratch.iterdir():
            if old.name != digest:
                shutil.rmtree(old, ignore_errors=True)


@contextmanager
def open_run_directory(
    folder: Path,
    pipeline: Pipeline,
    listeners: Listeners,
    stage_cache: StageCache | None = None,
) -> Iterator[RunDirectory]:
    """Hold a run directory for this process alone.

    Raises:
        InputError: the folder belongs to something else.
        WorkError: another process holds it, or it cannot be written.
    """
    _refuse_other(folder, pipeline)
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise WorkError(
                f"{folder} is in use by another process: wait for it or choose another --out"
            ) from None
    try:
        yield RunDirectory(folder, pipeline, listeners, stage_cache)
    finally:
        lock.release()


def _refuse_other(folder: Path, pipeline: Pipeline) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: choose another --out")
    if not folder.exists():
        return
    begun = {folder / _LOCK, *files_cut_short(folder, (RECORD,))}
    if not (folder / RECORD).exists() and set(folder.iterdir()) - begun:
        raise InputError(f"{folder} is not empty and not a run directory: choose another --out")
    refuse_irregular(folder)  # before anything is opened: the record itself may be a FIFO
    record = read_record(folder)
    if record is not None and record.source != pipeline.source:
        raise InputError(
            f"{folder} holds the run of another pipeline ({record.source}, "
            f"not {pipeline.source}): choose another --out"
        )


def _stage_key(folder: Path) -> Any:
    try:
        return json.loads((folder / _STAGE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise WorkError(
            f"{folder / _STAGE} is damaged: remove {folder} to make it again"
        ) from error


def _seeds(place: str, value: Any) -> Iterator[tuple[str, int]]:
    """Find every option named `seed`, with its place in the pipeline."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        here = f"{place}.{key}".lstrip(".")
        if key == "seed" and isinstance(item, int):
            yield here, item
        elif isinstance(item, dict | list):
            yield from _seeds(here, item)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
