"""Columns of text: distinct or not, whatever their hashes say, and back from Arrow as they were."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.arrays import strings
from adc_core.arrays.strings import are_distinct, from_arrow, to_arrow

# Halves of surrogate pairs are no text: numpy does not decode them.
LETTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
WORDS = st.lists(st.text(LETTERS, max_size=4), max_size=12)


@settings(deadline=None)  # the first one imports a part of Arrow
@given(WORDS)
def test_distinct_is_what_a_set_says(words):
    column = np.array(words, dtype=np.str_)
    assert are_distinct(column) == (len(set(words)) == len(words))
    assert are_distinct(column[::-1]) == are_distinct(column)


@pytest.mark.parametrize(("words", "expected"), [(["a", "b"], True), (["a", "b", "a"], False)])
def test_hashes_that_meet_by_chance_do_not_decide(monkeypatch, words, expected):
    monkeypatch.setattr(strings, "_hashes", lambda column: np.zeros(len(column), np.uint64))
    assert are_distinct(np.array(words)) is expected


def test_numbered_texts_have_hashes_of_their_own():
    column = np.char.add("image ", np.arange(100_000).astype(np.str_))
    assert len(np.unique(strings._hashes(column))) == 100_000


@settings(deadline=None)  # as above
@given(WORDS.filter(len))
def test_there_and_back(words):
    column = np.array(words, dtype=np.str_)
    assert from_arrow(to_arrow(column)).tolist() == words
    assert from_arrow(pa.chunked_array([to_arrow(column), to_arrow(column)])).tolist() == 2 * words
