"""`adc review FOLDER import FILE`: votes that were given elsewhere become votes of the review."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adc_core import Dataset, InputError
from adc_core.arrays import from_arrow
from adc_core.errors import unknown_name
from adc_core.records import rows_of
from adc_plugins_review.actions.label_studio import read_label_studio
from adc_plugins_review.campaign.raters import add_rater, raters
from adc_plugins_review.campaign.store import Store
from adc_plugins_review.votes.votes_table import ANSWERS, read_votes


def import_votes(store: Store, dataset: Dataset, path: Path) -> str:
    """Add the votes of a table, or of an export of Label Studio; return what to tell.

    Votes on samples of the plan count towards it; others are kept with them, as part `other`.
    A rater is found by pseudonym or name, or added. The same file twice changes nothing.

    Args:
        store: of the review.
        dataset: the samples under review.
        path: a `.csv` or `.parquet` of votes, or the `.json` of Label Studio.

    Raises:
        InputError: it cannot be read, or a class in it does not exist.
    """
    table = read_label_studio(path) if path.suffix == ".json" else read_votes(path)
    rows = rows_of(dataset.ids, from_arrow(table["item"]))
    place = {name: number for number, name in enumerate(dataset.classes)}
    for name in sorted(set(table["label"].to_pylist())):
        if name not in place:
            raise InputError(f"{path}: {unknown_name('class', name, dataset.classes)}")
    known = {one.pseudonym: one.id for one in raters(store)}
    known |= {one.name: one.id for one in raters(store) if one.name}
    trusted = {one["rater"] for one in table.to_pylist() if one["trusted"]}
    for name in sorted(set(table["rater"].to_pylist()) - known.keys()):
        number = int(name[1:]) if re.fullmatch(r"r\d{2,9}", name) else None
        title = name if number is None else None
        known[name] = add_rater(store, title, trusted=name in trusted, number=number).id
    added = 0
    told = zip(rows.tolist(), table.to_pylist(), strict=True)
    with store.transaction():
        # As they came: a later answer replaces an earlier one, and rules count the first ones.
        for row, vote in sorted(told, key=lambda one: _when(one[1])):
            if row >= 0:
                label = place[vote["label"]]
                added += _add(store, row, int(dataset.labels[row]), label, known[vote["rater"]],
                              vote)  # fmt: skip
    unknown = int((rows < 0).sum())
    left = f"; {unknown:,} are on samples that are not under review" if unknown else ""
    return f"{added:,} votes added, {len(table) - added - unknown:,} were there already{left}"


def _when(vote: Mapping[str, Any]) -> float:
    return -math.inf if vote["time"] is None else float(vote["time"].timestamp())


def _add(
    store: Store, row: int, given: int, label: int, rater: int, vote: Mapping[str, Any]
) -> bool:
    """Add one vote; tell whether it was new."""
    task = vote["task"]
    found = store.db.execute(
        "SELECT id FROM item WHERE task = ? AND row = ? AND label = ? AND part <> 'gold' "
        "ORDER BY id",
        (task, row, label if task != "relabel" else given),
    ).fetchone()
    if found is None:
        found = store.db.execute(
            "INSERT INTO item(row, sample, label, task, part, place, wanted) "
            "VALUES (?, ?, ?, ?, 'other', 0, 0) RETURNING id",
            (row, vote["item"], label if task != "relabel" else given, task),
        ).fetchone()
    item = int(found[0])
    answer, at = ANSWERS[vote["answer"]], vote["time"]
    moment = store.clock() if at is None else int(at.timestamp() * 1000) * 1000
    ms = None if vote["seconds"] is None else round(vote["seconds"] * 1000)
    same = store.db.execute(
        "SELECT 1 FROM vote JOIN event ON event.id = vote.event WHERE vote.item = ? AND "
        "vote.rater = ? AND vote.label = ? AND vote.answer = ? AND kept IS ?",
        (item, rater, label, answer, vote["kept"]),
    ).fetchone()
    if same is not None:
        return False
    event = store.db.execute(
        "INSERT INTO event(rater, item, batch, kind, label, answer, confidence, visible_ms, kept, "
        "at) VALUES (?, ?, ?, 'import', ?, ?, ?, ?, ?, ?)",
        (rater, item, vote["batch"], label, answer, vote["confidence"], ms, vote["kept"], moment),
    ).lastrowid
    store.db.execute(
        "INSERT OR REPLACE INTO vote VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (item, rater, label, answer, vote["confidence"], ms, moment, event),
    )
    store.recount([item])
    return True
