"""The plan of a review: who is shown what, and in which order, before anybody has voted.

It is one file, `review/plan.json`, whose SHA-256 stands in the database of the votes and in every
certificate: it cannot be chosen after the fact.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from adc_core import Dataset, InputError, WorkError
from adc_core.arrays import Array
from adc_core.errors import RecordErrors
from adc_core.records import ClassName, Record
from adc_core.storage import atomic_file, translate_os_errors
from adc_plugins_review.certificate.alpha import Alpha

REVIEW = "review"
"""The folder of a review within the folder that is reviewed."""

PLAN, DATABASE = "plan.json", "votes.sqlite"
VOTES, GOLD, RATERS = "votes.parquet", "gold.parquet", "raters.parquet"

SAMPLES = ("ids", "labels", "classes")
"""What of a dataset decides whether a plan was made for it."""

VotesRule = Literal["one-then-two", "1", "3"]
Task = Literal["vote", "select"]


class GoldQuestion(Record):
    """A question whose answer is known.

    Attributes:
        row: of the dataset.
        label: class index that is asked about.
        right: whether the image does show that class.
    """

    row: int = Field(ge=0)
    label: int = Field(ge=0)
    right: bool


class SelectTask(Record):
    """One grid of images from which a person picks those that fit.

    Attributes:
        label: class index.
        attributes: name to value, of the query that the images share; empty: the class alone.
        rows: of the dataset.
    """

    label: int = Field(ge=0)
    attributes: dict[str, str] = Field(default_factory=dict)
    rows: tuple[int, ...]


class ReviewPlan(Record):
    """What a review shows.

    Attributes:
        format: of the file.
        created: UTC, ISO 8601.
        seed: of everything that was drawn.
        dataset: fingerprint of the ids, labels and classes of the samples under review.
        samples: how many there are.
        of: which dataset of a run: after its last curator, or as collected.
        dataset_path: the dataset, where it is not that of the run in whose folder this is.
        findings_path: a table of suspicion, where it is not that of the run.
        classes: K names.
        repair: rows that are looked at because they are suspect, the most suspect first.
        audit: rows drawn by chance from the others, in the order in which they were drawn.
        select: grids to pick images for a test set from.
        gold: questions with known answers.
        select_min: how many images of a grid should be picked.
        look: whether the certificate is read once, at the end, or at any time.
        votes: how many votes a sample gets.
        confidence: of the certificate.
        alpha: how its complement is shared out.
        rate: share of wrong labels that was believed when planning.
        auc: believed area under the curve of the suspicion.
        weights: SHA-256 of the audit's sampling weights; None where all are equal.
        gold_share: share of the questions that are gold.
        confidence_slider: ask people how sure they are.
        show_attributes: show a sample's attributes below the question.
        duplicate_similarity: from this cosine on two samples are shown as near duplicates.
        question: what the page asks; `{label}` is the class.
        instructions: what the page says before the first question.
        images: row to the SHA-256 of its image's bytes, of every sample in the plan.
        versions: package to version.
    """

    format: Literal[1] = 1
    created: str
    seed: int = Field(default=0, ge=0)
    dataset: str
    samples: int = Field(ge=1)
    of: Literal["curated", "collected"] = "curated"
    dataset_path: str | None = None
    findings_path: str | None = None
    classes: tuple[ClassName, ...]
    repair: tuple[int, ...] = ()
    audit: tuple[int, ...] = ()
    select: tuple[SelectTask, ...] = ()
    gold: tuple[GoldQuestion, ...] = ()
    select_min: int = Field(default=4, ge=1)
    look: Literal["once", "any"] = "once"
    votes: VotesRule = "one-then-two"
    confidence: float = Field(default=0.95, gt=0, lt=1)
    alpha: Alpha
    rate: float = Field(default=0.05, gt=0, lt=1)
    auc: float = Field(default=0.8, gt=0, lt=1)
    weights: str | None = None
    gold_share: float = Field(default=0.1, ge=0, le=0.5)
    confidence_slider: bool = False
    show_attributes: bool = False
    duplicate_similarity: float = Field(default=0.95, gt=0, le=1)
    question: str = "Is this a {label}?"
    instructions: tuple[str, ...] = ()
    images: dict[int, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        queue = np.array([*self.repair, *self.audit], np.int64)
        if len(np.unique(queue)) != len(queue):
            raise ValueError("a row is in the repair or audit part twice")
        rows = [*queue.tolist(), *(gold.row for gold in self.gold)]
        rows += [row for task in self.select for row in task.rows]
        if rows and not 0 <= min(rows) <= max(rows) < self.samples:
            raise ValueError(f"rows are 0…{self.samples - 1}")
        labels = [task.label for task in self.select] + [gold.label for gold in self.gold]
        if labels and max(labels) >= len(self.classes):
            raise ValueError(f"labels are 0…{len(self.classes) - 1}")
        return self

    def text(self) -> str:
        """Return the content of the file: JSON, the same for equal plans."""
        fields = self.model_dump(mode="json")
        return json.dumps(fields, indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits."""
        return sha256(self.text().encode()).hexdigest()

    def queue(self) -> list[tuple[int, str]]:
        """Return (row, part) in the order of dealing: both parts in proportion, so that either is
        as far as the other at any time.
        """
        parts = [(self.repair, "repair"), (self.audit, "audit")]
        places = [
            ((index + 0.5) / len(rows), which, row)
            for which, (rows, _) in enumerate(parts)
            for index, row in enumerate(rows)
        ]
        return [(row, parts[which][1]) for _, which, row in sorted(places)]

    def check_dataset(self, dataset: Dataset, folder: Path) -> None:
        """Refuse a dataset that the plan was not made for.

        Raises:
            InputError: it has other ids, labels or classes.
        """
        if dataset.fingerprint_of(*SAMPLES) != self.dataset:
            raise InputError(
                f"{folder} has other samples or labels than {folder / REVIEW / PLAN} was made for: "
                "make a new plan with `plan --again`, or put the dataset back"
            )


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator of one purpose: `audit`, `select`, `gold`; PCG64 seeded with both."""
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence([seed, int.from_bytes(purpose.encode())]))
    )


def draw_audit(candidates: Array, n: int, seed: int) -> Array:
    """Draw n of the candidate rows at random without replacement, in the order of drawing."""
    return generator(seed, "audit").permutation(candidates)[:n]


def write_plan(plan: ReviewPlan, review: Path) -> Path:
    """Write the plan into the folder of the review, whole or not at all; return where.

    Raises:
        WorkError: the disk refuses.
    """
    path = review / PLAN
    with translate_os_errors(review):
        review.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as part:
        part.write_text(plan.text(), encoding="utf-8")
    return path


def read_plan(folder: Path) -> ReviewPlan:
    """Read the plan of the review of a folder.

    Raises:
        InputError: there is none.
        WorkError: it is damaged or of another version.
    """
    path = folder / REVIEW / PLAN
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path} is not there: run `adc review {folder} plan` first") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkError(f"{path} cannot be read: {error}") from None
    try:
        return ReviewPlan(**json.loads(text))
    except (ValueError, TypeError) as error:
        reason = "; ".join(error.faults) if isinstance(error, RecordErrors) else str(error)
        raise WorkError(
            f"{path} is not a plan of this version ({reason}): restore it, or `plan --again`"
        ) from None


def archive(folder: Path) -> Path | None:
    """Move a review away, to `review-001` or the next free number; return where, or None.

    Raises:
        WorkError: the disk refuses.
    """
    review = folder / REVIEW
    if not review.exists():
        return None
    number = 1
    while (target := folder / f"{REVIEW}-{number:03}").exists():
        number += 1
    with translate_os_errors(review):
        review.rename(target)
    return target
