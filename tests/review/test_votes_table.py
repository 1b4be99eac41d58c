"""The table of votes: read from anywhere, written to the same bytes, refused with its place."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adc_core import Dataset, InputError, Pipeline, read_run, run_pipeline
from adc_core.components.interfaces import Enricher
from adc_core.components.registry import registry
from adc_core.runs import read_record
from adc_core.runs.listeners import Listeners
from adc_plugins_review import (
    AddVotes,
    latest_votes,
    read_votes,
    votes_of,
    votes_table,
    write_votes,
)

FULL = """item,rater,label,answer,confidence,seconds,time,task,part,batch,trusted
007,r01,Dress,no,0.5,2.50,2026-11-27T10:00:00.123Z,vote,audit,1,false
007,r02,"Shirt, plain",yes,,,,relabel,,,true
"a ""b""\nc",r01,Dress,unsure,1,0.07,2026-11-27T10:00:02.000Z,vote,gold,2,false
"""


@pytest.mark.parametrize("other", ["csv", "parquet"])
def test_a_table_comes_back_to_the_byte(tmp_path, other):
    (tmp_path / "given.csv").write_text(FULL.replace("\\n", "\n"))
    first = read_votes(tmp_path / "given.csv")
    write_votes(first, tmp_path / f"one.{other}")
    again = read_votes(tmp_path / f"one.{other}")
    assert again == first
    write_votes(again, tmp_path / f"two.{other}")
    assert (tmp_path / f"one.{other}").read_bytes() == (tmp_path / f"two.{other}").read_bytes()
    write_votes(again, tmp_path / "back.csv")
    assert (tmp_path / "back.csv").read_text() == FULL.replace("\\n", "\n")


def test_no_text_is_a_formula_in_a_spreadsheet(tmp_path):
    strange = ["=1+1", "+a", "-1.png", "@b", "\tc", "'=d", "''@e", "'f", "g"]
    table = votes_table({"item": strange, "rater": strange, "label": strange})
    write_votes(table, tmp_path / "votes.csv")
    write_votes(table, tmp_path / "votes.parquet")
    assert read_votes(tmp_path / "votes.csv") == read_votes(tmp_path / "votes.parquet") == table
    cells = (tmp_path / "votes.csv").read_text().replace("\n", ",").split(",")
    assert not [cell for cell in cells if cell[:1] in "=+-@\t" and cell]
    assert pq.read_table(tmp_path / "votes.parquet")["item"].to_pylist() == sorted(strange)


def test_columns_without_a_value_are_left_out(tmp_path):
    table = votes_table({"item": ["b", "a"], "rater": ["x", "x"], "label": ["1", "0"]})
    write_votes(table, tmp_path / "votes.csv")
    assert (tmp_path / "votes.csv").read_text() == "item,rater,label,answer\na,x,0,yes\nb,x,1,yes\n"


@pytest.mark.parametrize(
    "header", ["task,worker,label", "item,annotator,label", "item,rater,label"]
)
def test_names_of_other_tools(tmp_path, header):
    (tmp_path / "votes.csv").write_text(f"{header}\n01,w1,cat\n")
    (row,) = read_votes(tmp_path / "votes.csv").to_pylist()
    assert [row[name] for name in ("item", "rater", "label", "answer")] == [
        "01",
        "w1",
        "cat",
        "yes",
    ]


def test_numbers_in_parquet_are_names(tmp_path):
    pq.write_table(
        pa.table({"task": [3], "worker": [1], "label": [0], "time": [None]}), tmp_path / "v.parquet"
    )
    (row,) = read_votes(tmp_path / "v.parquet").to_pylist()
    assert (row["item"], row["rater"], row["label"], row["time"]) == ("3", "1", "0", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "item,label\na,b\n",
            "has no column rater: votes need item, rater and label; it has item, ",
        ),
        ("item,rater,label\na,b,c\na,,c\n", "row 2: rater is empty, expected a text"),
        (
            "item,rater,label,answer\na,b,c,maybe\n",
            "row 1: answer is 'maybe', expected yes, unsure, no",
        ),
        ("item,rater,label,confidence\na,b,c,1.5\n", "row 1: confidence is 1.5, expected 0…1"),
        (
            "item,rater,label,trusted\na,b,c,perhaps\n",
            "row 1: trusted is 'perhaps', expected true ",
        ),
        ("item,rater,label,seconds\na,b,c,long\n", "seconds cannot be read"),
        ("item,rater,label,time\na,b,c,noon\n", "time cannot be read"),
        ("item,rater,label,task\na,b,c,look\n", "row 1: task is 'look', expected vote, select, "),
        (
            "item,rater,label,answer,task\na,b,c,no,duplicates\n",
            "row 1: kept is empty, expected an id where task is duplicates and answer no, and noth",
        ),
        ("item,rater,label,kept\na,b,c,d\n", "row 1: kept is 'd', expected an id where task is "),
    ],
)
def test_a_table_that_cannot_be(tmp_path, text, message):
    (tmp_path / "votes.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_votes(tmp_path / "votes.csv")
    assert str(tmp_path / "votes.csv") in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_table(tmp_path):
    for name, message in (
        ("no.csv", "does not exist"),
        ("votes.txt", "are read from .csv and .pa"),
    ):
        with pytest.raises(InputError, match=message):
            read_votes(tmp_path / name)
    with pytest.raises(InputError, match=r"written as \.csv or \.parquet"):
        write_votes(votes_table({"item": [], "rater": [], "label": []}), tmp_path / "votes.txt")
    assert not list(tmp_path.iterdir())


def rows(*votes):
    names = ("item", "rater", "label", "answer", "time", "task")
    return votes_table({name: [vote[k] for vote in votes] for k, name in enumerate(names)})


def test_the_latest_answer_counts():
    table = rows(
        ("a", "x", "cat", "no", 2000, "vote"),
        ("a", "x", "cat", "yes", 1000, "vote"),
        ("a", "x", "dog", "yes", 500, "vote"),
        ("a", "x", "cat", "unsure", None, "vote"),
    )
    assert [(one["label"], one["answer"]) for one in latest_votes(table).to_pylist()] == [
        ("cat", "no"),
        ("dog", "yes"),
    ]


def test_votes_become_evidence_by_id_and_class():
    table = rows(
        ("b", "zoe", "dog", "no", 3, "vote"),
        ("a", "zoe", "cat", "yes", None, "relabel"),
        ("b", "amy", "dog", "yes", 9, "vote"),
        ("gone", "amy", "dog", "yes", 1, "vote"),
        ("a", "amy", "cat", "yes", 1, "select"),
    )
    ids = np.array(["b", "a"])
    votes, unknown = votes_of(table, ids, ("cat", "dog"))
    assert unknown == 1
    assert votes.names == ("amy", "zoe")
    assert votes.item.tolist() == [0, 0, 1]
    assert votes.rater.tolist() == [0, 1, 1]
    assert votes.label.tolist() == [1, 1, 0]
    assert votes.answer.tolist() == [1, -1, 1]
    assert votes.time.tolist() == [9000, 3000, 0]
    assert votes_of(table, ids, ("cat", "dog"), exclude=("zoe",))[0].names == ("amy",)
    with pytest.raises(InputError, match='there is no class "dog": did you mean "dogs"'):
        votes_of(table, ids, ("cats", "dogs", "cat"))


def test_one_answer_of_a_rater_counts_whichever_page_asked():
    table = rows(
        ("a", "amy", "cat", "yes", 1, "vote"),
        ("a", "amy", "cat", "no", 2, "relabel"),
        ("a", "amy", "dog", "yes", 3, "relabel"),
        ("a", "bob", "cat", "yes", 4, "relabel"),
    )
    votes, _ = votes_of(table, np.array(["a"]), ("cat", "dog"))
    assert votes.rater.tolist() == [0, 0, 1]
    assert votes.label.tolist() == [0, 1, 0]
    assert votes.answer.tolist() == [-1, 1, 1]


def test_a_run_takes_up_votes_when_they_come(tmp_path):
    dataset = Dataset(
        labels=[0, 1],
        classes=("cat", "dog"),
        ids=["a", "b"],
        probabilities=np.full((2, 2), 0.5, np.float32),
    )
    path = tmp_path / "votes.csv"
    pipeline = Pipeline(
        dataset=dataset,
        enrichers=[{"use": "votes", "path": str(path)}],
        detectors=["predicted-differs"],
        curators=[{"use": "votes", "min_votes": 1}],
    )
    assert len(run_pipeline(pipeline, tmp_path / "run", Listeners()).collected.votes) == 0
    path.write_text("item,rater,label,task\na,r1,cat,vote\nb,r1,dog,select\nz,r1,dog,vote\n")
    run = run_pipeline(pipeline, tmp_path / "run", Listeners())
    assert run.collected.votes.label.tolist() == [0]
    assert run.collected.votes.selected.tolist() == [1]
    assert read_run(tmp_path / "run") == run
    assert run.curated.ids.tolist() == ["a"]
    stages = read_record(tmp_path / "run").stages
    again = {name for name, stage in stages.items() if not stage.reused}
    assert again == {"enrichers/votes", "curators/votes"}


def test_votes_of_other_samples_or_none_are_refused(tmp_path):
    dataset = Dataset(labels=[0, 1], classes=("cat", "dog"), ids=["a", "b"])
    (tmp_path / "votes.csv").write_text("item,rater,label\nimg1,r1,dog\n")
    with pytest.raises(InputError, match="its items, such as img1, are no ids of the dataset"):
        AddVotes(path=tmp_path / "votes.csv").enrich(dataset)
    with pytest.raises(InputError, match="does not exist"):
        AddVotes(path=tmp_path / "no.csv", missing="error").enrich(dataset)
    assert registry.load(Enricher, "votes") is AddVotes
