"""What people are told of the classes: chosen, written, shown on the pages."""

import json

import numpy as np
import pyarrow as pa
import pytest

from adc_core import InputError, WorkError
from adc_core.testing.toys import toy_findings
from adc_plugins_review.instructions.class_instructions import class_instructions
from adc_plugins_review.instructions.write import write_instructions


def test_exemplars_are_of_the_class_and_nobody_doubts_them(make_review):
    source = make_review().source
    flagged = toy_findings().flagged
    for one in class_instructions(source, most=4):
        k = source.dataset.classes.index(one.name)
        rows = [example.row for example in one.exemplars]
        assert 1 <= len(rows) <= 4 and len(set(rows)) == len(rows)
        assert (source.dataset.labels[rows] == k).all()
        assert not flagged[rows].any()
        assert one.samples == (source.dataset.labels == k).sum()


def test_what_is_taken_for_a_class_carries_the_other_label(make_review):
    source = make_review().source
    for one in class_instructions(source):
        assert one.name not in one.taken_for_it and len(one.taken_for_it) == 2
        for name, examples in one.taken_for_it.items():
            rows = [example.row for example in examples]
            assert (source.dataset.labels[rows] == source.dataset.classes.index(name)).all()
            assert not toy_findings().flagged[rows].any()


def test_queries_attributes_and_credits_are_named(make_review):
    rows = 150
    sources = pa.table(
        {
            "query": ["red cloth"] * rows,
            "creator": ["ann"] * rows,
            "license": ["CC BY"] * rows,
            "title": ["a title"] * rows,
        }
    )
    shades = {"shade": np.array(["dark", "light", ""] * 50)}
    one, *_ = class_instructions(make_review({"sources": sources, "attributes": shades}).source)
    assert one.queries == ("red cloth",)
    assert set(one.attributes["shade"]) <= {"dark", "light"}
    assert one.exemplars[0].credit == "ann, CC BY"
    assert {example.text for example in one.exemplars} <= {"dark", "light", "a title"}


def test_a_class_of_one_sample_and_one_that_is_all_doubted(make_review):
    labels = np.zeros(150, np.int64)
    labels[0], labels[75:] = 1, 2
    source = make_review({"labels": labels}).source
    names = [one.name for one in class_instructions(source)]
    assert names == ["red", "green", "blue"]


def test_without_features_one_line_says_what_to_do(make_review):
    with pytest.raises(InputError, match="run with an encoder"):
        class_instructions(make_review({"features": None}).source)


def test_the_page_and_the_table_say_the_same_each_time(make_review):
    review = make_review()
    page = write_instructions(review.source, review.folder, most=3)
    text = page.read_text()
    table = json.loads((review.folder / "instructions.json").read_text())
    shown = sum(
        len(one["exemplars"]) + sum(map(len, one["taken_for_it"].values())) for one in table
    )
    assert text.count("data:image/jpeg;base64,") == shown
    assert "<script" not in text and "http" not in text
    assert write_instructions(review.source, review.folder, most=3).read_text() == text


def test_a_full_disk_leaves_nothing_half_written(make_review):
    review = make_review()
    (review.folder / "instructions.html").mkdir()
    with pytest.raises(WorkError):
        write_instructions(review.source, review.folder)
    assert not [path for path in review.folder.iterdir() if path.name.startswith(".instr")]


def test_raters_see_it_where_it_was_written(make_review, serving):
    review = make_review()
    with serving(review, workers=1) as served:
        (link,) = served.workers
        assert b"What each word looks like" not in served.get(link).body
        assert served.get(f"{link}/instructions").status == 404
        write_instructions(review.source, review.folder, most=2)
        assert b"What each word looks like" in served.get(link).body
        answer = served.get(f"{link}/instructions")
        assert answer.status == 200 and b"Not red, but" in answer.body
        policy = answer.headers["Content-Security-Policy"]
        assert "img-src data:" in policy and "script-src" not in policy
        assert served.get("/w/" + "x" * 22 + "/instructions").status == 404


def test_the_command_writes_them(adc):
    assert adc("review", "run", "instructions", "--most", "1").strip().endswith("instructions.html")
    assert "--most is for instructions" in adc("review", "run", "status", "--most", "1", fails=True)
