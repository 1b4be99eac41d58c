"""What `make dist` promises: an order, the same bytes twice, metadata, a bill of materials."""

import importlib.util
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def release():
    """The program as a module."""
    path = ROOT / "release" / "build_distributions.py"
    spec = importlib.util.spec_from_file_location("build_distributions", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_needs_come_first(release):
    seen = set()
    for source in release.sources():
        project = release.project_of(source)
        needs = {Requirement(text).name for text in project["dependencies"]}
        assert {name for name in needs if name.startswith("adc-")} <= seen
        seen.add(project["name"])
    assert project["name"] == "adc-suite"


def test_two_builds_have_the_same_bytes_and_metadata_are_valid(release, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    source = ROOT / "adc_endpoint"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    built = [release.build(source, tmp_path / name) for name in ("one", "two")]
    assert [release.digest(path) for path in built[0]] == [
        release.digest(path) for path in built[1]
    ]
    for path in built[0]:
        release.check(path, release.project_of(source))
    with pytest.raises(AssertionError, match="another version"):
        release.check(path, release.project_of(source) | {"version": "9.9"})


def test_everything_that_is_needed_has_a_license(release):
    document = release.bill_of_materials([release.project_of(one) for one in release.sources()])
    names = {one["name"]: one for one in document["components"]}
    assert "numpy" in names and "adc-core" in names
    undeclared = [
        name
        for name, one in names.items()
        if one["licenses"] == [{"license": {"name": "not declared"}}]
        and importlib.util.find_spec(name.replace("-", "_"))
    ]
    assert not undeclared


def test_a_folder_with_other_files_is_refused(release, tmp_path):
    (tmp_path / "old.whl").touch()
    with pytest.raises(SystemExit, match="is not empty"):
        release.main(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["old.whl"]
