"""Ranges: what they hold, and how they are read."""

import pytest

from adc_core.errors import lines_of
from adc_core.records.estimates import Estimate, EvidenceQuality, NoiseRate


@pytest.mark.parametrize(
    ("low", "point", "high", "text"),
    [
        (0.061, 0.094, 0.21, "9.4 % (6.1 to 21 %)"),
        (0, 0, 0.008, "0.0 % (0.0 to 0.8 %)"),
        (0.5, 0.994, 1, "99 % (50 to 100 %)"),
        (0.0994, 0.0995, 0.0999, "10 % (9.9 to 10 %)"),
    ],
)
def test_is_written_as_people_read_it(low, point, high, text):
    assert str(Estimate(low=low, point=point, high=high)) == text
    assert str(NoiseRate(low=low, point=point, high=high, warnings=("much",))) == text


@pytest.mark.parametrize(
    ("numbers", "lines"),
    [
        ((0.2, 0.1, 0.3), ["the range 0.2 … 0.3 does not hold 0.1"]),
        ((0.1, 0.4, 0.3), ["the range 0.1 … 0.3 does not hold 0.4"]),
        (
            (-0.1, 0.4, 1.3),
            [
                "low: Input should be greater than or equal to 0",
                "high: Input should be less than or equal to 1",
            ],
        ),
        ((float("nan"), 0.4, 0.5), ["low: Input should be less than or equal to 1"]),
    ],
)
def test_ranges_that_hold_nothing_are_refused(numbers, lines):
    for kind in (Estimate, NoiseRate):
        with pytest.raises(ValueError) as raised:
            kind(**dict(zip(("low", "point", "high"), numbers, strict=True)))
        assert lines_of(raised.value) == lines


def test_a_point_may_be_a_whole_range():
    assert str(Estimate(low=0.1, point=0.1, high=0.1)) == "10 % (10 to 10 %)"


def test_verdicts_are_three():
    for verdict in ("good", "fair", "poor"):
        assert EvidenceQuality(chance=0.1, verdict=verdict, advice="look").verdict == verdict
    with pytest.raises(ValueError) as raised:
        EvidenceQuality(chance=0.1, verdict="bad", advice="look")
    assert lines_of(raised.value) == ["verdict: Input should be 'good', 'fair' or 'poor'"]
