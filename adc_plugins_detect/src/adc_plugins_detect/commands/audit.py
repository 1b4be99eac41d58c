"""`adc audit`: how many labels are wrong, by looking at some."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import Command, InputError

if TYPE_CHECKING:
    from adc_core import Run
    from adc_plugins_detect.noise.audit import Audit


class AuditCommand(Command):
    """Draw labels of a run to look at, and estimate from the answers how many are wrong."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc audit`."""
        parser.add_argument("run", type=Path, help="a run directory with findings")
        parser.add_argument("-n", type=int, default=200, help="labels to look at (default: 200)")
        parser.add_argument("--seed", type=int, default=0, help="of the draw")
        parser.add_argument(
            "--to", type=Path, metavar="FOLDER", help="a new folder (default: RUN-audit)"
        )
        parser.add_argument(
            "--read", type=Path, metavar="FILE.csv", help="the list, filled in: give the answer"
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Write the folder to look at, or read what was judged.

        Raises:
            InputError: the run has no findings, the folder exists, or lines of the list cannot be
                read.
            WorkError: the disk refuses.
        """
        from adc_core import read_run

        folder = arguments.to or _beside(arguments.run)
        if arguments.read is None:
            _refuse_existing(folder)
        run = read_run(arguments.run)
        if not run.findings:
            raise InputError(
                f"{arguments.run} has no findings: run `adc detect`, or a pipeline with detectors"
            )
        if arguments.read is None:
            print(_draw(run, arguments, folder))
        else:
            print(_answer(run, arguments, folder))
        return 0


def _beside(run: Path) -> Path:
    whole = run if run.name not in ("", "..") else run.resolve()
    return whole.with_name(f"{whole.name}-audit")


def _refuse_existing(folder: Path) -> None:
    from adc_plugins_detect.audits.folder import LIST

    if (folder / LIST).exists():
        raise InputError(
            f"{folder / LIST} already exists and is not overwritten: fill it in and give it with "
            "--read, or choose another folder with --to"
        )
    if folder.exists():
        raise InputError(f"{folder} already exists: choose another folder with --to")


def _draw(run: "Run", arguments: argparse.Namespace, folder: Path) -> str:
    from adc_core.cli import shown_work
    from adc_plugins_detect.audits.folder import LIST, PAGE, write_audit
    from adc_plugins_detect.noise.audit import audit_sample

    sample = audit_sample(tuple(run.findings.values()), arguments.n, arguments.seed)
    with shown_work("audit", folder.parent):
        write_audit(run.collected, sample, folder)
    return (
        f"{len(sample.rows):,} labels to look at: {folder / PAGE}\n"
        f"write yes, no or not sure under `wrong` in {folder / LIST}, or click in the page and "
        "save the list from there; then\n"
        f"adc audit {arguments.run} --read {folder / LIST}"
    )


def _answer(run: "Run", arguments: argparse.Namespace, folder: Path) -> str:
    import json

    from adc_core.arrays import hash_file
    from adc_core.storage import atomic_file
    from adc_plugins_detect.audits.answers import read_answers
    from adc_plugins_detect.audits.folder import ANSWER, PLAN, looks_at, read_plan
    from adc_plugins_detect.noise.audit import audited

    beside = arguments.read.parent
    # What the page saves is in the folder of downloads, without the plan.
    folder = beside if arguments.to is None and (beside / PLAN).exists() else folder
    sample = read_plan(folder, run.collected)
    given = [look.given for look in looks_at(run.collected, sample)]
    audit = audited(sample, read_answers(arguments.read, given, run.collected.classes))
    stored = {
        "format": 1,
        "list": arguments.read.name,
        "list_sha256": hash_file(arguments.read),
        **audit.model_dump(mode="json"),
    }
    with atomic_file(folder / ANSWER) as part:
        part.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    for line in _cautions(audit):
        print(f"adc: {line}", file=sys.stderr)
    flagged = int(sample.sizes[sample.groups == 0].sum())
    return "\n".join((*_told(audit, flagged), f"answer: {folder / ANSWER}"))


def _told(audit: "Audit", flagged: int) -> list[str]:
    """Write the answer as sentences."""
    lines = [f"wrong labels: {audit.noise_rate} by {_labels(audit.judged)} looked at"]
    if audit.precision is not None:
        lines.append(f"of the {flagged:,} flagged, {audit.precision} are wrong")
    if audit.recall is not None and flagged:
        lines.append(f"of the wrong labels, {audit.recall} are flagged")
    lines.append(
        f"each range holds the truth with {100 * audit.confidence:.0f} % confidence, whatever the "
        "detectors are worth; wrong means: as judged here"
    )
    return lines


def _cautions(audit: "Audit") -> list[str]:
    """Say what was left out, and how it counts."""
    lines = []
    if audit.unsure:
        lines.append(f"{_labels(audit.unsure)} not sure: counted both ways, the range is wider")
    if audit.skipped:
        lines.append(
            f"{_labels(audit.skipped)} without an answer before the last one: counted both ways, "
            "since what is skipped may be what is hard; fill them in for a narrower range"
        )
    if audit.unreached:
        lines.append(
            f"{_labels(audit.unreached)} at the end not looked at: left out, which does no harm, "
            "for the order is random"
        )
    return lines


def _labels(count: int) -> str:
    return "1 label" if count == 1 else f"{count:,} labels"
