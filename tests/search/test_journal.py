"""What the journal keeps of what was fetched: the outcomes of one set of rules."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adc_core.errors import WorkError
from adc_core.records.design import Hit, Page, Query
from adc_plugins_search.download.journal import Journal
from adc_plugins_search.download.outcomes import Outcome, Reason, Refused, Stored


def stored(shard: str, offset: int) -> Stored:
    return Stored("u", 9, 8, "PNG", "P", 7, "raw", 6, "out", (1 << 64) - 1, "", offset, shard)


OUTCOMES: list[tuple[str, Outcome]] = [
    ("a", stored("00000.tar", 512)),
    ("b", Refused(Reason.NOT_FOUND, "HTTP 404")),
    ("c", stored("00001.tar", 512)),
]


def test_outcomes_come_back_as_they_were(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j.sqlite", "rules")) as journal:
        journal.add_outcomes(OUTCOMES)
    with closing(Journal(tmp_path / "j.sqlite", "rules")) as journal:
        assert [(key, journal.outcome(key)) for key, _ in OUTCOMES] == OUTCOMES
        assert journal.shards() == ["00000.tar", "00001.tar"]
        assert journal.stored_in("00001.tar") == {"c": OUTCOMES[2][1]}
    with closing(Journal(tmp_path / "j.sqlite", "others")) as journal:
        assert journal.outcome("a") is None
        # Another dataset may still show images of these.
        assert journal.shards() == ["00000.tar", "00001.tar"]
        assert journal.stored_in("00001.tar") == {}


def test_they_can_be_forgotten(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j.sqlite", "rules")) as journal:
        journal.add_outcomes(OUTCOMES)
        journal.forget(["a", "unknown"])
        assert journal.outcome("a") is None
        assert journal.shards() == ["00001.tar"]
        journal.forget_outcomes()
        assert all(journal.outcome(key) is None for key, _ in OUTCOMES)
        assert journal.shards() == []


def test_pages_come_back_with_the_query_that_was_asked(tmp_path: Path) -> None:
    query = Query(text="a cat", class_name="cat", attributes={"colour": "grey"})
    hits = [Hit(url=f"http://a/{n}", query=query, engine="e", rank=n, title="Ä") for n in (1, 2)]
    page = Page(hits=tuple(hits), cursor="2")
    with closing(Journal(tmp_path / "j.sqlite", "rules")) as journal:
        journal.add_page("e", query, 0, page)
        journal.add_page("e", query, 1, Page())
        assert journal.page("e", query, 0) == page
        assert all(hit.query is query for hit in journal.page("e", query, 0).hits)
        assert journal.page("e", query, 1) == Page()
        assert journal.page("e", query, 2) is None
        assert journal.page("e", query.replace(text="cats"), 0) is None
        journal.forget_pages()
        assert journal.page("e", query, 0) is None


def test_what_did_not_last_is_asked_for_again(tmp_path: Path) -> None:
    later = Refused(Reason.GIVEN_UP, "HTTP 429", lasting=False)
    with closing(Journal(tmp_path / "j.sqlite", "rules")) as journal:
        journal.add_outcomes([*OUTCOMES, ("d", later)])
        assert journal.outcome("d") == later
    with closing(Journal(tmp_path / "j.sqlite", "rules")) as journal:
        assert journal.outcome("d") is None
        assert [(key, journal.outcome(key)) for key, _ in OUTCOMES] == OUTCOMES


DAMAGE = {
    "UPDATE pages SET page = replace(page, 'http', 'htup')": "page",
    "UPDATE pages SET sum = sum + 1": "page",
    "UPDATE fetched SET outcome = replace(outcome, '404', '405')": "outcome",
    "UPDATE fetched SET shard = '00000.tar' WHERE key = 'c'": "shard",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_row_is_told_and_not_used(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "j.sqlite"
    query = Query(text="a cat", class_name="cat")
    hit = Hit(url="http://a/1", query=query, engine="e", rank=1)
    with closing(Journal(path, "rules")) as journal:
        journal.add_outcomes(OUTCOMES)
        journal.add_page("e", query, 0, Page(hits=(hit,)))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(damage)
    with closing(Journal(path, "rules")) as journal, pytest.raises(WorkError) as raised:
        reads = {
            "page": lambda: journal.page("e", query, 0),
            "outcome": lambda: journal.outcome("b"),
            "shard": lambda: journal.stored_in("00000.tar"),
        }
        reads[DAMAGE[damage]]()
    assert str(raised.value) == f"{path} is damaged: delete it to search and fetch anew"


def test_every_flipped_bit_is_harmless_or_told(tmp_path: Path) -> None:
    """It may cost a search or a fetch again, never a wrong answer."""
    path, query = tmp_path / "j.sqlite", Query(text="a cat", class_name="cat")
    page = Page(hits=(Hit(url="http://a/1", query=query, engine="e", rank=1),), cursor="2")
    with closing(Journal(path, "rules")) as journal:
        journal.add_outcomes(OUTCOMES)
        journal.add_page("e", query, 0, page)
    whole = path.read_bytes()
    told = 0
    for place in range(0, len(whole), 97):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            with closing(Journal(path, "rules")) as journal:
                assert all(journal.outcome(key) in (known, None) for key, known in OUTCOMES)
                assert journal.page("e", query, 0) in (page, None)
        except WorkError as error:
            told += 1
            assert str(path) in str(error)
    assert told


def test_a_journal_of_another_version_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE pages (searcher TEXT)")
    with pytest.raises(WorkError) as raised:
        Journal(path, "rules")
    assert str(raised.value) == (
        f"{path} is of another version of ADC: delete it to search and fetch anew"
    )
