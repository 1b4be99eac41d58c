import json

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from adc_core.errors import InputError
from adc_core.records.design import Page, Query
from adc_plugins_search.searchers.manifest import ManifestSearcher

SWEATER = Query(text="beige sweater", class_name="sweater")


def urls(searcher, query=SWEATER):
    return [hit.url for hit in searcher.page(query).hits]


@pytest.fixture
def labeled():
    return pa.table(
        {
            "url": ["http://a/1", "http://a/2", None, "http://a/4"],
            "label": ["Sweater", "hoodie", "sweater", "sweater"],
            "color": ["beige", "beige", "beige", "Navy"],
            "license": ["CC-BY-4.0", None, None, None],
            "width": [640.0, None, None, None],
        }
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_labels_answer_for_their_class(tmp_path, labeled, suffix):
    path = tmp_path / f"list.{suffix}"
    if suffix == "csv":
        pyarrow.csv.write_csv(labeled, path)
    elif suffix == "parquet":
        pq.write_table(labeled, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in labeled.to_pylist()))
    searcher = ManifestSearcher(path=path)
    hits = searcher.page(SWEATER).hits
    assert [(hit.url, hit.rank) for hit in hits] == [
        ("http://a/1", 1),
        ("http://a/4", 2),
    ]
    assert (hits[0].license, hits[0].width, hits[0].height) == ("CC-BY-4.0", 640, None)
    assert hits[1].license is None
    assert hits[0].engine == "manifest"


def test_a_column_of_an_attribute_must_hold_its_value(tmp_path, labeled):
    pq.write_table(labeled, tmp_path / "list.parquet")
    searcher = ManifestSearcher(path=tmp_path / "list.parquet")
    navy = Query(
        text="navy wool sweater",
        class_name="sweater",
        attributes={"color": "navy", "material": "wool"},
    )
    assert urls(searcher, navy) == ["http://a/4"]


def test_captions_answer_by_their_words(tmp_path):
    table = pa.table(
        {
            "URL": [f"http://a/{row}" for row in range(5)],
            "TEXT": [
                "A sweater",
                "sweaters galore",
                "Beige SWEATER, knitted",
                None,
                "beige trousers",
            ],
        }
    )
    pq.write_table(table, tmp_path / "laion.parquet")
    searcher = ManifestSearcher(path=tmp_path / "laion.parquet", url="URL", caption="TEXT")
    assert urls(searcher) == ["http://a/2", "http://a/0"]
    assert searcher.page(Query(text="x", class_name="scarf")) == Page()


def test_long_lists_come_in_pages(tmp_path):
    table = pa.table(
        {"url": [f"http://a/{row}" for row in range(2300)], "label": ["sweater"] * 2300}
    )
    pq.write_table(table, tmp_path / "list.parquet")
    searcher = ManifestSearcher(path=tmp_path / "list.parquet")
    first, second = searcher.page(SWEATER), searcher.page(SWEATER, "1000")
    assert (len(first.hits), first.cursor, second.cursor) == (1000, "1000", "2000")
    last = searcher.page(SWEATER, "2000")
    assert (len(last.hits), last.hits[0].rank, last.cursor) == (300, 2001, None)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "does not exist: give the path of a list"),
        ("list.txt", "x", "is not one of: .csv, .parquet, .jsonl"),
        (
            "list.csv",
            "url,name\n1,2\n",
            "needs the columns url, and label or caption; it has url, name",
        ),
    ],
)
def test_bad_lists_are_named(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError) as raised:
        ManifestSearcher(path=path).page(SWEATER)
    assert str(raised.value) == f"{path} {message}"


def test_a_damaged_list_is_named(tmp_path):
    path = tmp_path / "list.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match=r"list\.parquet cannot be read as parquet: "):
        ManifestSearcher(path=path).page(SWEATER)
