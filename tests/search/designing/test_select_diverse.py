from PIL import ImageColor

from adc_plugins_search.terms.select_diverse import _srgb, pick
from adc_plugins_search.terms.vocabulary import groups_for, values_for


def test_colors_of_the_vocabulary_as_the_vocabulary_does():
    groups = groups_for("color", "dress")
    assert pick(groups, "color", 10) == values_for("color", "dress", 10)


def test_colors_differ_from_those_chosen():
    groups = {"x": ["black", "almost black", "charcoal"], "y": ["white", "ivory"]}
    assert pick(groups, "colour", 1, ["black"]) == ("white",)
    assert pick(groups, "colour", 2, ["black"]) == ("white", "charcoal")


def test_colors_that_nobody_knows_come_last():
    groups = {"warm": ["umbrous", "red"], "cold": ["glaucous", "blue"]}
    assert pick(groups, "color", 2) == ("red", "blue") or pick(groups, "color", 2) == (
        "blue",
        "red",
    )
    assert pick(groups, "color", 9)[2:] == ("umbrous", "glaucous")
    assert pick({"x": ["umbrous", "glaucous"]}, "color", 1) == ("umbrous",)


def test_colors_of_css_are_known_also_after_pillow_has_parsed_one():
    ImageColor.getrgb("salmon")
    _srgb.cache_clear()
    groups = {"x": ["coral", "salmon", "dark orchid", "unheard of"]}
    assert pick(groups, "color", 3)[-1] != "unheard of"


def test_other_words_come_from_all_groups_in_turn():
    groups = {"wool": ["wool", "mohair"], "cotton": ["cotton", "jersey"], "silk": ["silk"]}
    assert pick(groups, "material", 4) == ("wool", "cotton", "silk", "mohair")
    assert pick(groups, "material", 2, ["wool", "by hand"]) == ("cotton", "silk")
    assert pick(groups, "material", 9, ["wool", "cotton", "silk"]) == ("mohair", "jersey")


def test_where_nothing_is_left_nothing_is_picked():
    assert pick({}, "color", 3) == ()
    assert pick({"x": ["wool"]}, "material", 3, ["wool"]) == ()
