"""What curators return: a repaired dataset, and every change that made it."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike
from pydantic import PlainSerializer

from adc_core.arrays.strings import from_arrow
from adc_core.arrays.validation import Array
from adc_core.errors import InputError
from adc_core.records.dataset import UNLABELED, Dataset, rows_of
from adc_core.records.display import ROWS, counted, table
from adc_core.records.record import Record

CHANGES = pa.schema(
    [
        ("id", pa.string()),
        ("action", pa.string()),
        ("old_label", pa.int64()),
        ("new_label", pa.int64()),
        ("reason", pa.string()),
    ]
)
"""One row per change: `drop` (new label -1), `relabel`, or `set aside` (new label -1): the sample
stays, and its label no longer counts."""

_NO_LABEL = -1


class Curation(Record):
    """A repaired dataset and every change that made it, so that each can be undone.

    Attributes:
        dataset: what is left, with its new labels.
        changes: Arrow table (`CHANGES`): id, action, old and new label, reason.
        notes: lines that the report shows, such as how far two filters overlap.
    """

    dataset: Dataset
    changes: Annotated[pa.Table, PlainSerializer(lambda _: None, when_used="json")]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        *,
        drop: ArrayLike = (),
        set_aside: ArrayLike = (),
        relabel: ArrayLike = (),
        labels: ArrayLike = (),
        reasons: Sequence[str] | Array | pa.Array = (),
        notes: Sequence[str] = (),
    ) -> "Curation":
        """Leave out some samples of a dataset, and change or void the labels of others.

        Args:
            dataset: what to repair.
            drop: rows of the samples to leave out.
            set_aside: rows of the samples that stay without their labels.
            relabel: rows of the samples to give another label.
            labels: their new labels, class indices, in the same order.
            reasons: a text for each of them all, in ascending order of their rows.
            notes: lines that the report shows.

        Raises:
            InputError: a row is given twice or is not in the dataset, there is not one label for
                each row to relabel or not one reason for each change, or no label would be left.
        """
        out, other = np.asarray(drop, np.int64), np.asarray(relabel, np.int64)
        aside = np.asarray(set_aside, np.int64)
        given = np.asarray(labels, np.int64)
        if len(given) != len(other):
            raise InputError(f"{len(given)} labels for {len(other)} rows to relabel: give one each")
        rows = np.concatenate([out, aside, other])
        if len(reasons) != len(rows):
            raise InputError(f"{len(reasons)} reasons for {len(rows)} changes: give one each")
        if (outside := (rows < 0) | (rows >= len(dataset))).any():
            raise InputError(
                f"row {rows[int(outside.argmax())]} is not in the dataset: give rows in "
                f"0…{len(dataset) - 1}"
            )
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        if (again := rows[1:] == rows[:-1]).any():
            raise InputError(f"row {rows[int(again.argmax())]} is changed twice: change it once")
        new = np.concatenate([np.full(len(out) + len(aside), _NO_LABEL), given])[order]
        actions = np.repeat(["drop", "set aside", "relabel"], [len(out), len(aside), len(other)])
        changes = pa.table(
            {
                "id": dataset.ids[rows],
                "action": actions[order],
                "old_label": dataset.labels[rows],
                "new_label": new,
                "reason": reasons,
            },
            schema=CHANGES,
        )
        return cls.apply(dataset, changes, notes)

    @classmethod
    def apply(cls, dataset: Dataset, changes: pa.Table, notes: Sequence[str] = ()) -> "Curation":
        """Carry out changes on a dataset.

        Raises:
            InputError: a change names an unknown sample, or an old label that is not the present
                one, or no label would be left.
        """
        changes = changes.cast(CHANGES)
        rows = rows_of(dataset.ids, from_arrow(changes["id"]))
        if (rows < 0).any():
            raise InputError(f"no sample {changes['id'][int((rows < 0).argmax())]} to change")
        old = changes["old_label"].to_numpy()
        if (differs := dataset.labels[rows] != old).any():
            place = int(differs.argmax())
            raise InputError(
                f"sample {changes['id'][place]} has label {dataset.labels[rows][place]}, "
                f"not {old[place]} as the change says"
            )
        actions = changes["action"].to_numpy(zero_copy_only=False)
        dropped, aside, other = (actions == one for one in ("drop", "set aside", "relabel"))
        if dropped.sum() == len(dataset):
            raise InputError("every sample would be dropped: raise the curator's threshold")
        labels, labeled = dataset.labels.copy(), dataset.labeled.copy()
        labels[rows[other]] = changes["new_label"].to_numpy()[other]
        labeled[rows[other]], labeled[rows[aside | dropped]] = True, False
        if not labeled.any():
            raise InputError("every label would be set aside: raise the curator's threshold")
        keep = np.ones(len(dataset), np.bool_)
        keep[rows[dropped]] = False
        curated = dataset.relabeled(labels) if other.any() else dataset
        if aside.any() or UNLABELED in dataset.columns:
            curated = curated.replace(columns={**curated.columns, UNLABELED: ~labeled})
        if dropped.any():
            curated = curated.take(np.flatnonzero(keep))
        return cls(dataset=curated, changes=changes, notes=tuple(notes))

    def undone(self, original: Dataset, ids: Sequence[str] | None = None) -> "Curation":
        """Return the curation without the changes of some samples, or without any.

        Args:
            original: the dataset that was curated.
            ids: the samples to leave as they were; by default all.

        Raises:
            InputError: a sample was not changed, or the changes are of another dataset.
        """
        import pyarrow.compute as pc

        changed = self.changes["id"]
        undo = changed if ids is None else pa.array(ids, pa.string())
        unknown = pc.invert(pc.is_in(undo, value_set=changed.combine_chunks()))
        if pc.any(unknown).as_py():
            raise InputError(f"the sample {undo.filter(unknown)[0]} was not changed")
        value_set = undo.combine_chunks() if isinstance(undo, pa.ChunkedArray) else undo
        kept = self.changes.filter(pc.invert(pc.is_in(changed, value_set=value_set)))
        return type(self).apply(original, kept, self.notes)

    def __repr__(self) -> str:
        left = counted(len(self.dataset), "sample")
        return f"<Curation: {left} left, {self.counts_text()}>"

    def _repr_html_(self) -> str:
        first = self.changes.slice(0, ROWS).to_pylist()
        rows = [[change[name] for name in CHANGES.names] for change in first]
        head = f"{repr(self)[1:-1]}; the first changes:"
        return table(head, CHANGES.names, rows)

    def counts_text(self) -> str:
        """Say how many samples were dropped, relabelled and set aside."""
        aside = self.count("set aside")
        more = f", {aside:,} set aside" if aside else ""
        return f"{self.count('drop'):,} dropped, {self.count('relabel'):,} relabelled{more}"

    def count(self, action: Literal["drop", "relabel", "set aside"]) -> int:
        """Count the samples that were dropped, relabelled or set aside."""
        return int((self.changes["action"].to_numpy(zero_copy_only=False) == action).sum())
