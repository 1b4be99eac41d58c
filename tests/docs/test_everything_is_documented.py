"""What is missing from the docs fails: components, hooks, keys of a pipeline, commands, pages."""

import inspect
import re
from pathlib import Path

import pytest

import adc_core
from adc_core import Learner
from adc_core.components.kinds import BROUGHT, COMMANDS
from adc_core.components.known_packages import PACKAGE_OF
from adc_core.components.registry import registry
from adc_core.records.record import Record
from adc_core.runs.listeners import RunEvents
from adc_core.runs.pipeline import Pipeline
from adc_core.testing import PROMISES, promise_of, remedy_of

DOCS = Path(__file__).parents[2] / "docs"
HOOKS = [hook for name, hook in vars(RunEvents).items() if name.startswith("adc_")]


def section(page, heading):
    """The part of a page below one heading."""
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(("kind", "name"), PACKAGE_OF)
def test_every_component(kind, name):
    page = (DOCS / "components.md").read_text()
    row = f"| `{name}` | {PACKAGE_OF[kind, name]} | "
    assert row in section(page, kind.capitalize()), f"docs/components.md lacks {kind} {name}"


def test_every_method_that_takes_a_criterion():
    introduction = section((DOCS / "components.md").read_text(), "Criteria").partition("\n\n")[0]
    named = re.findall(r"`([a-z-]+)`", introduction.partition("theirs open:")[2])
    taking = {
        entry.name
        for entry in registry.entries("learners")
        if registry.load(Learner, entry.full_name).takes_criterion
    }
    assert len(named) == len(taking)
    assert {*named} == taking


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_every_hook_with_its_arguments(hook):
    names = [name for name in inspect.signature(hook).parameters if name != "self"]
    line = f"| `{hook.__name__}({', '.join(names)})` | "
    assert line in (DOCS / "hooks.md").read_text(), f"docs/hooks.md lacks {line}"


def test_every_check_in_its_words():
    page = (DOCS / "checks.md").read_text()
    for interface, checks in PROMISES.items():
        known = section(page, getattr(interface, "kind", "Every component").capitalize())
        rows = [f"| `{c.__name__}` | {promise_of(c)} | {remedy_of(c)} |" for c in checks]
        assert [line for line in known.splitlines() if line.startswith("| `")] == rows


def test_every_key_of_a_pipeline():
    page = (DOCS / "pipelines.md").read_text()
    for key in Pipeline.model_fields:
        assert f"| `{key}` | " in page, f"docs/pipelines.md lacks {key}"


def test_every_kind_has_its_section():
    page = (DOCS / "components.md").read_text()
    headings = [line[3:].lower() for line in page.splitlines() if line.startswith("## ")]
    assert headings == [*registry.kinds(), BROUGHT, COMMANDS]


def test_every_command():
    readme = (DOCS.parent / "README.md").read_text()
    for command in [one.name for one in registry.entries(COMMANDS) if one.package == "adc-core"]:
        assert f"adc {command} " in readme, f"README.md lacks adc {command}"


def test_every_page_is_in_the_contents():
    contents = (DOCS.parent / "mkdocs.yml").read_text()
    for page in DOCS.rglob("*.md"):
        assert str(page.relative_to(DOCS)) in contents, f"mkdocs.yml lacks {page.name}"


def test_every_word_of_the_glossary_is_in_the_code():
    rows = re.findall(r"^\| .* \| `(adc_[\w.]+)` \|$", (DOCS / "glossary.md").read_text(), re.M)
    assert len(rows) > 70
    for place in rows:
        module, _, name = place.rpartition(".")
        path = DOCS.parent / module.partition(".")[0] / "src" / module.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        found = re.search(rf"^(class |def |async def )?{name}\b", file.read_text(), re.M)
        assert found, f"docs/glossary.md: there is no {place}"


RECORDS = [
    record
    for record in (getattr(adc_core, name) for name in adc_core.__all__)
    if isinstance(record, type) and issubclass(record, Record)
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_of_a_record(record):
    told = "".join(inspect.getdoc(base) or "" for base in record.__mro__ if base is not object)
    for field in record.model_fields:
        assert f"\n    {field}: " in told, f"{record.__name__} does not say what {field} is"
    page = (DOCS / "interfaces.md").read_text()
    there = (record.__module__, f"{record.__module__}.{record.__qualname__}")
    assert any(f"::: {name}\n" in page for name in there), f"interfaces.md lacks {record}"
