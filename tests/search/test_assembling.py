"""Properties of the last step: every hit is accounted for, and the first of its kind wins."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from adc_core.design import Design, Hit, Query
from adc_plugins_search.collectors.assembling import (
    assemble,
    dataset_of,
    hits_table,
    refused_table,
)
from adc_plugins_search.collectors.errands import canonical, errands_of, id_of
from adc_plugins_search.collectors.outcomes import Errand, Outcome, Reason, Refused, Stored
from adc_plugins_search.collectors.searching import Found
from adc_plugins_search.searchers.folder import FolderSearcher
from adc_plugins_search.searchers.google import GoogleSearcher

CLASSES = ("cat", "dog", "emu")
GOOGLE = GoogleSearcher()


def found(url: str, class_name: str = "cat", rank: int = 1) -> Found:
    query = Query(text=f"a {class_name}", class_name=class_name)
    return Found(Hit(url=url, query=query, engine="google", rank=rank), GOOGLE)


def stored(picture: int) -> Stored:
    return Stored(
        final_url=f"https://end.example/{picture}",
        width=9,
        height=8,
        format="PNG",
        mode="P",
        size=7,
        sha256=f"raw{picture}",
        stored_size=6,
        stored_sha256=f"stored{picture}",
        perceptual=(0x0123456789ABCDEF * (picture + 1)) % (1 << 64),
        offset=512 * picture,
        shard=f"{picture % 2}.tar",
    )


@given(
    st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(0, 7)), min_size=1, max_size=30),
    st.lists(st.integers(-1, 3), min_size=8, max_size=8),
)
def test_every_hit_is_a_sample_or_a_refusal(
    hits: list[tuple[str, int]], picture_at: list[int]
) -> None:
    """`picture_at` says which picture each of eight addresses shows, -1 being none."""
    everything = [
        found(f"https://a.example/{place}", name, rank)
        for rank, (name, place) in enumerate(hits, 1)
    ]
    errands = errands_of(everything)
    outcomes: dict[str, Outcome] = {}
    for (_, place), errand in zip(hits, errands, strict=True):
        assert isinstance(errand, Errand)
        shown = picture_at[place]
        missing = Refused(Reason.NOT_FOUND, "HTTP 404")
        outcomes[errand.key] = missing if shown < 0 else stored(shown)
    assembled = assemble(everything, errands, outcomes)

    ranks = [sample.hit.rank for sample in assembled.samples]
    refused = [hit.rank for hit, _ in assembled.refusals]
    assert sorted(ranks + refused) == list(range(1, len(hits) + 1))
    assert refused == sorted(refused)
    first_of: dict[int, int] = {}
    classes_of: dict[int, set[str]] = {}
    for rank, (name, place) in enumerate(hits, 1):
        if (shown := picture_at[place]) >= 0:
            first_of.setdefault(shown, rank)
            classes_of.setdefault(shown, set()).add(name)
    assert ranks == list(first_of.values())
    for sample, shown in zip(assembled.samples, first_of, strict=True):
        kept_as = sample.hit.query.class_name
        assert sample.other_classes == classes_of[shown] - {kept_as}
    shown_at = [place for _, place in hits if picture_at[place] >= 0]
    assert [hit.url[-1] for hit, _ in assembled.hits] == [str(place) for place in shown_at]
    assert all(
        sample.stored.stored_sha256 == f"stored{picture_at[place]}"
        for (_, sample), place in zip(assembled.hits, shown_at, strict=True)
    )


def test_the_dataset_and_the_refusals_spell_everything_out(tmp_path: Path) -> None:
    queries = [
        Query(text=f"{color} {name}", class_name=name, attributes={"color": color})
        for name in CLASSES
        for color in ("grey", "tan")
    ]
    design = Design(classes=CLASSES, attributes={"color": ("grey", "tan")}, queries=queries)
    hits = [
        Hit(url="https://A.example/1#x", query=queries[1], engine="google", rank=4, title="Tom"),
        Hit(url="https://a.example/2", query=queries[2], engine="google", rank=1, page="p"),
        Hit(url="https://a.example/3", query=queries[5], engine="google", rank=1),
        Hit(url="https://a.example/1", query=queries[2], engine="google", rank=2),
        Hit(url="https://a.example/4", query=queries[3], engine="google", rank=9, licence="CC0"),
    ]
    everything = [Found(hit, GOOGLE) for hit in hits]
    errands = errands_of(everything)
    pictures = [stored(1), Refused(Reason.NOT_FOUND, "HTTP 404"), stored(1), stored(1), stored(2)]
    outcomes = {e.key: o for e, o in zip(errands, pictures, strict=True) if isinstance(e, Errand)}
    assembled = assemble(everything, errands, outcomes)

    assert refused_table(assembled).to_pylist() == [
        {
            "url": "https://a.example/2",
            "class": "dog",
            "engine": "google",
            "query": "grey dog",
            "reason": "not found",
            "detail": "HTTP 404",
        },
        {
            "url": "https://a.example/3",
            "class": "emu",
            "engine": "google",
            "query": "tan emu",
            "reason": "duplicate",
            "detail": "same picture as https://A.example/1#x",
        },
        {
            "url": "https://a.example/1",
            "class": "dog",
            "engine": "google",
            "query": "grey dog",
            "reason": "duplicate",
            "detail": "same picture as https://A.example/1#x",
        },
    ]
    hits = hits_table(assembled, design).to_pylist()
    assert [(row["id"], row["url"], row["attributes"]) for row in hits] == [
        (id_of("https://a.example/1"), "https://A.example/1#x", '{"color": "tan"}'),
        (id_of("https://a.example/1"), "https://a.example/3", '{"color": "tan"}'),
        (id_of("https://a.example/1"), "https://a.example/1", '{"color": "grey"}'),
        (id_of("https://a.example/4"), "https://a.example/4", '{"color": "tan"}'),
    ]
    dataset = dataset_of(assembled, design, tmp_path)
    first, second = id_of("https://a.example/1"), id_of("https://a.example/4")
    assert len(first) == 20
    assert dataset.ids.tolist() == [first, second]
    assert dataset.labels.tolist() == [0, 1]
    assert dataset.attributes["color"].tolist() == ["tan", "tan"]
    assert dataset.images.names == ("0.tar", "1.tar")
    assert dataset.images.shard.tolist() == [1, 0]
    assert dataset.images.offset.tolist() == [512, 1024]
    assert dataset.images.size.tolist() == [6, 6]
    assert dataset.images.sums == ["stored1", "stored2"]
    assert dataset.sources.to_pylist() == [
        {
            "url": "https://A.example/1#x",
            "final_url": "https://end.example/1",
            "page": None,
            "title": "Tom",
            "engine": "google",
            "query": "tan cat",
            "rank": 4,
            "licence": None,
            "licence_url": None,
            "creator": None,
            "creator_url": None,
            "attribution": None,
            "width": 9,
            "height": 8,
            "format": "PNG",
            "mode": "P",
            "bytes": 7,
            "stored_bytes": 6,
            "sha256": "raw1",
            "stored_sha256": "stored1",
            "signals": None,
            "relaxed": None,
            "also_found_as": "dog/emu",
        },
        {
            "url": "https://a.example/4",
            "final_url": "https://end.example/2",
            "page": None,
            "title": None,
            "engine": "google",
            "query": "tan dog",
            "rank": 9,
            "licence": "CC0",
            "licence_url": None,
            "creator": None,
            "creator_url": None,
            "attribution": None,
            "width": 9,
            "height": 8,
            "format": "PNG",
            "mode": "P",
            "bytes": 7,
            "stored_bytes": 6,
            "sha256": "raw2",
            "stored_sha256": "stored2",
            "signals": None,
            "relaxed": None,
            "also_found_as": None,
        },
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Shop.Example:80/", "http://shop.example/"),
        ("https://shop.example:443/A.jpg#top", "https://shop.example/A.jpg"),
        ("https://shop.example/a b.jpg?w=1&h=2", "https://shop.example/a%20b.jpg?w=1&h=2"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://shop.example:8443/x/../y", "https://shop.example:8443/y"),
    ],
)
def test_canonical_addresses(url: str, expected: str) -> None:
    assert canonical(URL(url)) == expected


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("file:///etc/passwd", "not an http or https address"),
        ("data:image/png;base64,AAAA", "not an http or https address"),
        ("/relative.jpg", "not an http or https address"),
        ("https:///nowhere", "not an http or https address"),
    ],
)
def test_web_searchers_may_only_name_web_addresses(url: str, detail: str) -> None:
    assert errands_of([found(url)]) == [Refused(Reason.FORBIDDEN, detail)]


def test_an_address_that_is_none() -> None:
    (refused,) = errands_of([found("http://[::1")])
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.FORBIDDEN
    assert refused.detail.startswith("no address: ")


def test_a_folder_searcher_may_only_name_files(tmp_path: Path) -> None:
    searcher = FolderSearcher(root=tmp_path)
    hit = found("https://a.example/1").hit
    assert errands_of([Found(hit, searcher)]) == [Refused(Reason.FORBIDDEN, "not a file address")]
    (errand,) = errands_of([Found(hit.replace(url="file:///x.jpg"), searcher)])
    assert isinstance(errand, Errand)
    assert errand.root == tmp_path


@pytest.mark.parametrize(
    ("policy", "kept", "groups", "refused"),
    [
        ("keep", [0, 1, 2, 3, 4], [0, 0, 2, 2, 4], []),
        ("first", [0, 2, 4], [0, 1, 2], [1, 3]),
        ("drop-conflicts", [0, 1, 4], [0, 0, 2], [2, 3]),
    ],
)
def test_near_duplicates(
    policy: str, kept: list[int], groups: list[int], refused: list[int], tmp_path: Path
) -> None:
    """0 and 1 are nearly the same and of one class, 2 and 3 of two classes, 4 is alone."""
    hashes = [0, 0b11, 0xFFFF << 32, (0xFFFF << 32) + 0b1001, 0xFFFF << 16]
    everything = [
        found(f"https://a.example/{place}", CLASSES[int(k)]) for place, k in enumerate("00120")
    ]
    errands = errands_of(everything)
    outcomes = {
        errand.key: replace(stored(place), perceptual=hashes[place])
        for place, errand in enumerate(errands)
        if isinstance(errand, Errand)
    }
    assembled = assemble(everything, errands, outcomes, policy, 2)
    design = Design(classes=CLASSES, queries=(Query(text="a", class_name="cat", attributes={}),))
    dataset = dataset_of(assembled, design, tmp_path)
    assert dataset.ids.tolist() == [id_of(f"https://a.example/{place}") for place in kept]
    assert dataset.columns["duplicate_group"].tolist() == groups
    assert [(hit.url[-1], each.reason) for hit, each in assembled.refusals] == [
        (str(place), Reason.NEAR_DUPLICATE) for place in refused
    ]
    assert [hit.url[-1] for hit, _ in assembled.hits] == [str(place) for place in kept]
    also = dataset.sources.column("also_found_as").to_pylist() if dataset.sources else []
    assert also == ([None, "emu", None] if policy == "first" else [None] * len(kept))
