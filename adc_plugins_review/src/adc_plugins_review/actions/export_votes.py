"""`adc review FOLDER export`: the votes for others, and the test set that people picked."""

import csv
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from adc_core import Dataset, InputError, save_dataset
from adc_core.arrays import Array
from adc_core.storage import atomic_file, refuse_existing
from adc_plugins_review.actions.label_studio import export_label_studio
from adc_plugins_review.actions.plan_verdicts import plan_verdicts
from adc_plugins_review.campaign.dealing import BATCH
from adc_plugins_review.campaign.export import counted_votes, events
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.campaign.store import Store
from adc_plugins_review.campaign.suspects import Suspects, decisions
from adc_plugins_review.votes.votes_table import inert, write_votes


@dataclass(frozen=True)
class ExportOptions:
    """What to write; see `adc review FOLDER export --help`."""

    to: Path | None = None
    events: bool = False
    names: bool = False
    test: Path | None = None
    gold_file: Path | None = None
    label_studio: Path | None = None
    with_suggestions: bool = False
    mturk: Path | None = None
    public_url: str | None = None


def export_review(store: Store, source: Source, options: ExportOptions) -> list[str]:
    """Write what the options name, each whole or not at all; return a line for each.

    Raises:
        InputError: nothing is named, there is no such form, or a folder exists.
        WorkError: the disk refuses.
    """
    lines, dataset = [], source.dataset
    if options.with_suggestions and options.label_studio is None:
        raise InputError("--with-suggestions is for --label-studio FOLDER: add it")
    if options.to is not None:
        lines.append(_tables(store, options))
    if options.test is not None:
        rows = test_rows(store, dataset)
        if not len(rows):
            raise InputError(
                "nothing is picked for a test set, or all of it is rejected: plan with "
                "--tasks select"
            )
        save_dataset(dataset.take(rows), options.test)
        lines.append(f"{len(rows):,} samples that people picked: test: {options.test}")
    if options.gold_file is not None:
        lines.append(_gold(store, dataset, options.gold_file))
    if options.label_studio is not None:
        refuse_existing(options.label_studio)
        suspects = Suspects(source) if options.with_suggestions else None
        count = export_label_studio(dataset, store.plan, options.label_studio, suspects)
        lines.append(f"{count:,} tasks for Label Studio: {options.label_studio}")
    if options.mturk is not None:
        lines.append(_mturk(store, dataset, options))
    if not lines:
        raise InputError("say what to export: --to FILE, --test FOLDER or --label-studio FOLDER")
    return lines


def test_rows(store: Store, dataset: Dataset) -> Array:
    """Return the rows that were picked and that neither people nor experts reject.

    They are those that `adc certify --of test` is about.
    """
    judged = plan_verdicts(store.plan, counted_votes(store), dataset)
    return np.flatnonzero(judged.selected & (judged.decided >= 0))


def _tables(store: Store, options: ExportOptions) -> str:
    path = options.to
    assert path is not None
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"--to {path}: name a .csv or .parquet file")
    if not options.events:
        votes = counted_votes(store, names=options.names)
        write_votes(votes, path)
        return f"{len(votes):,} votes: {path}"
    history = events(store, names=options.names)
    with atomic_file(path) as part:
        if path.suffix == ".parquet":
            pq.write_table(history, part)
        else:
            pa.csv.write_csv(inert(history), part)
    return f"{len(history):,} events: {path}"


def _gold(store: Store, dataset: Dataset, path: Path) -> str:
    """Write the labels that experts kept or gave: they are known to be right."""
    known = {row: one.label for row, one in sorted(decisions(store).items()) if one.kind != "drop"}
    if not known:
        raise InputError("no expert has kept or given a label yet: do so on the page to relabel")
    if path.suffix != ".csv":
        raise InputError(f"--gold-file {path}: name a .csv file")
    table = pa.table(
        {
            "id": dataset.ids[list(known)],
            "label": [dataset.classes[label] for label in known.values()],
        }
    )
    with atomic_file(path) as part:
        pa.csv.write_csv(table, part)
    return f"{len(table):,} labels that experts know: plan --gold-file {path}"


def _mturk(store: Store, dataset: Dataset, options: ExportOptions) -> str:
    """Write the input of HITs with a form of their own: addresses and labels, 20 to a row."""
    path, url = options.mturk, options.public_url
    assert path is not None
    if url is None or not url.startswith("https://"):
        raise InputError("--mturk needs --public-url https://…, below which the images lie by id")
    plan = store.plan
    queue = [row for row, _ in plan.queue()]
    head = [f"{what}_{place}" for place in range(1, BATCH + 1) for what in ("id", "image", "label")]
    with atomic_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for start in range(0, len(queue), BATCH):
            cells = []
            for row in queue[start : start + BATCH]:
                sample = str(dataset.ids[row])
                cells += [
                    sample,
                    f"{url.rstrip('/')}/{quote(sample)}",
                    plan.classes[dataset.labels[row]],
                ]
            writer.writerow(cells + [""] * (len(head) - len(cells)))
    return f"{len(queue):,} images for HITs: {path}"
