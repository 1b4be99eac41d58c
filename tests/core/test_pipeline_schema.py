"""The schema of pipeline files takes what the examples say, and refuses wrong names and values."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from adc_core.cli import main
from adc_core.components.kinds import KINDS
from adc_core.components.registry import registry
from adc_core.runs.pipeline_schema import pipeline_schema

ROOT = Path(__file__).parents[2]
STRANGERS = ("bounded", "archive")
"""Components of the pages for authors, which are not installed."""


@pytest.fixture(scope="module")
def schema():
    return pipeline_schema()


@pytest.fixture(scope="module")
def faults(schema):
    """Checks a pipeline; returns the places of its faults."""
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    return lambda written: [list(one.absolute_path) for one in validator.iter_errors(written)]


def examples():
    """Every pipeline that the docs show."""
    texts = [path.read_text() for path in sorted(ROOT.glob("docs/examples/**/*.yaml"))]
    for page in [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"]:
        texts += re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    written = [yaml.safe_load(text) for text in texts]
    ours = [one for one in written if isinstance(one, dict) and "table" not in one]
    return [one for one in ours if not any(name in str(one) for name in STRANGERS)]


def test_the_examples_are_right(faults):
    assert len(examples()) > 15
    for written in examples():
        if not {"axes", "seeds"} & written.keys():  # a comparison
            assert faults(written) == [], written


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({"datasets": "photos"}, []),
        ({"dataset": "photos", "detectors": ["simifeet"]}, ["detectors", 0]),
        ({"dataset": "photos", "detectors": "simifeat"}, ["detectors"]),
        ({"dataset": "photos", "detectors": [{"k": 3}]}, ["detectors", 0]),
        ({"dataset": "photos", "detectors": [{"use": "simifeat", "kk": 3}]}, ["detectors", 0]),
        ({"dataset": "photos", "detectors": [{"use": "simifeat", "k": 0}]}, ["detectors", 0]),
        ({"dataset": "photos", "encoder": {"use": "simifeat"}}, ["encoder"]),
        ({"dataset": "photos", "train_on": ["row"]}, ["train_on", 0]),
        (
            {
                "dataset": "photos",
                "enrichers": [{"use": "cross-validation", "learner": {"use": "no-learner"}}],
            },
            ["enrichers", 0],
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_with_its_place(faults, written, place):
    assert faults(written) == [place]


@pytest.mark.parametrize("name", ["simifeat", "adc-plugins-detect/simifeat"])
def test_short_and_full_names_are_taken(faults, name):
    assert faults({"dataset": "d", "detectors": [name, {"use": name, "k": 5}]}) == []


def test_every_component_is_there_with_its_options(schema):
    for kind in KINDS:
        for entry in registry.entries(kind):
            found = schema["$defs"][f"{kind}:{entry.package}:{entry.name}"]
            assert found["properties"]["use"]["enum"][-1] == entry.full_name
    found = schema["$defs"]["detectors:adc-plugins-detect:simifeat"]["properties"]["k"]
    assert found["description"]
    assert found["default"] == 10
    assert found["minimum"] == 3


def test_references_lead_somewhere(schema):
    for name in re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(schema)):
        assert name in schema["$defs"]


def test_the_command_prints_it(schema, capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(schema))
