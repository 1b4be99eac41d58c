import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adc_core.components.component import create
from adc_core.components.interfaces import Designer
from adc_core.errors import InputError
from adc_core.records.design import Brief
from adc_plugins_search.designers.attributes import AttributeDesigner


def brief(*classes: str, **options: object) -> Brief:
    return Brief(subject="knitwear", classes=classes, **options)


def texts(designer: Designer, *classes: str) -> list[str]:
    return [query.text for query in designer.design(brief(*classes)).queries]


def fault(**options: object) -> str:
    with pytest.raises(ValidationError) as raised:
        AttributeDesigner.model_validate(options)
    return raised.value.errors()[0]["msg"]


def test_class_outermost_then_attributes_in_the_order_given() -> None:
    designer = AttributeDesigner.model_validate(
        {"color": ["beige", "navy"], "material": ["cotton", "wool"]}
    )
    assert texts(designer, "hoodie", "shirt") == [
        "beige cotton hoodie",
        "beige wool hoodie",
        "navy cotton hoodie",
        "navy wool hoodie",
        "beige cotton shirt",
        "beige wool shirt",
        "navy cotton shirt",
        "navy wool shirt",
    ]


def test_the_texts_of_the_paper_and_of_the_demo() -> None:
    attributes = {"color": ["beige"], "material": ["cotton"], "pattern": ["fisherman"]}
    assert texts(AttributeDesigner(attributes=attributes), "sweater") == [
        "beige cotton fisherman sweater"
    ]
    demo = AttributeDesigner(attributes={"style": ["handwritten"]})
    assert texts(demo, "three", "nine") == ["handwritten three", "handwritten nine"]


def test_each_query_carries_its_class_and_values() -> None:
    designer = AttributeDesigner(attributes={"color": ["beige", "navy"]})
    design = designer.design(brief("hoodie", samples_per_query=7))
    assert design.classes == ("hoodie",)
    assert design.attributes == {"color": ("beige", "navy")}
    assert design.samples_per_query == 7
    assert [query.attributes for query in design.queries] == [{"color": "beige"}, {"color": "navy"}]
    assert {query.class_name for query in design.queries} == {"hoodie"}


def test_without_attributes_a_class_is_its_own_query() -> None:
    assert texts(AttributeDesigner(), "hoodie") == ["hoodie"]


def test_classes_may_come_from_the_options() -> None:
    designer = AttributeDesigner(classes=("hoodie", "shirt"))
    assert designer.design(brief()).classes == ("hoodie", "shirt")
    assert designer.design(brief("hoodie", "shirt")).classes == ("hoodie", "shirt")


def test_two_lists_of_classes_are_refused() -> None:
    with pytest.raises(InputError) as raised:
        AttributeDesigner(classes=("hoodie",)).design(brief("shirt"))
    assert str(raised.value) == (
        "the brief and the designer name different classes: keep one of the two lists"
    )


def test_no_classes_are_refused() -> None:
    with pytest.raises(InputError) as raised:
        AttributeDesigner().design(brief())
    assert str(raised.value) == ("no classes: name them in the brief, as classes: [sweater, shirt]")


def test_a_text_that_comes_up_twice_for_a_class_is_kept_once() -> None:
    designer = AttributeDesigner(attributes={"a": ["dark", "dark red"], "b": ["red wool", "wool"]})
    assert texts(designer, "hat") == ["dark red wool hat", "dark wool hat", "dark red red wool hat"]


def test_a_text_for_two_classes_is_refused() -> None:
    designer = AttributeDesigner(attributes={"a": ["dark", "dark Red"]})
    with pytest.raises(InputError) as raised:
        designer.design(brief("hat", "red hat"))
    assert str(raised.value) == (
        "the query 'dark red hat' would be for class 'hat' and for class 'red hat': "
        "rename a class or drop a value"
    )


def test_the_limit_says_how_many_there_would_be() -> None:
    designer = AttributeDesigner(
        attributes={"color": ["a", "b", "c"], "cut": ["d", "e"]}, max_queries=11
    )
    with pytest.raises(InputError) as raised:
        designer.design(brief("hat", "cap"))
    assert str(raised.value) == (
        "2 classes × 3 color × 2 cut make 12 queries, more than max_queries: 11: "
        "give fewer values, or raise max_queries"
    )
    assert (
        len(designer.model_copy(update={"max_queries": 12}).design(brief("hat", "cap")).queries)
        == 12
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"limti": 7},
            "'limti' is taken for an attribute, which needs a list of texts, not 7: write "
            "limti: [value, value] (the other options are attributes, classes, "
            "template, max_queries)",
        ),
        ({"size": [1]}, "attribute 'size' holds 1, which is no text: quote it"),
        ({"organic": [True]}, "attribute 'organic' holds True, which is no text: quote it"),
        ({"color": []}, "attribute 'color' has no values: give some, or remove it"),
        ({"color": ["  "]}, "attribute 'color' holds an empty text: remove it"),
        ({"color": ["navy", "Navy "]}, "attribute 'color' holds 'Navy' twice: keep one"),
        (
            {"attributes": {"color": ["navy"]}, "color": ["red"]},
            "attribute 'color' is given twice: keep one",
        ),
        ({"classes": ["hat", "hat"]}, "duplicate class 'hat': keep one"),
    ],
)
def test_faults(options: dict[str, object], message: str) -> None:
    assert fault(**options) == message


def test_a_pipeline_table_round_trips_with_its_order() -> None:
    table = {"use": "attributes", "material": ["wool"], "color": ["navy"]}
    designer = create(Designer, table)
    again = create(Designer, designer.model_dump(mode="json") | {"use": "attributes"})
    assert again == designer
    assert list(again.attributes) == ["material", "color"]


def test_the_order_of_attributes_is_part_of_the_fingerprint() -> None:
    one = AttributeDesigner.model_validate({"a": ["x"], "b": ["y"]})
    other = AttributeDesigner.model_validate({"b": ["y"], "a": ["x"]})
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == AttributeDesigner(attributes={"a": ["x"], "b": ["y"]}).fingerprint


WORDS = st.text("abcde", min_size=1, max_size=3)
VALUES = st.lists(WORDS, min_size=1, max_size=4, unique=True)


@given(st.dictionaries(WORDS, VALUES, max_size=3), VALUES)
def test_every_query_reads_as_its_values_then_its_class(
    attributes: dict[str, list[str]], classes: list[str]
) -> None:
    design = AttributeDesigner(attributes=attributes).design(brief(*classes))
    for query in design.queries:
        assert query.text == " ".join([*query.attributes.values(), query.class_name])
        assert list(query.attributes) == list(attributes)
    found = [query.text for query in design.queries]
    assert len(set(found)) == len(found)
    expected = len(classes)
    for values in attributes.values():
        expected *= len(values)
    # One-word values and classes cannot make the same text in two ways.
    assert len(found) == expected
    assert all(re.fullmatch(r"[a-e]+( [a-e]+)*", text) for text in found)


def test_a_template_orders_the_words() -> None:
    designer = AttributeDesigner(
        attributes={"color": ["beige"], "pattern": [" plain "]},
        classes=("sweater",),
        template="{pattern}  {class}, {color}",
    )
    (query,) = designer.design(Brief(subject="knitwear")).queries
    assert query.text == "plain sweater, beige"
    assert query.attributes == {"color": "beige", "pattern": "plain"}


@pytest.mark.parametrize("template", ["{class}", "{class} {color} {color}", "{class} {color} {x}"])
def test_a_template_holds_every_slot_once(template: str) -> None:
    assert fault(color=["beige"], template=template) == (
        f"Value error, template: {template!r} must hold each of {{class}}, {{color}} once"
    )


def test_a_template_with_a_loose_brace() -> None:
    assert fault(color=["beige"], template="{class} {color") == (
        "Value error, template: expected '}' before end of string: write slots as {class}"
    )
