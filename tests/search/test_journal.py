"""What the journal keeps of what was fetched: the outcomes of one set of rules."""

from contextlib import closing
from pathlib import Path

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
        assert journal.outcomes() == dict(OUTCOMES)
        assert sorted(journal.shards()) == ["00000.tar", "00001.tar"]
    with closing(Journal(tmp_path / "j.sqlite", "others")) as journal:
        assert journal.outcomes() == {}
        # Another dataset may still show pictures of these.
        assert sorted(journal.shards()) == ["00000.tar", "00001.tar"]


def test_they_can_be_forgotten(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "j.sqlite", "rules")) as journal:
        journal.add_outcomes(OUTCOMES)
        journal.forget_outcomes()
        assert journal.outcomes() == {}
        assert journal.shards() == []
