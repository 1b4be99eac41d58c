"""Make the plan of a review: what is shown for repair, what for measurement, what to select."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from importlib_metadata import version

from adc_core import Dataset, InputError
from adc_core.arrays import from_arrow
from adc_core.cli import shown_work
from adc_core.components import progress
from adc_core.errors import unknown_name
from adc_core.records import rows_of
from adc_core.storage import labels_of, read_table
from adc_plugins_review.campaign.gold import make_gold
from adc_plugins_review.campaign.plan import (
    PLAN,
    REVIEW,
    SAMPLES,
    GoldQuestion,
    ReviewPlan,
    SelectTask,
    VotesRule,
    archive,
    draw_audit,
    generator,
    write_plan,
)
from adc_plugins_review.campaign.source import Source, read_source
from adc_plugins_review.certificate.alpha import FOR_GOLD, Alpha
from adc_plugins_review.certificate.planning import (
    believed_rate,
    choose_repairs,
    expected_errors,
    items_of_budget,
    sampling_weights,
    weighted_order,
    weights_digest,
)

INSTRUCTIONS = (
    "Say Unsure if the image is acceptable but not a clear example.",
    "Say No if most people would call it something else.",
    "If you do not know the word, look it up.",
)


@dataclass(frozen=True)
class PlanOptions:
    """What can be chosen; see `adc review FOLDER plan --help`."""

    budget: int = 400
    votes: VotesRule = "one-then-two"
    look: Literal["once", "any"] = "once"
    confidence: float = 0.95
    repair: int | None = None
    gold_share: float = 0.1
    gold_file: Path | None = None
    of: Literal["curated", "collected"] = "curated"
    tasks: tuple[str, ...] = ("vote",)
    select_per_task: int = 20
    select_min: int = 4
    select_classes: tuple[str, ...] = ()
    select_tasks: int | None = None
    seed: int = 0
    rate: float | None = None
    auc: float = 0.8
    show_attributes: bool = False
    duplicate_similarity: float = 0.95
    confidence_slider: bool = False
    question: str = "Is this a {label}?"


def make_plan(source: Source, options: PlanOptions) -> ReviewPlan:
    """Choose what is shown; equal sources and options give equal choices.

    Raises:
        InputError: a class or sample that does not exist, or a question without `{label}`.
    """
    if "{label}" not in options.question:
        raise InputError("--question has to say {label} where the class belongs")
    dataset, classes = source.dataset, source.dataset.classes
    believed = believed_rate(list(source.findings.values()), source.changed)
    rate = believed if options.rate is None else options.rate
    gold = _gold(source, options)
    alpha = round(1 - options.confidence, 12)
    split = Alpha(audit=alpha, thinning=0, gold=0)
    if gold:
        if alpha <= 2 * FOR_GOLD:
            raise InputError(f"--confidence with control questions: below {1 - 2 * FOR_GOLD}")
        split = Alpha(audit=alpha - 2 * FOR_GOLD)
    repair: list[int] = []
    audit: list[int] = []
    weights = None
    if "vote" in options.tasks:
        repair, audit, weights = _queue(source, options, rate, split.audit)
    select = _grids(dataset, options) if "select" in options.tasks else ()
    shown = {*repair, *audit, *(one.row for one in gold), *(r for one in select for r in one.rows)}
    packages = ("adc-core", "adc-plugins-review", "numpy")
    return ReviewPlan(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=options.seed,
        dataset=dataset.fingerprint_of(*SAMPLES),
        samples=len(dataset),
        of=options.of,
        dataset_path=_beside(source.dataset_path, source.folder),
        findings_path=_beside(source.findings_path, source.folder),
        classes=classes,
        repair=tuple(repair),
        audit=tuple(audit),
        select=select,
        gold=gold,
        select_min=options.select_min,
        look=options.look,
        votes=options.votes,
        confidence=options.confidence,
        alpha=split,
        rate=rate,
        auc=options.auc,
        weights=weights,
        gold_share=options.gold_share,
        confidence_slider=options.confidence_slider,
        show_attributes=options.show_attributes,
        duplicate_similarity=options.duplicate_similarity,
        question=options.question,
        instructions=INSTRUCTIONS,
        images=_digests(dataset, sorted(shown), source.folder),
        versions={name: version(name) for name in packages},
    )


def _queue(
    source: Source, options: PlanOptions, rate: float, alpha: float
) -> tuple[list[int], list[int], str | None]:
    """Choose the rows of both parts, and the digest of the audit's weights."""
    n = len(source.dataset)
    items = min(n, items_of_budget(options.budget, options.votes))
    order = source.order
    if order is None:
        if options.repair:
            raise InputError("--repair needs findings, to know which samples are suspect")
        order, repaired = np.arange(n), 0
    elif options.repair is None:
        # Who looks at everything needs no measurement; else the planning says how to share out.
        whole = items == n
        repaired = 0 if whole else choose_repairs(n, items, rate, options.auc, alpha).repaired
    else:
        repaired = min(options.repair, items)
    rest, drawn = order[repaired:], items - repaired
    if options.look == "once":
        audit = draw_audit(np.sort(rest), drawn, options.seed)
        return order[:repaired].tolist(), audit.tolist(), None
    weights = sampling_weights(expected_errors(n, rate, options.auc))[repaired:]
    uniforms = generator(options.seed, "audit").random(len(rest))
    audit = rest[weighted_order(uniforms, weights)][:drawn]
    return order[:repaired].tolist(), audit.tolist(), weights_digest(weights)


def _grids(dataset: Dataset, options: PlanOptions) -> tuple[SelectTask, ...]:
    """Make grids of samples that share class and attributes, of as many classes as can be."""
    wanted = options.select_classes or dataset.classes
    for name in wanted:
        if name not in dataset.classes:
            raise InputError(f"--select-classes: {unknown_name('class', name, dataset.classes)}")
    drawn, size = generator(options.seed, "select"), options.select_per_task
    by_class = [_grids_of(dataset, dataset.classes.index(name), size, drawn) for name in wanted]
    most = 2 * len(wanted) if options.select_tasks is None else options.select_tasks
    in_turn = (
        grids[turn]
        for turn in range(max(map(len, by_class), default=0))
        for grids in by_class
        if turn < len(grids)
    )
    return tuple(grid for grid, _ in zip(in_turn, range(most), strict=False))


def _grids_of(
    dataset: Dataset, label: int, size: int, drawn: np.random.Generator
) -> list[SelectTask]:
    """Make the grids of one class: by attributes, and of what is left over by class alone."""
    rows = drawn.permutation(np.flatnonzero(dataset.labels == label))
    names = list(dataset.attributes)
    grids, left = [], []
    if names and len(rows):
        values = np.stack([dataset.attributes[name][rows] for name in names], axis=1)
        kinds, codes = np.unique(values, axis=0, return_inverse=True)
        for code, kind in enumerate(kinds.tolist()):
            here = rows[codes.ravel() == code]
            whole = len(here) // size * size
            attributes = {name: value for name, value in zip(names, kind, strict=True) if value}
            grids += [
                SelectTask(label=label, attributes=attributes, rows=tuple(part))
                for part in here[:whole].reshape(-1, size).tolist()
            ]
            left += here[whole:].tolist()
    else:
        left = rows.tolist()
    left = drawn.permutation(np.array(left, np.int64)).tolist()
    for start in range(0, len(left), size):
        part = left[start : start + size]
        if len(part) == size or not grids:
            grids.append(SelectTask(label=label, rows=tuple(part)))
    return grids


def _gold(source: Source, options: PlanOptions) -> tuple[GoldQuestion, ...]:
    path = options.gold_file
    if path is None or not options.gold_share:
        return ()
    table = read_table(path)
    for column in ("id", "label"):
        if column not in table.column_names:
            raise InputError(f"{path} has no column `{column}`: give id and label, true ones")
    dataset = source.dataset
    rows = rows_of(dataset.ids, from_arrow(table["id"]))
    labels, _ = labels_of(table["label"], dataset.classes, str(path))
    there = rows >= 0
    if not there.any():
        raise InputError(f"{path} names none of the samples: check its ids")
    return make_gold(
        rows[there].tolist(),
        labels[there].tolist(),
        len(dataset.classes),
        source.transition,
        options.seed,
    )


def _digests(dataset: Dataset, rows: Sequence[int], folder: Path) -> dict[int, str]:
    images = dataset.images
    assert images is not None
    found = {}
    with shown_work("plan", folder):
        for done, row in enumerate(rows):
            found[row] = sha256(images.encoded(row)[0]).hexdigest()
            progress(done + 1, len(rows), "images")
    return found


def _beside(path: Path | None, folder: Path) -> str | None:
    """Name a path as seen from the folder of the review, so that both may move together."""
    if path is None:
        return None
    return os.path.relpath(path.resolve(), folder.resolve())


def plan_review(folder: Path, given: dict[str, Any]) -> str:
    """Make the plan of a review and write it down; return what to tell.

    Args:
        folder: a run directory, or a dataset where `out` is given.
        given: fields of `PlanOptions`, and `out`, `findings` and `again`.

    Raises:
        InputError: there is a plan already, or no such dataset.
        WorkError: the disk refuses.
    """
    given = dict(given)
    out, findings, again = (given.pop(name, None) for name in ("out", "findings", "again"))
    target = folder if out is None else Path(out)
    path = target / REVIEW / PLAN
    if path.exists() and not again:
        raise InputError(f"{path} is there already: `plan --again` puts that review aside")
    options = PlanOptions(**given)
    source = read_source(
        target,
        of=options.of,
        dataset_path=None if out is None else folder,
        findings_path=findings,
    )
    plan = make_plan(source, options)
    aside = archive(target) if again else None
    write_plan(plan, target / REVIEW)
    lines = [] if aside is None else [f"the former review: {aside}"]
    if plan.repair or plan.audit:
        lines.append(
            f"{len(plan.repair):,} most suspicious samples and {len(plan.audit):,} of the other "
            f"{len(source.dataset) - len(plan.repair):,} at random, by {plan.votes} votes each"
        )
    if plan.select:
        shown = sum(len(task.rows) for task in plan.select)
        lines.append(f"{len(plan.select):,} grids to select from, of {shown:,} images")
    if plan.gold:
        lines.append(f"{len(plan.gold):,} control questions, extra")
    lines.append(f"{path} ({plan.sha256[:12]}…)")
    return "\n".join(lines)
