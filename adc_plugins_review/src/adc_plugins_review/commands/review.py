"""`adc review`: people look at images and say whether their labels are right."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adc_core import Command, InputError
from adc_plugins_review.actions.options import OPTIONS, OWNERS

if TYPE_CHECKING:
    from adc_plugins_review.campaign.plan import ReviewPlan
    from adc_plugins_review.campaign.source import Source
    from adc_plugins_review.campaign.store import Store

ACTIONS = ("serve", "plan", "instructions", "links", "status", "export", "import", "rehearse")


class ReviewCommand(Command):
    """Let people judge labels on pages in their browsers, and collect what they say."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc review`; each is of one action."""
        parser.add_argument(
            "folder",
            type=Path,
            help="a finished run directory; or a dataset, with --out; or that folder, later",
        )
        parser.add_argument(
            "action",
            nargs="?",
            choices=ACTIONS,
            default="serve",
            help="serve: answer on pages until Ctrl-C (it makes a plan where there is none); plan: "
            "choose what is shown; instructions: show what each class looks like, pages too; "
            "links: list links, or make more; status: how far it is; export, "
            "import: the votes; rehearse: simulated people vote, to see how it goes",
        )
        parser.add_argument("file", nargs="?", type=Path, help="import: the votes to add")
        known: set[str] = set()
        for action, options in OPTIONS.items():
            group = parser.add_argument_group(action)
            for name, settings in options.items():
                if name in known:
                    continue
                known.add(name)
                # Absent unless given, so that an option of another action is noticed.
                group.add_argument(
                    f"-{name}" if len(name) == 1 else f"--{name}",
                    default=argparse.SUPPRESS,
                    **settings,
                )

    def run(self, arguments: argparse.Namespace) -> int:
        """Do what is asked for.

        Raises:
            InputError: an option of another action, or whatever the action refuses.
            WorkError: the review cannot be read or written.
        """
        given = {name: value for name, value in vars(arguments).items() if name in OWNERS}
        allowed = {arguments.action} | ({"plan"} if arguments.action == "serve" else set())
        for name in given:
            if not OWNERS[name] & allowed:
                option, owner = name.replace("_", "-"), sorted(OWNERS[name])[0]
                raise InputError(
                    f"--{option} is for {owner}: adc review {arguments.folder} {owner} --{option}"
                )
        if (arguments.file is not None) != (arguments.action == "import"):
            raise InputError("write `import FILE`: votes to add, as `export` writes them")
        try:
            return _RUN[arguments.action](arguments.folder, arguments.file, given)
        except ModuleNotFoundError as error:
            if error.name not in ("aiohttp", "jinja2"):
                raise
            raise InputError('the pages need more: pip install "adc-plugins-review[web]"') from None


_PLAN_FIELDS = {
    "gold": "gold_share",
    "attributes": "show_attributes",
    "sure": "confidence_slider",
}


def _plan(folder: Path, _: Path | None, given: dict[str, Any]) -> int:
    from adc_plugins_review.actions.make_plan import plan_review

    plan = plan_review(
        folder,
        {_PLAN_FIELDS.get(name, name): value for name, value in given.items()},
    )
    print(plan)
    return 0


def _instructions(folder: Path, _: Path | None, given: dict[str, Any]) -> int:
    from adc_plugins_review.campaign.plan import REVIEW
    from adc_plugins_review.instructions.write import write_instructions

    folder, source, _plan_of_it = _planned(folder, {})
    print(write_instructions(source, folder / REVIEW, given.get("most", 6), given.get("seed", 0)))
    return 0


def _serve(folder: Path, _: Path | None, given: dict[str, Any]) -> int:
    from adc_plugins_review.actions.serve import serve_review
    from adc_plugins_review.web.server import Address

    folder, source, plan = _planned(folder, given)
    address = Address(
        host=given.get("host", "127.0.0.1"),
        port=given.get("port", 8321),
        public_url=given.get("public_url"),
        embed=tuple(given.get("embed", ())),
    )
    serve_review(
        source,
        plan,
        address,
        workers=given.get("workers", 3),
        browser=not given.get("no_browser", False),
        until=given.get("until"),
    )
    return 0


def _planned(folder: Path, given: dict[str, Any]) -> "tuple[Path, Source, ReviewPlan]":
    """Read the plan and its dataset; make one with defaults where there is none."""
    from adc_plugins_review.campaign.plan import PLAN, REVIEW, read_plan
    from adc_plugins_review.campaign.source import source_of

    out = given.get("out", folder)
    if not (out / REVIEW / PLAN).exists():
        _plan(folder, None, {name: one for name, one in given.items() if "plan" in OWNERS[name]})
    plan = read_plan(out)
    return out, source_of(plan, out), plan


def _links(folder: Path, _: Path | None, given: dict[str, Any]) -> int:
    from adc_plugins_review.actions.links import LinkOptions, change_links

    url = given.pop("public_url", "http://127.0.0.1:8321").rstrip("/")
    given["platform"] = given.pop("for", None)
    with _opened(folder) as (_source, store):
        print("\n".join(change_links(store, folder, url, LinkOptions(**given))))
    return 0


def _status(folder: Path, _: Path | None, given: dict[str, Any]) -> int:
    from adc_plugins_review.actions.status import status_text
    from adc_plugins_review.campaign.answers import rebuild

    with _opened(folder) as (_source, store):
        if given:
            rebuild(store)
        print(status_text(store))
    return 0


def _export(folder: Path, _: Path | None, given: dict[str, Any]) -> int:
    from adc_plugins_review.actions.export_votes import ExportOptions, export_review

    with _opened(folder) as (source, store):
        print("\n".join(export_review(store, source, ExportOptions(**given))))
    return 0


def _import(folder: Path, file: Path | None, _: dict[str, Any]) -> int:
    from adc_plugins_review.actions.import_votes import import_votes
    from adc_plugins_review.campaign.export import write_tables

    assert file is not None
    with _opened(folder) as (source, store):
        print(import_votes(store, source.dataset, file))
        write_tables(store)
    return 0


def _rehearse(folder: Path, _: Path | None, given: dict[str, Any]) -> int:
    from adc_plugins_review.actions.rehearse import People, rehearse
    from adc_plugins_review.actions.status import status_text

    folder, source, plan = _planned(folder, {})
    rehearse(source, plan, People(**given))
    with _opened(folder) as (_source, store):
        print(status_text(store))
    return 0


@contextmanager
def _opened(folder: Path) -> "Iterator[tuple[Source, Store]]":
    """Open the database of a review that has a plan."""
    from adc_plugins_review.campaign.plan import REVIEW, read_plan
    from adc_plugins_review.campaign.source import source_of
    from adc_plugins_review.campaign.store import Store

    plan = read_plan(folder)
    source = source_of(plan, folder)
    store = Store(folder / REVIEW, plan, source.dataset)
    try:
        yield source, store
    finally:
        store.close()


_RUN: dict[str, Callable[[Path, Path | None, dict[str, Any]], int]] = {
    "plan": _plan,
    "instructions": _instructions,
    "serve": _serve,
    "links": _links,
    "status": _status,
    "export": _export,
    "import": _import,
    "rehearse": _rehearse,
}
