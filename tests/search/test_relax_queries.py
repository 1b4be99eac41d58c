from collections import Counter
from contextlib import closing

import pytest

from adc_core.components.interfaces import Searcher
from adc_core.records.design import Design, Hit, Page, Query
from adc_plugins_search.download.journal import Journal
from adc_plugins_search.download.searches.relax_queries import relax_queries, without_attribute
from adc_plugins_search.download.searches.run_queries import run_queries


def query(color, material, pattern="solid", class_name="sweater"):
    said = [word for word in (color, material, pattern) if word != "solid"]
    return Query(
        text=" ".join((*said, class_name)),
        class_name=class_name,
        attributes={"color": color, "material": material, "pattern": pattern},
    )


def test_a_word_is_taken_out():
    new = without_attribute(query("navy", "wool", "polka dot"), "material")
    assert new.text == "navy polka dot sweater"
    assert new.attributes == {"color": "navy", "pattern": "polka dot"}
    assert (
        without_attribute(query("navy", "wool", "polka dot"), "pattern").text == "navy wool sweater"
    )


def test_whole_words_only():
    assert without_attribute(query("tan", "tan tartan"), "color").text == "tan tartan sweater"
    assert without_attribute(query("red", "infrared wool"), "color").text == "infrared wool sweater"


@pytest.mark.parametrize("attribute", ["pattern", "size"])
def test_what_is_not_said_cannot_be_left_out(attribute):
    assert without_attribute(query("navy", "wool"), attribute) is None


def test_a_text_is_never_empty():
    alone = Query(text="navy", class_name="sweater", attributes={"color": "navy"})
    assert without_attribute(alone, "color") is None


def test_queries_that_become_one_keep_what_they_share():
    thin = [query("navy", "wool"), query("navy", "silk"), query("red", "wool")]
    new = relax_queries(thin, "material", [])
    assert [each.text for each in new] == ["navy sweater", "red sweater"]
    assert new[0].attributes == {"color": "navy", "pattern": "solid"}
    assert relax_queries(thin, "material", ["red sweater"]) == new[:1]
    spelled = [query("navy", "wool"), query("navy", "silk", "plain")]
    spelled[1] = spelled[1].replace(text="navy silk sweater")
    assert relax_queries(spelled, "material", [])[0].attributes == {"color": "navy"}


class Thin(Searcher):
    """Finds much only where few words are given."""

    def page(self, query, cursor=None):
        count = {4: 0, 3: 2, 2: 6, 1: 20}[len(query.text.split())]
        return Page(
            hits=tuple(
                Hit(url=f"http://a/{query.text}/{rank}", query=query, engine="thin", rank=rank)
                for rank in range(1, count + 1)
            )
        )


def search(folder, relax):
    design = Design(
        classes=("sweater",),
        queries=(query("navy", "wool", "striped"), query("red", "silk"), query("red", "wool")),
        samples_per_query=10,
    )
    with closing(Journal(folder / "journal.sqlite", "rules")) as journal:
        found = run_queries(design, [Thin()], journal, threads=2, max_wait=1, relax=relax)
        return dict(Counter(each.hit.query.text for each in found))


def test_thin_queries_are_relaxed_until_they_find_half(tmp_path):
    plain = {"red silk sweater": 2, "red wool sweater": 2}
    assert search(tmp_path, ()) == plain
    first = plain | {"navy striped sweater": 2, "red sweater": 6}
    assert search(tmp_path, ("material",)) == first
    # "navy wool striped sweater" can be relaxed in two ways, and so can what came of it.
    both = {"navy wool sweater": 2, "navy sweater": 6}
    assert search(tmp_path, ("material", "pattern")) == first | both
    assert list(search(tmp_path, ("material", "pattern")))[:2] == list(plain)
