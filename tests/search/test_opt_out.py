"""Headers in which servers say what their pictures may be used for, read as they are meant."""

import pytest
from multidict import CIMultiDict

from adc_plugins_search.collectors.opt_out import Signal, preferences, robots_tag, signals_of


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("noai", [("noai", True)]),
        ("NoAI", [("noai", True)]),
        ("noimageai", [("noimageai", True)]),
        ("noml", [("noml", True)]),
        ("none", [("none", True)]),
        ("index, follow, noarchive", []),
        ("noindex, nofollow", [("noindex", True)]),
        # A word with a value is no bot's name.
        ("max-image-preview:large, noai", [("noai", True)]),
        ("noai, max-snippet:-1", [("noai", True)]),
        ("max-video-preview: 0,noimageindex", [("noimageindex", True)]),
        # The date holds commas and colons of its own.
        ("unavailable_after: 25 Jun 2030 15:00:00 PST, noimageai", [("noimageai", True)]),
        ("unavailable_after: Tue, 25 Jun 2030 15:00:00 PST, noimageai", [("noimageai", True)]),
        ("unavailable_after: Tuesday, 25-Jun-30 15:00:00 PST", []),
        ("unavailable_after: 2030-06-25T15:00:00Z, noai", [("noai", True)]),
        # A bot's name scopes the rest of its line.
        ("adc-search: noai", [("adc-search: noai", True)]),
        ("ADC-Search: noindex, noai", [("adc-search: noindex", True), ("adc-search: noai", True)]),
        ("*: noai", [("*: noai", True)]),
        ("otherbot: noai, noindex", [("otherbot: noai", False), ("otherbot: noindex", False)]),
        ("googlebot: max-snippet: 5, noindex", [("googlebot: noindex", False)]),
        ("googlebot: unavailable_after: 25 Jun 2030 15:00:00 PST", []),
        (
            "googlebot: noindex, adc-search: noai",
            [("googlebot: noindex", False), ("adc-search: noai", True)],
        ),
        ("", []),
        (",,:,", []),
        ("noaid, xnoai, no ai", []),
    ],
)  # fmt: skip
def test_robots_tags(line: str, found: list[tuple[str, bool]]) -> None:
    assert list(robots_tag(line)) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["train-ai=n"], {"train-ai": "n"}),
        (["search=y, train-ai=n;exp=2"], {"search": "y", "train-ai": "n"}),
        (["bots=n", "Train-AI = y"], {"bots": "n", "train-ai": "y"}),
        (["train-ai", "=", ""], {"": ""}),
    ],
)
def test_preferences(lines: list[str], found: dict[str, str]) -> None:
    assert preferences(lines) == found


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("Content-Type", "image/jpeg")], []),
        (
            [("x-robots-tag", "otherbot: noai"), ("X-Robots-Tag", "noai")],
            [("x-robots-tag", "otherbot: noai", False), ("x-robots-tag", "noai", True)],
        ),
        ([("TDM-Reservation", " 1 ")], [("tdm-reservation", "1", True)]),
        ([("tdm-reservation", "0")], []),
        ([("content-usage", "train-ai=n")], [("content-usage", "train-ai=n", True)]),
        ([("content-usage", "train-ai=y")], [("content-usage", "train-ai=y", False)]),
        ([("content-usage", "bots=n")], [("content-usage", "bots=n", True)]),
        # The narrower preference counts.
        ([("content-usage", "bots=n, train-ai=y")], [("content-usage", "train-ai=y", False)]),
        ([("content-usage", "search=n")], []),
    ],
)
def test_signals(headers: list[tuple[str, str]], found: list[tuple[str, str, bool]]) -> None:
    assert signals_of(CIMultiDict(headers)) == [Signal(*each) for each in found]
