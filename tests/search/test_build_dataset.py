"""The last step: every hit is accounted for, in the order of the design."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adc_core.errors import WorkError
from adc_core.records.design import Design, Hit, Query
from adc_plugins_search.download.outcomes import Outcome, Reason, Refused, Stored
from adc_plugins_search.download.results import arrow_tables
from adc_plugins_search.download.results.build_dataset import (
    CollectionTables,
    build_dataset,
    write_tables,
)
from adc_plugins_search.download.results.deduplicate import HitOutcome, NearDuplicates, deduplicate
from adc_plugins_search.download.searches.task_for_hit import id_of

CLASSES = ("cat", "dog", "emu")
PLAIN = Design(classes=CLASSES, queries=(Query(text="a", class_name="cat"),))
LIKE = "nearly the same as https://a.example/"
MISSING = Refused(Reason.NOT_FOUND, "HTTP 404")


def hit_outcomes(place: int, class_name: str, outcome: Outcome, rank: int = 1) -> HitOutcome:
    query = Query(text=f"a {class_name}", class_name=class_name)
    url = f"https://a.example/{place}"
    return HitOutcome(Hit(url=url, query=query, engine="google", rank=rank), f"key{place}", outcome)


def accounts_of(
    hits: list[HitOutcome], folder: Path, policy: NearDuplicates = "keep"
) -> tuple[CollectionTables, list[dict[str, object]], list[dict[str, object]]]:
    """The accounts, the rows of the refusals and those of the hits."""
    tables = write_tables(hits, deduplicate(hits, policy, 2), PLAIN, folder)
    refused, kept = (pq.read_table(folder / f"{name}.parquet") for name in ("refused", "hits"))
    assert sorted(path.name for path in folder.iterdir()) == ["hits.parquet", "refused.parquet"]
    return tables, refused.to_pylist(), kept.to_pylist()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(0, 7)), min_size=1, max_size=30),
    st.lists(st.integers(-1, 3), min_size=8, max_size=8),
    st.integers(1, 4),
)
def test_every_hit_is_a_sample_or_a_refusal(
    stored: Callable[[int], Stored],
    tmp_path: Path,
    hits: list[tuple[str, int]],
    image_at: list[int],
    rows_at_once: int,
) -> None:
    """`image_at` says which image each of eight addresses shows, -1 being none."""
    everything = [
        hit_outcomes(place, name, MISSING if image_at[place] < 0 else stored(image_at[place]), rank)
        for rank, (name, place) in enumerate(hits, 1)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow_tables, "_ROWS", rows_at_once)
        tables, refused, kept = accounts_of(everything, tmp_path)
    samples = tables.samples.to_pylist()

    first_of: dict[int, int] = {}
    classes_of: dict[int, set[str]] = {}
    for rank, (name, place) in enumerate(hits, 1):
        if (shown := image_at[place]) >= 0:
            first_of.setdefault(shown, rank)
            classes_of.setdefault(shown, set()).add(name)
    assert [row["rank"] for row in samples] == list(first_of.values())
    left = [hit for rank, hit in enumerate(hits, 1) if rank not in first_of.values()]
    urls = [f"https://a.example/{place}" for _, place in left]
    assert [(row["class"], row["url"]) for row in refused] == [
        (name, url) for (name, _), url in zip(left, urls, strict=True)
    ]
    assert tables.reasons.total() == len(left)
    for row, shown in zip(samples, first_of, strict=True):
        others = classes_of[shown] - {CLASSES[row["label"]]}
        assert row["also_found_as"] == ("/".join(sorted(others)) or None)
    shown_at = [(place, image_at[place]) for _, place in hits if image_at[place] >= 0]
    assert [(row["url"], row["id"]) for row in kept] == [
        (f"https://a.example/{place}", f"key{hits[first_of[shown] - 1][1]}")
        for place, shown in shown_at
    ]


def test_the_dataset_and_the_refusals_spell_everything_out(
    stored: Callable[[int], Stored], tmp_path: Path
) -> None:
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
        Hit(url="https://a.example/4", query=queries[3], engine="google", rank=9, license="CC0"),
    ]
    images_of_hits = [stored(1), MISSING, stored(1), stored(1), stored(2)]
    hit_outcomes = [
        HitOutcome(hit, id_of(hit.url.lower().removesuffix("#x")), image)
        for hit, image in zip(hits, images_of_hits, strict=True)
    ]
    deduplication = deduplicate(hit_outcomes)
    tables = write_tables(hit_outcomes, deduplication, design, tmp_path)

    assert tables.reasons == {Reason.NOT_FOUND: 1, Reason.DUPLICATE: 2}
    assert tables.example == ("https://a.example/2", MISSING)
    assert pq.read_table(tmp_path / "refused.parquet").to_pylist() == [
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
            "detail": "same image as https://a.example/1",
        },
        {
            "url": "https://a.example/1",
            "class": "dog",
            "engine": "google",
            "query": "grey dog",
            "reason": "duplicate",
            "detail": "same image as https://a.example/1",
        },
    ]
    hits = pq.read_table(tmp_path / "hits.parquet").to_pylist()
    assert [(row["id"], row["url"], row["attributes"]) for row in hits] == [
        (id_of("https://a.example/1"), "https://a.example/1", '{"color": "tan"}'),
        (id_of("https://a.example/1"), "https://a.example/3", '{"color": "tan"}'),
        (id_of("https://a.example/1"), "https://a.example/1", '{"color": "grey"}'),
        (id_of("https://a.example/4"), "https://a.example/4", '{"color": "tan"}'),
    ]
    dataset = build_dataset(tables.samples, deduplication, design, tmp_path)
    first, second = id_of("https://a.example/1"), id_of("https://a.example/4")
    assert dataset.ids.tolist() == [first, second]
    assert dataset.labels.tolist() == [0, 1]
    assert dataset.attributes["color"].tolist() == ["tan", "tan"]
    assert dataset.images.names == ("0.tar", "1.tar")
    assert dataset.images.shard.tolist() == [1, 0]
    assert dataset.images.offset.tolist() == [512, 1024]
    assert dataset.images.size.tolist() == [6, 6]
    assert dataset.images.sums == [f"{257:0<64x}", f"{258:0<64x}"]
    assert dataset.sources.to_pylist() == [
        {
            "url": "https://a.example/1",
            "final_url": "https://end.example/1",
            "page": None,
            "title": "Tom",
            "engine": "google",
            "query": "tan cat",
            "rank": 4,
            "license": None,
            "license_url": None,
            "creator": None,
            "creator_url": None,
            "attribution": None,
            "width": 9,
            "height": 8,
            "format": "PNG",
            "mode": "P",
            "bytes": 7,
            "stored_bytes": 6,
            "sha256": f"{101:064x}",
            "stored_sha256": f"{257:0<64x}",
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
            "license": "CC0",
            "license_url": None,
            "creator": None,
            "creator_url": None,
            "attribution": None,
            "width": 9,
            "height": 8,
            "format": "PNG",
            "mode": "P",
            "bytes": 7,
            "stored_bytes": 6,
            "sha256": f"{102:064x}",
            "stored_sha256": f"{258:0<64x}",
            "signals": None,
            "relaxed": None,
            "also_found_as": None,
        },
    ]


@pytest.mark.parametrize(
    ("policy", "kept", "refused"),
    [
        ("keep", [0, 1, 2, 3, 4], []),
        ("first", [0, 2, 4], [(1, LIKE + "0"), (3, LIKE + "2")]),
        (
            "drop-conflicts",
            [0, 1, 4],
            [(2, "images of another class are nearly the same"), (3, LIKE + "2")],
        ),
    ],
)
def test_near_duplicates(
    stored: Callable[[int], Stored],
    policy: NearDuplicates,
    kept: list[int],
    refused: list[tuple[int, str]],
    tmp_path: Path,
) -> None:
    """0 and 1 are nearly the same and of one class, 2 and 3 of two classes, 4 is alone.

    The image of 3 comes again as 5: who is refused is the image, with all of its hits.
    """
    hashes = [0, 0b11, 0xFFFF << 32, (0xFFFF << 32) + 0b1001, 0xFFFF << 16]
    hits = [
        hit_outcomes(place, CLASSES[int(code)], replace(stored(place), perceptual=hashes[place]))
        for place, code in enumerate("00120")
    ]
    hits.append(hit_outcomes(5, "emu", hits[3].outcome))
    tables, refusals, shown = accounts_of(hits, tmp_path, policy)
    assert tables.samples["id"].to_pylist() == [f"key{place}" for place in kept]
    assert [(row["url"][-1], row["reason"], row["detail"]) for row in refusals] == [
        *((str(place), "near duplicate", detail) for place, detail in refused),
        ("5", "duplicate", "same image as https://a.example/3"),
    ]
    again = ["5"] if 3 in kept else []
    assert [row["url"][-1] for row in shown] == [str(place) for place in kept] + again
    also = tables.samples["also_found_as"].to_pylist()
    assert also == ([None, "emu", None] if policy == "first" else [None] * len(kept))


def test_a_table_that_cannot_be_written_is_named(
    stored: Callable[[int], Stored], tmp_path: Path
) -> None:
    hits = [hit_outcomes(0, "cat", stored(0))]
    with pytest.raises(WorkError) as raised:
        write_tables(hits, deduplicate(hits), PLAIN, tmp_path / "gone")
    assert str(raised.value) == (
        f"{tmp_path / 'gone/samples.arrow'} cannot be written: No such file or directory"
    )


def test_addresses_are_written_as_they_were_asked_for(
    stored: Callable[[int], Stored], tmp_path: Path
) -> None:
    query = Query(text="a cat", class_name="cat")
    odd = Hit(url="HTTP://A.example:80/1.jpg\r\nX-Inj: 1#top", query=query, engine="e", rank=1)
    local = odd.replace(url="file:///cats/1%20a.jpg")
    hits = [HitOutcome(odd, "key1", stored(1)), HitOutcome(local, "key2", stored(2))]
    tables, _, kept = accounts_of(hits, tmp_path)
    expected = ["http://a.example/1.jpgX-Inj:%201", "file:///cats/1%20a.jpg"]
    assert tables.samples["url"].to_pylist() == expected
    assert [row["url"] for row in kept] == expected
