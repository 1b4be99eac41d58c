"""`adc design`: from a brief to a design file, with a person who looks at the words."""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import Command, InputError, WorkError
from adc_core.errors import InputErrors

if TYPE_CHECKING:
    from adc_core import Brief, Designer
    from adc_plugins_search.design_review.design_file import DesignFile
    from adc_plugins_search.terms.proposals import Groups, Proposal

_WRITTEN, _DRAFT, _BEFORE = "written.yaml", "draft.yaml", "before.yaml"


class DesignCommand(Command):
    """Design classes and queries with a language model or a vocabulary, and review the words."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc design`."""
        parser.add_argument("brief", type=Path, help="the brief: subject and classes, as YAML")
        parser.add_argument(
            "--to",
            type=Path,
            default=Path("design.yaml"),
            metavar="FILE",
            help="the design file (design.yaml); what is there already is kept",
        )
        parser.add_argument(
            "--use",
            default="llm",
            metavar="DESIGNER[:OPTION=VALUE,…]",
            help="who proposes: llm, vocabulary, attributes, … (llm)",
        )
        parser.add_argument("--yes", action="store_true", help="accept all without asking")
        parser.add_argument(
            "--dry-run", action="store_true", help="show the prompts and send nothing"
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Design, review and write; prompts, answers and the draft are kept in TO.work.

        Raises:
            InputError: the brief, the designer or the file that is there is wrong.
            WorkError: the model fails, or the review was not finished.
        """
        from adc_core import Designer, work_context
        from adc_core.cli import component_from

        if arguments.to.suffix not in (".yaml", ".yml"):
            raise InputError(f"--to {arguments.to}: a design is written as YAML: end it in .yaml")
        brief = _read_brief(arguments.brief)
        designer = component_from(Designer, "--use", arguments.use)
        if arguments.dry_run:
            return _show_prompts(designer, brief)
        folder = arguments.to.with_name(f"{arguments.to.name}.work")
        with work_context(folder, _say_progress):
            return _design(designer, brief, arguments.to, folder, ask=not arguments.yes)


def _read_brief(path: Path) -> "Brief":
    from pydantic import ValidationError

    from adc_core import Brief
    from adc_core.errors import lines_of
    from adc_core.storage import read_config

    try:
        return Brief.model_validate(read_config(path, "a brief"))
    except ValidationError as error:
        raise InputErrors(f"{path}: {line}" for line in lines_of(error)) from None


def _show_prompts(designer: "Designer", brief: "Brief") -> int:
    from adc_plugins_search.terms.proposals import Prompting

    if not isinstance(designer, Prompting):
        print(f"{designer.name} asks no model")
        return 0
    prompts = list(designer.prompts(brief))
    for title, prompt in prompts:
        print(f"# {title}\n{prompt}\n")
    print(f"{len(prompts) - 1} questions, if every answer can be used; nothing was sent")
    return 0


def _design(designer: "Designer", brief: "Brief", to: Path, folder: Path, *, ask: bool) -> int:
    from adc_endpoint import Transcript
    from adc_plugins_search.design_review.review import QuitError, Section, review, section_of
    from adc_plugins_search.designers.file import FileDesigner
    from adc_plugins_search.designers.llm import LlmDesigner
    from adc_plugins_search.terms.proposals import Proposer

    design_file = _start(designer, to, folder)
    design_file.classes = tuple(dict.fromkeys((*brief.classes, *design_file.classes)))

    def more(section: Section, count: int) -> "Groups":
        if not isinstance(designer, Proposer):
            return {}
        known = [word for words in section.groups.values() for word in words]
        return designer.more(brief, *section.place, count, [*known, *section.rejected])

    def save(section: Section) -> None:
        design_file.put(section.place, section.chosen, section.rejected)
        design_file.write(folder / _DRAFT)

    def sections() -> "Iterator[Section]":
        for proposal in _proposals(designer, brief):
            _say_progress(1, 1, "")
            yield section_of(proposal, design_file)

    try:
        review(sections(), more, save, ask=ask)
    except QuitError:
        raise WorkError(
            f"the review is not finished and {to} not written: the same command goes on from "
            "here, with --yes it accepts the rest"
        ) from None
    if not design_file.classes:
        raise InputError(f"{designer.name} proposes no attributes: there is nothing to review")
    design_file.write(folder / _DRAFT)
    design = FileDesigner(path=folder / _DRAFT).design(brief.replace(classes=()))
    _finish(design_file, to, folder)
    if brief.classes and (
        others := [name for name in design_file.classes if name not in brief.classes]
    ):
        print(f"{to} keeps {', '.join(others)}, which the brief does not name: remove what is old")
    classes = "1 class" if len(design.classes) == 1 else f"{len(design.classes)} classes"
    print(f"{to}: {classes}, {len(design.queries):,} queries")
    if isinstance(designer, LlmDesigner):
        turns = Transcript(designer.transcript_file)
        print(f"{turns.path}: {turns.usage}")
    return 0


def _proposals(designer: "Designer", brief: "Brief") -> "Iterator[Proposal]":
    """Return the proposals of any designer; one that only designs offers what it takes."""
    from adc_plugins_search.terms.normalize import group_terms
    from adc_plugins_search.terms.proposals import Proposal, Proposer

    if isinstance(designer, Proposer):
        yield from designer.propose(brief)
        return
    design = designer.design(brief)
    for class_name in design.classes:
        values: dict[str, dict[str, None]] = {}
        for query in design.queries:
            if query.class_name == class_name:
                for attribute, value in query.attributes.items():
                    values.setdefault(attribute, {})[value] = None
        for attribute, own in values.items():
            yield Proposal(class_name, attribute, group_terms(own, attribute), tuple(own))


def _start(designer: "Designer", to: Path, folder: Path) -> "DesignFile":
    """Return what was decided before: in an unfinished review, or in the file by hand."""
    from adc_core import Brief
    from adc_plugins_search.design_review.design_file import DesignFile
    from adc_plugins_search.designers.file import FileDesigner
    from adc_plugins_search.terms.proposals import Proposer
    from adc_plugins_search.terms.vocabulary import read_words

    draft, written = folder / _DRAFT, folder / _WRITTEN
    if draft.exists() and not (to.exists() and to.stat().st_mtime_ns > draft.stat().st_mtime_ns):
        print(f"going on with the review that was not finished: {draft}")
        return DesignFile.read(draft)
    if not to.exists():
        template = getattr(designer, "template", None)
        return DesignFile(
            omit_from_query=tuple(read_words()["omit_from_query"])
            if isinstance(designer, Proposer)
            else (),
            extras={"template": template} if template else {},
        )
    design_file = DesignFile.read(to)
    FileDesigner(path=to).design(Brief(subject="what is there"))
    if not written.exists():
        print(f"kept: what is in {to}")
        return design_file
    before = DesignFile.read(written)
    for line in design_file.differences(before):
        print(f"kept, changed by hand: {line}")
    design_file.reject_what_was_removed(before)
    return design_file


def _finish(design_file: "DesignFile", to: Path, folder: Path) -> None:
    """Write the file, unless it says the same already: then its comments can stay."""
    from adc_core.storage import translate_os_errors
    from adc_plugins_search.design_review.design_file import DesignFile

    if not to.exists() or DesignFile.read(to).text() != design_file.text():
        if to.exists():
            with translate_os_errors(folder):
                shutil.copyfile(to, folder / _BEFORE)
        design_file.write(to)
    design_file.write(folder / _WRITTEN)
    with translate_os_errors(folder):
        (folder / _DRAFT).unlink()


def _say_progress(done: int, total: int | None, unit: str) -> None:
    """Return a line that the next one overwrites, where somebody looks."""
    if sys.stderr.isatty():
        text = "" if done == total else f"asking: {unit} {done + 1} of {total} …"
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
