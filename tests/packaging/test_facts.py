"""Facts that stand in several files agree: versions, names, vocabulary, boundaries."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from adc_core.components.interfaces import INTERFACES
from adc_core.components.kinds import BROUGHT, COMMANDS, KINDS
from adc_core.components.known_packages import PACKAGE_OF
from adc_core.components.registry import registry
from adc_core.runs.listeners import GROUP as LISTENERS
from adc_core.runs.listeners import RunEvents

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "adc_core",
    "adc_endpoint",
    "adc_plugins_search",
    "adc_plugins_detect",
    "adc_plugins_learn",
    "adc_plugins_publish",
    "adc_plugins_rehearse",
    "adc_plugins_review",
    "adc_plugins_compare",
    "adc_plugins_ask",
)
PROJECTS = {
    folder: tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    for folder in (*FOLDERS, ".")
}
LIBRARIES = FOLDERS[:2]
"""What plugins import, and what has no components."""

PLUGINS = FOLDERS[2:]


def sources(folder):
    return sorted((ROOT / folder / "src").rglob("*.py"))


@cache
def imports_of(path, *, when_imported=False):
    """The modules that a file imports: anywhere in it, or only when it is imported itself."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body if when_imported else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_one_version():
    assert len({project["version"] for project in PROJECTS.values()}) == 1


def test_what_is_tested_is_what_may_be_installed():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    tested = dict(line.split("==") for line in lines if "==" in line)
    for project in PROJECTS.values():
        extras = project.get("optional-dependencies", {}).values()
        for text in [*project["dependencies"], *(one for extra in extras for one in extra)]:
            requirement = Requirement(text)
            if requirement.name in tested:
                assert requirement.specifier.contains(tested[requirement.name]), text


def test_siblings_are_pinned_to_this_version():
    version = PROJECTS["."]["version"]
    for project in PROJECTS.values():
        extras = project.get("optional-dependencies", {}).values()
        for requirement in [*project["dependencies"], *(one for extra in extras for one in extra)]:
            if requirement.startswith("adc-") and not requirement.startswith("adc-suite"):
                assert requirement.endswith(f"~={version}"), requirement


def test_first_party_names_are_those_of_the_projects():
    declared = {
        (group.removeprefix("adc."), name): PROJECTS[folder]["name"]
        for folder in PLUGINS
        for group, entries in PROJECTS[folder]["entry-points"].items()
        if group != LISTENERS
        for name in entries
    }
    assert dict(PACKAGE_OF) == declared


@pytest.mark.parametrize("folder", PLUGINS)
def test_one_vocabulary(folder):
    for group, entries in PROJECTS[folder]["entry-points"].items():
        kind = group.removeprefix("adc.")
        assert kind in (*registry.kinds(), BROUGHT, COMMANDS) or group == LISTENERS
        for target in entries.values():
            module = target.partition(":")[0]
            assert (ROOT / folder / "src" / f"{module.replace('.', '/')}.py").is_file()
            if kind in registry.kinds():
                assert module.split(".")[:2] == [folder, kind]


def test_kinds_are_the_interfaces():
    assert tuple(INTERFACES) == KINDS
    for kind, interface in INTERFACES.items():
        assert f"{interface.__name__.lower()}s" == kind


@pytest.mark.parametrize("folder", FOLDERS)
def test_boundaries(folder):
    others = set(PLUGINS) - {folder}
    if folder == "adc_core":  # the lowest of all
        others |= {"adc_endpoint"}
    if folder == "adc_plugins_rehearse":  # its words are those of the searches that it answers
        others -= {"adc_plugins_search"}
    for path in sources(folder):
        tops = {name.partition(".")[0] for name in imports_of(path)}
        assert not tops & others, f"{path} imports another plugin package"
        assert "importlib.metadata" not in imports_of(path)
        if folder != "adc_plugins_learn":
            tops = {name.partition(".")[0] for name in imports_of(path, when_imported=True)}
            assert not tops & {"torch", "torchvision"}, f"{path} imports torch"


def test_type_checkers_see_the_defaults_of_options():
    """Without `default=` they take an option for one that must be given."""
    for folder in FOLDERS:
        for path in sources(folder):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Field":
                    given = [one for one in node.args if getattr(one, "value", ...) is not ...]
                    assert not given, f"{path}:{node.lineno}: write Field(default=…)"


def test_no_nameless_files_and_no_long_ones():
    for folder in FOLDERS:
        for path in sources(folder):
            assert path.stem not in {"utils", "helpers", "base", "common", "misc"}, path
            assert len(path.read_text().splitlines()) <= 320, f"{path} is too long"


def test_hooks_are_told_somewhere():
    told = set()
    for path in sources("adc_core"):
        told |= set(re.findall(r'"(adc_[a-z_]+)"', path.read_text()))
    assert told >= {name for name in vars(RunEvents) if name.startswith("adc_")}
