"""What is reviewed: the samples, and what is known of how suspect each is."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Literal

import numpy as np

from adc_core import Dataset, Findings, InputError, Run, read_dataset, read_run
from adc_core.arrays import Array, from_arrow
from adc_core.errors import unknown_name
from adc_core.records import rows_of
from adc_core.reporting import most_suspicious_first
from adc_core.runs import is_run_directory
from adc_core.storage import read_table
from adc_plugins_review.campaign.plan import SAMPLES, ReviewPlan


@dataclass(frozen=True)
class Source:
    """The samples under review.

    Attributes:
        folder: that the review lies in.
        dataset: the samples, with images.
        findings: detector name to what it says of them; empty where nothing is known.
        collected: the dataset as it was before curators, which has the evidence.
        rows: N rows of it.
        changed: share of the samples that curators have dropped or relabelled already.
        truth: N true labels, below 0 where nobody knows; None where no truth is known. For
            rehearsals alone.
        dataset_path: of a dataset that is no run.
        findings_path: of a table of findings.
    """

    folder: Path
    dataset: Dataset
    findings: Mapping[str, Findings]
    collected: Dataset
    rows: Array
    changed: float = 0.0
    truth: Array | None = None
    dataset_path: Path | None = None
    findings_path: Path | None = None

    @property
    def order(self) -> Array | None:
        """N rows, the most suspicious first; None where nothing is known.

        Samples that curators have relabelled come last: what was suspect is their former label.
        """
        if not self.findings:
            return None
        order = most_suspicious_first(self.findings.values())
        relabelled = (self.dataset.labels != self.collected.labels[self.rows])[order]
        return np.concatenate([order[~relabelled], order[relabelled]])

    @property
    def transition(self) -> Array | None:
        """K × K, mean of the detectors' estimates; None where none has one."""
        known = [
            found.transition for found in self.findings.values() if found.transition is not None
        ]
        return np.mean(known, axis=0) if known else None


def read_source(
    folder: Path,
    *,
    of: Literal["curated", "collected"] = "curated",
    dataset_path: Path | None = None,
    findings_path: Path | None = None,
) -> Source:
    """Read what is to be reviewed.

    Args:
        folder: a run directory; or the folder of the review, where a dataset is given.
        of: which dataset of a run; the curated one is that before a curator `votes`.
        dataset_path: whatever `read_dataset` reads.
        findings_path: a table with the columns id and suspicion, as `adc detect` writes it.

    Raises:
        InputError: there is no such dataset or run, or it has no images.
    """
    if dataset_path is not None:
        dataset = read_dataset(dataset_path)
        found = {} if findings_path is None else {"findings": _findings_of(findings_path, dataset)}
        source = Source(
            folder,
            dataset,
            found,
            collected=dataset,
            rows=np.arange(len(dataset)),
            dataset_path=dataset_path,
            findings_path=findings_path,
        )
    elif is_run_directory(folder):
        run = read_run(folder)
        source = _of_run(folder, run, _curated(run) if of == "curated" else run.collected)
    else:
        raise InputError(
            f"{folder} is not a run directory: of a dataset, say with --out where the review goes"
        )
    if source.dataset.images is None:
        raise InputError(f"{dataset_path or folder} has no images: there is nothing to look at")
    return source


def source_of(plan: ReviewPlan, folder: Path) -> Source:
    """Read what a plan was made for: of a run, the stage that is still the same by now.

    A run that has applied the votes since has another curated dataset: what people look at is the
    one before.

    Raises:
        InputError: it has gone, or is another one by now.
    """
    if plan.dataset_path is None and is_run_directory(folder):
        run = read_run(folder)
        for dataset in _stages_of(run):
            if dataset.fingerprint_of(*SAMPLES) == plan.dataset:
                return _of_run(folder, run, dataset)
    source = read_source(
        folder,
        of=plan.of,
        dataset_path=None if plan.dataset_path is None else folder / plan.dataset_path,
        findings_path=None if plan.findings_path is None else folder / plan.findings_path,
    )
    plan.check_dataset(source.dataset, folder)
    return source


def _curated(run: Run) -> Dataset:
    """Return the dataset that curators made, up to where votes come in: those are to be given."""
    before = takewhile(lambda one: one[0].partition("-")[0] != "votes", run.curations.items())
    return [run.collected, *(curation.dataset for _, curation in before)][-1]


def _stages_of(run: Run) -> list[Dataset]:
    return [run.collected, *(curation.dataset for curation in run.curations.values())]


def _of_run(folder: Path, run: Run, dataset: Dataset) -> Source:
    rows = rows_of(run.collected.ids, dataset.ids)
    moved = int((dataset.labels != run.collected.labels[rows]).sum())
    changed = len(run.collected) - len(dataset) + moved
    findings = {name: found.for_ids(dataset) for name, found in run.findings.items()}
    return Source(
        folder,
        dataset,
        findings,
        run.collected,
        rows,
        changed / len(run.collected),
        None if run.truth is None else run.truth[rows],
    )


def _findings_of(path: Path, dataset: Dataset) -> Findings:
    table = read_table(path)
    for column in ("id", "suspicion"):
        if column not in table.column_names:
            raise InputError(f"{path} has no column `{column}`: give what `adc detect` writes")
    rows = rows_of(from_arrow(table["id"]), dataset.ids)
    if (rows < 0).any():
        missing = dataset.ids[int((rows < 0).argmax())]
        raise InputError(f"{path} has no row of the sample {missing}: detect again")
    suspicion = table["suspicion"].to_numpy(zero_copy_only=False).astype(np.float64)[rows]
    covered = ~np.isnan(suspicion)
    flagged = np.zeros(len(rows), np.bool_)
    if "flagged" in table.column_names:
        flagged = table["flagged"].fill_null(False).to_numpy().astype(np.bool_)[rows]
    suggested = None
    if "suggested_label" in table.column_names:
        place = {name: number for number, name in enumerate(dataset.classes)} | {"": -1}
        names = from_arrow(table["suggested_label"])[rows]
        for name in np.unique(names).tolist():
            if name not in place:
                raise InputError(f"{path}: {unknown_name('class', name, dataset.classes)}")
        suggested = np.array([place[name] for name in names.tolist()], np.int64)
    return Findings(
        ids=dataset.ids,
        suspicion=suspicion,
        flagged=flagged & covered,
        suggested_labels=suggested,
        covered=covered,
    )
