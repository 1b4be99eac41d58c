import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.design import Brief
from adc_plugins_search.designers.vocabulary import VocabularyDesigner
from adc_plugins_search.terms.colors import farthest, lab
from adc_plugins_search.terms.vocabulary import in_turn, read_words, values_for

BRIEF = Brief(subject="garments")


def test_the_papers_twelve_classes_make_twelve_thousand_queries():
    design = VocabularyDesigner().design(BRIEF)
    assert len(design.classes) == 12
    assert len(design.queries) == 12_000
    assert len({query.text for query in design.queries}) == 12_000
    per_class = dict.fromkeys(design.classes, 0)
    for query in design.queries:
        per_class[query.class_name] += 1
    assert set(per_class.values()) == {1000}
    assert VocabularyDesigner().design(BRIEF) == design


def test_a_plain_pattern_is_no_word_of_the_query():
    design = VocabularyDesigner(values_per_attribute=1).design(
        Brief(subject="x", classes=("shirt",))
    )
    (query,) = design.queries
    assert query.attributes["pattern"] == "solid"
    assert query.text == f"{query.attributes['color']} {query.attributes['material']} shirt"


def test_the_order_of_the_words_is_that_of_the_attributes():
    designer = VocabularyDesigner(attributes=("material", "color"), values_per_attribute=2)
    design = designer.design(Brief(subject="x", classes=("T-shirt",)))
    first = design.queries[0]
    assert first.text == f"{first.attributes['material']} {first.attributes['color']} T-shirt"
    assert len(design.queries) == 4


def test_values_suit_their_class():
    assert "gore-tex" in values_for("material", "windbreaker", 10)
    assert not {"gore-tex", "leather", "down"} & set(values_for("material", "underwear", 30))
    assert "cable knit" in values_for("pattern", "Sweater", 10)
    assert "cable knit" not in values_for("pattern", "suit", 30)


def test_every_class_has_ten_values_of_everything():
    for name in read_words()["classes"]:
        for attribute in ("color", "material", "pattern"):
            assert len(set(values_for(attribute, name, 10))) == 10


def test_groups_come_in_turn():
    groups = {"a": ["a1", "a2", "a3"], "b": ["b1"], "c": ["c1", "c2"]}
    assert in_turn(groups, 5) == ("a1", "b1", "c1", "a2", "c2")
    assert in_turn(groups, 99) == ("a1", "b1", "c1", "a2", "c2", "a3")


def test_colors_differ():
    colors = values_for("color", "dress", 10)
    palette = {k: v for group in read_words()["color"].values() for k, v in group.items()}
    places = lab([palette[name] for name in colors])
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    assert distance[~np.eye(10, dtype=bool)].min() > 25
    groups = {name: group for group, names in read_words()["color"].items() for name in names}
    used = [groups[name] for name in colors]
    assert max(used.count(group) for group in used) <= 2


def test_more_colors_than_two_of_a_group_are_given_if_asked_for():
    groups = {"grey": {"a": "#000000", "b": "#777777", "c": "#ffffff"}}
    assert sorted(farthest(groups, 3)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("color", "place"),
    [
        ("#ffffff", (100, 0, 0)),
        ("#000000", (0, 0, 0)),
        ("#ff0000", (53.24, 80.09, 67.20)),
        ("#0000ff", (32.30, 79.19, -107.86)),
    ],
)
def test_places_in_cielab_are_the_known_ones(color, place):
    np.testing.assert_allclose(lab([color])[0], place, atol=0.02)


def test_an_unknown_class_is_an_error_or_gets_words_of_all_kinds():
    brief = Brief(subject="x", classes=("car", "dress"))
    with pytest.raises(InputError) as raised:
        VocabularyDesigner().design(brief)
    assert str(raised.value) == (
        "the vocabulary does not know car, but sweater, knitwear, hoodie, t-shirt, shirt, jacket, "
        "windbreaker, suit, vest, dress, shawl, underwear: set generic for words of all kinds, or "
        "write a design file"
    )
    assert len(VocabularyDesigner(values_per_attribute=2, generic=True).design(brief).queries) == 16


def test_no_word_stands_under_two_groups_and_none_is_a_class():
    words = read_words()
    for attribute in ("color", "material", "pattern"):
        names = [name for group in words[attribute].values() for name in group]
        assert len(names) == len(set(names))
        assert not set(names) & set(words["classes"])
    for suits in words["classes"].values():
        for attribute, groups in suits.items():
            assert set(groups) <= set(words[attribute])
