from PIL import ImageColor

from adc_plugins_search.terms.select_diverse import _srgb, select_diverse
from adc_plugins_search.terms.vocabulary import groups_for, values_for


def test_colors_of_the_vocabulary_as_the_vocabulary_does():
    groups = groups_for("color", "dress")
    assert select_diverse(groups, "color", 10) == values_for("color", "dress", 10)


def test_colors_differ_from_those_chosen():
    groups = {"x": ["black", "almost black", "charcoal"], "y": ["white", "ivory"]}
    assert select_diverse(groups, "colour", 1, ["black"]) == ("white",)
    assert select_diverse(groups, "colour", 2, ["black"]) == ("white", "charcoal")


def test_colors_that_nobody_knows_come_last():
    groups = {"warm": ["umbrous", "red"], "cold": ["glaucous", "blue"]}
    assert select_diverse(groups, "color", 2) == ("red", "blue") or select_diverse(
        groups, "color", 2
    ) == (
        "blue",
        "red",
    )
    assert select_diverse(groups, "color", 9)[2:] == ("umbrous", "glaucous")
    assert select_diverse({"x": ["umbrous", "glaucous"]}, "color", 1) == ("umbrous",)


def test_colors_of_css_are_known_also_after_pillow_has_parsed_one():
    ImageColor.getrgb("salmon")
    _srgb.cache_clear()
    groups = {"x": ["coral", "salmon", "dark orchid", "unheard of"]}
    assert select_diverse(groups, "color", 3)[-1] != "unheard of"


def test_other_words_come_from_all_groups_in_turn():
    groups = {"wool": ["wool", "mohair"], "cotton": ["cotton", "jersey"], "silk": ["silk"]}
    assert select_diverse(groups, "material", 4) == ("wool", "cotton", "silk", "mohair")
    assert select_diverse(groups, "material", 2, ["wool", "by hand"]) == ("cotton", "silk")
    assert select_diverse(groups, "material", 9, ["wool", "cotton", "silk"]) == ("mohair", "jersey")


def test_where_nothing_is_left_nothing_is_picked():
    assert select_diverse({}, "color", 3) == ()
    assert select_diverse({"x": ["wool"]}, "material", 3, ["wool"]) == ()
