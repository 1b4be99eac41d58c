import json

import pytest

from adc_core.errors import InputError
from adc_core.records.design import Brief, Query
from adc_plugins_search.designers.file import FileDesigner

BRIEF = Brief(subject="knitwear", samples_per_query=30)


def design(tmp_path, text, suffix="yaml", brief=BRIEF):
    path = tmp_path / f"design.{suffix}"
    path.write_text(text)
    return FileDesigner(path=path).design(brief)


WRITTEN = """
classes: [sweater, shirt]
queries:
  - {text: aran sweater, class: sweater, attributes: {pattern: cable}}
  - {text: linen shirt, class: shirt}
samples_per_query: 12
"""


def test_queries_that_are_written_out(tmp_path):
    found = design(tmp_path, WRITTEN)
    assert found.classes == ("sweater", "shirt")
    assert found.samples_per_query == 12
    assert found.queries == (
        Query(text="aran sweater", class_name="sweater", attributes={"pattern": "cable"}),
        Query(text="linen shirt", class_name="shirt"),
    )


def test_attributes_are_combined_by_a_template(tmp_path):
    table = {
        "classes": ["sweater"],
        "attributes": {"color": ["beige", "navy"], "material": ["wool"]},
        "template": "{material} {class} in {color}",
    }
    found = design(tmp_path, json.dumps(table), "json")
    assert [query.text for query in found.queries] == [
        "wool sweater in beige",
        "wool sweater in navy",
    ]
    assert found.queries[1].attributes == {"color": "navy", "material": "wool"}
    assert found.samples_per_query == 30


def test_toml_will_do(tmp_path):
    text = 'classes = ["a", "b"]\nattributes = {color = ["red"]}\n'
    assert [query.text for query in design(tmp_path, text, "toml").queries] == ["red a", "red b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "classes: []",
            "{path}: classes: Tuple should have at least 1 item after validation, not 0",
        ),
        (
            "classes: [a]\nqueries: [{text: x, class: b}]",
            "{path}: query 'x' is for class 'b', which is not among the classes: a",
        ),
        (
            "classes: [a]\ntemplate: '{class} {color}'",
            "{path}: template: '{class} {color}' must hold each of {class} once",
        ),
        (
            "classes: [a]\nqueries: [{text: x, class: a}]\ntemplate: '{class}'",
            "{path}: queries are written out: leave the template out",
        ),
        ("classes: [a", "{path}, line 1: expected ',' or ']', but got '<stream end>'"),
        ("classes: [c]", "{path}: the brief names other classes: leave them out there, or here"),
    ],
)
def test_faults_are_placed(tmp_path, text, message):
    with pytest.raises(InputError) as raised:
        design(tmp_path, text, brief=BRIEF.replace(classes=("a",) if "[c]" in text else ()))
    expected = message.replace("{path}", str(tmp_path / "design.yaml"))
    assert str(raised.value) == expected


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError) as raised:
        FileDesigner(path=tmp_path / "none.yaml").design(BRIEF)
    assert str(raised.value) == (
        f"{tmp_path}/none.yaml does not exist: give the path of a design file"
    )
