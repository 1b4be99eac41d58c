"""Properties of the choice: the first hit of each image, and what near duplicates are."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc_core.records.design import Hit, Query
from adc_plugins_search.download.outcomes import Outcome, Reason, Refused, Stored
from adc_plugins_search.download.results.deduplicate import HitOutcome, deduplicate

CLASSES = ("cat", "dog", "emu")
MISSING = Refused(Reason.NOT_FOUND, "HTTP 404")


def hit_outcomes(place: int, class_name: str, outcome: Outcome) -> HitOutcome:
    query = Query(text=f"a {class_name}", class_name=class_name)
    url = f"https://a.example/{place}"
    return HitOutcome(Hit(url=url, query=query, engine="google", rank=1), f"key{place}", outcome)


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(-1, 17)), max_size=30))
def test_the_first_hit_of_each_image_shows_it(
    stored: Callable[[int], Stored], hits: list[tuple[str, int]]
) -> None:
    """Each hit has a class, and shows an image, -1 being none."""
    deduplication = deduplicate(
        hit_outcomes(place, name, MISSING if shown < 0 else stored(shown))
        for place, (name, shown) in enumerate(hits)
    )
    rows_of: dict[int, list[int]] = {}
    for row, (_, shown) in enumerate(hits):
        if shown >= 0:
            rows_of.setdefault(shown, []).append(row)
    numbers = {shown: number for number, shown in enumerate(rows_of)}
    assert deduplication.image.tolist() == [numbers.get(shown, -1) for _, shown in hits]
    assert deduplication.first.tolist() == [rows[0] for rows in rows_of.values()]
    assert deduplication.hits.tolist() == [len(rows) for rows in rows_of.values()]
    assert deduplication.kept.all()
    assert deduplication.group_of_kept.tolist() == list(range(len(rows_of)))
    others = {
        number: {hits[row][0] for row in rows} - {hits[rows[0]][0]}
        for number, rows in enumerate(rows_of.values())
    }
    assert deduplication.other_classes == {
        number: names for number, names in others.items() if names
    }


@pytest.mark.parametrize(
    ("policy", "kept", "groups", "others"),
    [
        ("keep", [0, 1, 2, 3, 4], [0, 0, 2, 2, 4], {}),
        ("first", [0, 2, 4], [0, 1, 2], {2: {"emu"}}),
        ("drop-conflicts", [0, 1, 4], [0, 0, 2], {}),
    ],
)
def test_near_duplicates(
    stored: Callable[[int], Stored],
    policy: str,
    kept: list[int],
    groups: list[int],
    others: dict[int, set[str]],
) -> None:
    """0 and 1 are nearly the same and of one class, 2 and 3 of two classes, 4 is alone."""
    hashes = [0, 0b11, 0xFFFF << 32, (0xFFFF << 32) + 0b1001, 0xFFFF << 16]
    hits = [
        hit_outcomes(place, CLASSES[int(code)], replace(stored(place), perceptual=hashes[place]))
        for place, code in enumerate("00120")
    ]
    deduplication = deduplicate(hits, policy, 2)
    assert deduplication.kept.nonzero()[0].tolist() == kept
    assert deduplication.group.tolist() == [0, 0, 2, 2, 4]
    assert deduplication.group_of_kept.tolist() == groups
    assert deduplication.other_classes == others
