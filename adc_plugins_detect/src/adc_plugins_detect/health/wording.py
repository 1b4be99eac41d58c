"""Words and figures that the terminal and the page both show."""

from collections.abc import Iterator

from adc_core.runs import name_of, said
from adc_plugins_detect.health.assessment import ClassHealth, EvidenceQuality, Health
from adc_plugins_detect.health.class_health import Confusion, Overlap, Share
from adc_plugins_detect.health.order import OrderTest
from adc_plugins_detect.image_measures.duplicates import Leak

GOOD_SHARE = 0.5
"""Probes that give fewer samples their label than this say little about outliers and classes."""

BROKEN = "broken file"


def percent(value: float | None, places: int = 1) -> str:
    """Write a share as people read it."""
    return "–" if value is None else f"{100 * value:.{places}f} %"


def checks(health: Health) -> Iterator[tuple[str, int, float, str, str]]:
    """Give name, count, share, the first few samples and the measure of each check."""
    if health.given.images is not None:
        broken = health.broken
        names = ", ".join(f"{name_of(health.given, one.row)} ({said(one)})" for one in broken[:2])
        how = "decoded at low resolution; of PNG the check sums"
        yield BROKEN, len(broken), len(broken) / len(health.given), names, how
    for check in health.checks:
        rows = check.worst[:2].tolist()
        names = ", ".join(name_of(health.dataset, row) for row in rows)
        count = int(check.flagged.sum())
        how = f"{check.measure}: {check.threshold}"
        yield check.name, count, count / len(health.dataset), names, how


def evidence(quality: EvidenceQuality) -> Iterator[str]:
    """Say in sentences what features and probabilities are worth."""
    if quality.features:
        yield f"Features: {quality.features}."
    if quality.predicted is not None:
        seen = "have seen" if quality.in_sample else "have not seen"
        yield (
            f"Models that {seen} a sample's label predict it for {interval(quality.predicted)} of "
            f"the samples; guessing the largest class would for {percent(quality.largest)}."
        )
    if quality.neighbors_agree is not None:
        yield (
            f"Of a sample's nearest neighbors {percent(quality.neighbors_agree)} have its label; "
            f"by chance {percent(quality.by_chance)} would."
        )
    weak = quality.predicted is not None and (quality.predicted.value or 0) < GOOD_SHARE
    if weak or (quality.features and quality.predicted is None):
        yield (
            "That is weak: take outliers, confusions and overlaps for hints, or give better "
            "features with --encoder, such as torchvision:model=resnet50."
        )


def interval(found: Share) -> str:
    """Write a share with its 95 % interval."""
    return f"{percent(found.value)} ({percent(found.low)[:-2]} … {percent(found.high)})"


def leaks(health: Health) -> list[Leak]:
    """Take each pair of splits once, from the smaller one."""
    return [
        found
        for found in health.leaks
        if (found.size, found.split) <= (_size_of(health.leaks, found.other), found.other)
    ]


def _size_of(found: list[Leak], split: str) -> int:
    return next(one.size for one in found if one.split == split)


def leak(found: Leak) -> str:
    """Write one sentence about copies between two splits."""
    return (
        f"{found.samples:,} of {found.size:,} samples of {found.split} "
        f"({percent(found.samples / found.size)}) have a copy in {found.other}, "
        f"{found.exact:,} of them byte for byte"
    )


def confusion(pair: Confusion, classes: tuple[str, ...]) -> tuple[str, str, str, str]:
    """Write label, prediction, share with interval, and how many times an even spread."""
    return (
        classes[pair.label],
        classes[pair.predicted],
        f"{pair.share.part:,} of {pair.share.whole:,}: {interval(pair.share)}",
        f"{pair.times:.1f} ×",
    )


def overlap(pair: Overlap, classes: tuple[str, ...]) -> tuple[str, str, str]:
    """Write both classes, share of the neighbors, and share by chance."""
    both = f"{classes[pair.one]} and {classes[pair.other]}"
    return both, percent(pair.share), percent(pair.chance)


def order(test: OrderTest) -> str:
    """Write one sentence about the order of the samples."""
    meaning = (
        "the order carries information: shuffle before you split"
        if test.p_value <= 0.01
        else "no sign that the order carries information"
    )
    return (
        f"{test.statistic}: {test.ratio:.2f} of what {test.permutations} random orders give, "
        f"p = {test.p_value:.3f} ({test.counted:,} looked at): {meaning}"
    )


def class_head(health: Health) -> list[str]:
    """Name the columns of the table of classes."""
    first = health.classes[0]
    return [
        "class",
        "samples",
        *first.splits,
        "broken",
        "copies",
        "other label",
        "outliers",
        "image issues",
        "predicted as labelled",
        "neighbors agree",
        "taken for",
    ]


def class_row(one: ClassHealth) -> list[str]:
    """Write one line of that table."""
    counts = [one.samples, *one.splits.values(), one.broken, one.copies, one.other_label]
    counts += [one.outliers, one.image_issues]
    return [
        one.name,
        *(f"{count:,}" for count in counts),
        "–" if one.predicted is None else interval(one.predicted),
        percent(one.neighbors_agree),
        one.taken_for or "–",
    ]
