"""What the journal keeps of what was fetched: the outcomes of one set of rules."""

from contextlib import closing
from pathlib import Path

from adc_core.design import Hit, Page, Query
from adc_plugins_search.collectors.journal import Journal
from adc_plugins_search.collectors.outcomes import Outcome, Reason, Refused, Stored


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
        # Another dataset may still show pictures of these.
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
