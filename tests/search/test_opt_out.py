"""Headers and metadata that say what images may be used for, read as they are meant."""

import pytest
from multidict import CIMultiDict

from adc_plugins_search.download.http.opt_out import (
    Signal,
    preferences,
    robots_tag,
    signals_in,
    signals_of,
)


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


PLUS = "http://ns.useplus.org/ldf/vocab/"
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TDM = 'xmlns:tdm="http://www.w3.org/ns/tdmrep/"'


def file_with(*said: str) -> bytes:
    """A file of random bytes around a packet in which some things are said."""
    packets = [
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"<rdf:Description rdf:about=''\n {each}</rdf:Description></rdf:RDF>"
        for each in said
    ]
    noise = bytes(range(256)) * 4
    return noise + b"".join(packet.encode() + noise for packet in packets)


@pytest.mark.parametrize(
    "said",
    [
        f'plus:DataMining="{PLUS}DMI-PROHIBITED">',
        f"plus:DataMining\n=\t'{PLUS}DMI-PROHIBITED' dc:format='image/jpeg'>",
        f"><plus:DataMining>{PLUS}DMI-PROHIBITED</plus:DataMining>",
        f"><plus:DataMining>\n  {PLUS}DMI-PROHIBITED\n</plus:DataMining>",
        f'><plus:DataMining rdf:resource="{PLUS}DMI-PROHIBITED"/>',
        f"><plus:DataMining\n   rdf:resource = '{PLUS}DMI-PROHIBITED' />",
        # Another prefix is the same property, and so is the bare term that some tools write.
        f'xmlns:p0="http://ns.useplus.org/ldf/xmp/1.0/" p0:DataMining="{PLUS}DMI-PROHIBITED">',
        '><plus:DataMining>DMI-Prohibited</plus:DataMining>',
    ],
)  # fmt: skip
def test_data_mining_in_every_form(said: str) -> None:
    assert signals_in(file_with(said)) == [Signal("plus-data-mining", "DMI-PROHIBITED", True)]


@pytest.mark.parametrize(
    ("term", "binding"),
    [
        ("UNSPECIFIED", False),
        ("ALLOWED", False),
        ("PROHIBITED", True),
        ("PROHIBITED-AIMLTRAINING", True),
        ("PROHIBITED-GENAIMLTRAINING", False),
        ("PROHIBITED-EXCEPTSEARCHENGINEINDEXING", True),
        ("PROHIBITED-SEECONSTRAINT", True),
        ("PROHIBITED-SEEEMBEDDEDRIGHTSEXPR", True),
        ("PROHIBITED-SEELINKEDRIGHTSEXPR", True),
        ("PROHIBITED-IN-A-WAY-YET-UNKNOWN", True),
    ],
)
def test_what_the_vocabulary_of_data_mining_forbids(term: str, binding: bool) -> None:
    found = signals_in(file_with(f'plus:DataMining="{PLUS}DMI-{term}">'))
    assert found == [Signal("plus-data-mining", f"DMI-{term}", binding)]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (f'{TDM} tdm:reservation="1">', [("tdm-reservation", "1 in its XMP", True)]),
        (
            f"{TDM}><tdm:reservation>1</tdm:reservation>",
            [("tdm-reservation", "1 in its XMP", True)],
        ),
        (f'{TDM} tdm:reservation="0">', []),
        ('table:reservation="1">', []),
        (
            f'Iptc4xmpExt:DigitalSourceType="{SOURCE}trainedAlgorithmicMedia">',
            [("digital-source-type", "trainedAlgorithmicMedia", False)],
        ),
        (
            f'><x:DigitalSourceType rdf:resource="{SOURCE}compositeWithTrainedAlgorithmicMedia"/>',
            [("digital-source-type", "compositeWithTrainedAlgorithmicMedia", False)],
        ),
        (f'Iptc4xmpExt:DigitalSourceType="{SOURCE}digitalCapture">', []),
    ],
)
def test_what_else_xmp_says(said: str, found: list[tuple[str, str, bool]]) -> None:
    assert signals_in(file_with(said)) == [Signal(*each) for each in found]


@pytest.mark.parametrize(
    "said",
    [
        ">",
        "plus:DataMining",
        'plus:DataMining="',
        'plus:DataMining="" dc:rights="DMI-PROHIBITED">',
        "><plus:DataMining/>",
        "><plus:DataMining></plus:DataMining><dc:rights>DMI-PROHIBITED</dc:rights>",
        f'plus:DataMining="{PLUS}">',
        f'plus:DataMiningOfMine="{PLUS}DMI-PROHIBITED">',
        f"plus:DataMining={PLUS}DMI-PROHIBITED>",
        f"dc:rights='DataMining=\"{PLUS}DMI-PROHIBITED\"'>",
    ],
)
def test_broken_packets_say_nothing(said: str) -> None:
    assert signals_in(file_with(said)) == []


def test_without_a_packet_nothing_is_said() -> None:
    assert signals_in(b"") == []
    assert signals_in(f':DataMining="{PLUS}DMI-PROHIBITED"'.encode()) == []


def test_every_packet_is_read_and_what_is_repeated_counts_once() -> None:
    allowed, prohibited = (f'plus:DataMining="{PLUS}DMI-{x}">' for x in ("ALLOWED", "PROHIBITED"))
    assert signals_in(file_with(allowed, prohibited, prohibited)) == [
        Signal("plus-data-mining", "DMI-ALLOWED", False),
        Signal("plus-data-mining", "DMI-PROHIBITED", True),
    ]


def test_huge_packets_are_read_up_to_4_mib() -> None:
    said = f'plus:DataMining="{PLUS}DMI-PROHIBITED">'
    assert len(signals_in(file_with(" " * 4_000_000 + said))) == 1
    assert signals_in(file_with(" " * 5_000_000 + said)) == []
    many = (f'plus:DataMining="{PLUS}DMI-{number}"' for number in range(1000))
    assert len(signals_in(file_with(" ".join(many)))) == 100
