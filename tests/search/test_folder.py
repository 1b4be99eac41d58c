from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from adc_core.records.design import Query
from adc_plugins_search.searchers.folder import FolderSearcher, words


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in (
        "sweater/beige wool/01.JPG",
        "sweater/navy/wool-02.png",
        "sweater/navy/notes.txt",
        "sweater/navy/.hidden.png",
        ".cache/sweater.jpg",
        "Tee_Shirt/Beige.jpeg",
        "sweaters.jpg",
    ):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    return tmp_path


def found(root: Path, text: str, class_name: str) -> list[str]:
    page = FolderSearcher(root=root).page(Query(text=text, class_name=class_name))
    prefix = root.as_uri() + "/"
    return [hit.url.removeprefix(prefix) for hit in page.hits]


def test_more_matching_words_come_first_then_the_path(root: Path) -> None:
    assert found(root, "navy wool sweater", "sweater") == [
        "sweater/navy/wool-02.png",
        "sweater/beige%20wool/01.JPG",
    ]
    assert found(root, "sweater", "sweater") == [
        "sweater/beige%20wool/01.JPG",
        "sweater/navy/wool-02.png",
    ]


def test_every_word_of_the_class_must_be_there(root: Path) -> None:
    assert found(root, "beige tee shirt", "tee shirt") == ["Tee_Shirt/Beige.jpeg"]
    assert found(root, "beige shirt dress", "shirt dress") == []
    assert found(root, "+", "+") == []


def test_hits_are_complete(root: Path) -> None:
    query = Query(text="navy sweater", class_name="sweater")
    hit = FolderSearcher(root=root).page(query).hits[0]
    assert hit.url == (root / "sweater/navy/wool-02.png").as_uri()
    assert (hit.engine, hit.rank, hit.title, hit.query) == ("folder", 1, "wool-02", query)


def test_pages_follow_each_other(tmp_path: Path) -> None:
    for number in range(205):
        (tmp_path / f"cat-{number:03}.jpg").touch()
    searcher = FolderSearcher(root=tmp_path)
    query = Query(text="cat", class_name="cat")
    pages = [searcher.page(query)]
    while pages[-1].cursor:
        pages.append(searcher.page(query, pages[-1].cursor))
    assert [len(page.hits) for page in pages] == [100, 100, 5]
    hits = [hit for page in pages for hit in page.hits]
    assert [hit.rank for hit in hits] == list(range(1, 206))
    assert [hit.title for hit in hits] == [f"cat-{number:03}" for number in range(205)]


def test_a_relative_root_gives_absolute_addresses(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    query = Query(text="navy sweater", class_name="sweater")
    page = FolderSearcher(root=Path("sweater")).page(query)
    assert page.hits == ()  # words above the root do not count
    page = FolderSearcher(root=Path()).page(query)
    assert page.hits[0].url == (root / "sweater/navy/wool-02.png").as_uri()


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as raised:
        FolderSearcher(root=tmp_path / "none")
    assert raised.value.errors()[0]["msg"] == (
        f"{tmp_path / 'none'} is not a folder: give one that holds images"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Beige_sweater-01", {"beige", "sweater", "01"}),
        ("STRASSE straße", {"strasse"}),
        ("sweater2x", {"sweater", "2", "x"}),
        ("ﬁsherman", {"fisherman"}),
        ("…", set()),
    ],
)
def test_words(text: str, expected: set[str]) -> None:
    assert words(text) == expected


def test_a_pipeline_file_names_the_folder_beside_it(root: Path) -> None:
    context: dict[str, Callable[[], Path] | Path] = {"folder": root}
    searcher = FolderSearcher.model_validate({"root": "sweater"}, context=context)
    assert searcher.root == root / "sweater"
