"""The record of a run, `run.json`: validated whenever it is read, for it may be somebody else's."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from adc_core.errors import WorkError, lines_of
from adc_core.storage.atomic import atomic_file

RECORD = "run.json"
PIPELINE = "pipeline.yaml"

COLLECTOR = "collector"
"""The stage of the collected dataset."""

_ALONE = ("dataset", "test", "designer", COLLECTOR, "encoder")
_MANY = ("simulators", "enrichers", "detectors", "curators", "learners", "metrics")


def _stage_name(name: str) -> str:
    """Let pass only what runs call their stages: its folder is then below the run's."""
    kind, slash, rest = name.partition("/")
    plain = rest.isprintable() and not {"/", "\\"} & set(rest) and rest not in ("", ".", "..")
    if not (kind in _MANY and plain if slash else kind in _ALONE):
        raise ValueError(f"{name!r} cannot be a stage")
    return name


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class StageRecord(_Part):
    """How one stage came about.

    Attributes:
        fingerprint: SHA-256 of the stage's list of sums.
        seconds: what its work took, even where the result is reused.
        reused: whether the last run found it finished.
    """

    fingerprint: str
    seconds: Annotated[float, Field(ge=0)]
    reused: bool


class Machine(_Part):
    """What a run ran on."""

    cpus: int | None
    platform: str
    python: str


class RunRecord(_Part):
    """What `run.json` holds.

    Attributes:
        source: what the pipeline begins with; a run of another one is refused.
        pipeline: as it ran, with full component names and all options.
        seeds: place in the pipeline to seed.
        packages: distribution to version.
        stages: name to how it came about, in the order of the run.
        given: the fingerprint of the dataset that the run was given.
    """

    format: Literal[1] = 1
    source: str
    finished: bool = False
    started: str
    pipeline: dict[str, Any]
    seeds: dict[str, int]
    machine: Machine
    packages: dict[str, str]
    stages: dict[Annotated[str, AfterValidator(_stage_name)], StageRecord]
    given: str | None = None


def reused_stages(folder: Path) -> str | None:
    """Say how many stages of the last run in a directory were found finished; None: not one was.

    Raises:
        WorkError: its record is damaged.
    """
    record = read_record(folder)
    if record is None or not (count := sum(one.reused for one in record.stages.values())):
        return None
    if count == len(record.stages):
        return f"reused: all {count} stages: nothing they depend on has changed"
    return f"reused: {count} of {len(record.stages)} stages"


def read_record(folder: Path) -> RunRecord | None:
    """Read the record of a run directory; None where there is none.

    Raises:
        WorkError: it is damaged or names stages that cannot be; the message says where.
    """
    path = folder / RECORD
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise WorkError(f"{path} cannot be read: fix or remove it") from error
    if isinstance(content, dict) and content.get("format", 1) != 1:
        raise WorkError(f"{path} is of another version of ADC: run again with another --out")
    try:
        return RunRecord.model_validate(content)
    except ValidationError as error:
        raise WorkError(
            f"{path} is not as a run writes it ({lines_of(error)[0]}): fix or remove it"
        ) from error


def write_record(record: RunRecord, folder: Path) -> None:
    """Write the record into a run directory, whole or not at all.

    Raises:
        WorkError: the disk refuses.
    """
    text = json.dumps(record.model_dump(exclude_none=True), indent=1) + "\n"
    with atomic_file(folder / RECORD) as part:
        part.write_text(text, encoding="utf-8")
