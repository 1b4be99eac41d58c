"""What a design file may say beside what `file` always read, and how it is written."""

import pytest

from adc_core.errors import InputError
from adc_core.records.design import Brief
from adc_plugins_search.design_review.design_file import DesignFile
from adc_plugins_search.designers.file import FileDesigner

BRIEF = Brief(subject="knitwear")


def design(tmp_path, text):
    path = tmp_path / "design.yaml"
    path.write_text(text)
    return FileDesigner(path=path).design(BRIEF)


def test_values_of_a_class_stand_in_place_of_those_of_all(tmp_path):
    found = design(
        tmp_path,
        "classes: [sweater, shawl]\n"
        "attributes: {color: [red, blue]}\n"
        "by_class: {shawl: {color: [rust], pattern: [solid, paisley]}}\n"
        "rejected: {shawl: {color: [red]}}\n"
        "omit_from_query: [solid]\n",
    )
    assert [query.text for query in found.queries] == [
        "red sweater",
        "blue sweater",
        "rust shawl",
        "rust paisley shawl",
    ]
    assert found.queries[2].attributes == {"color": "rust", "pattern": "solid"}
    assert found.attributes == {"color": ("red", "blue", "rust"), "pattern": ("solid", "paisley")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "classes: [a]\nby_class: {b: {color: [red]}}",
            "by_class names 'b', which is not among the classes",
        ),
        (
            "classes: [a]\nqueries: [{text: x, class: a}]\nby_class: {a: {color: [red]}}",
            "queries are written out: leave by_class out",
        ),
        (
            f"classes: [a]\nattributes: {{x: {list(map(str, range(201)))}, "
            f"y: {list(map(str, range(100)))}}}",
            "the values make 20,100 queries, more than 20,000: choose fewer of them",
        ),
        (
            "classes: [a, b a]\nby_class: {a: {x: [b]}, b a: {}}\ntemplate: '{x} {class}'",
            "template: '{x} {class}' must hold each of {class} once",
        ),
        (
            "classes: [a, b a]\nby_class: {a: {x: [b]}}",
            "the query 'b a' would be for class 'a' and for class 'b a': rename a class or "
            "drop a value",
        ),
    ],
)
def test_faults(tmp_path, text, message):
    with pytest.raises(InputError) as raised:
        design(tmp_path, text)
    assert str(raised.value) == f"{tmp_path / 'design.yaml'}: {message}"


def test_a_sheet_survives_its_file(tmp_path):
    design_file = DesignFile(
        classes=("sweater", "bare"),
        chosen={("sweater", "color"): ("red", "no", "12"), ("sweater", "fit"): ()},
        rejected={("sweater", "fit"): ("boxy",), ("sweater", "color"): ()},
        omit_from_query=("solid",),
        extras={"template": "{class} in {color}"},
    )
    path = tmp_path / "new" / "design.yaml"
    design_file.write(path)
    again = DesignFile.read(path)
    assert again.text() == design_file.text() == path.read_text()
    assert again.chosen == design_file.chosen
    assert again.classes == design_file.classes
    assert [one.name for one in path.parent.iterdir()] == ["design.yaml"]
