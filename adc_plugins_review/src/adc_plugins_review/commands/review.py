"""`adc review`: people look at images and say whether their labels are right."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adc_core import Command, InputError

if TYPE_CHECKING:
    from adc_plugins_review.campaign.plan import Plan
    from adc_plugins_review.campaign.source import Source

ACTIONS = ("serve", "plan", "links", "status", "export", "import", "rehearse")


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
            "choose what is shown; links: list links, or make more; status: how far it is; export, "
            "import: the votes; rehearse: simulated people vote, to see how it goes",
        )
        parser.add_argument("file", nargs="?", type=Path, help="import: the votes to add")
        for action, options in _OPTIONS.items():
            group = parser.add_argument_group(action)
            for name, settings in options.items():
                # Absent unless given, so that an option of another action is noticed.
                group.add_argument(f"--{name}", default=argparse.SUPPRESS, **settings)

    def run(self, arguments: argparse.Namespace) -> int:
        """Do what is asked for.

        Raises:
            InputError: an option of another action, or whatever the action refuses.
            WorkError: the review cannot be read or written.
        """
        given = {name: value for name, value in vars(arguments).items() if name in _OWNERS}
        allowed = {arguments.action} | ({"plan"} if arguments.action == "serve" else set())
        for name in given:
            if not _OWNERS[name] & allowed:
                option, owner = name.replace("_", "-"), sorted(_OWNERS[name])[0]
                raise InputError(
                    f"--{option} is for {owner}: adc review {arguments.folder} {owner} --{option}"
                )
        if (arguments.file is not None) != (arguments.action == "import"):
            raise InputError("write `import FILE`: votes to add, as `export` writes them")
        return _RUN[arguments.action](arguments.folder, arguments.file, given)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _count(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not (text.isdecimal() and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least}")
        return int(text)

    return count


def _auto(text: str) -> int | None:
    return None if text == "auto" else _count(0)(text)


def _auto_share(text: str) -> float | None:
    return None if text == "auto" else _share(text)


def _share(text: str) -> float:
    try:
        if not 0 <= (share := float(text)) < 1:
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: 0 up to 1") from None
    return share


def _tasks(text: str) -> tuple[str, ...]:
    if not set(tasks := _names(text)) <= {"vote", "select"} or not tasks:
        raise argparse.ArgumentTypeError(f"{text!r}: tasks are vote and select")
    return tasks


_FLAG: dict[str, Any] = {"action": "store_true"}

_OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "plan": {
        "budget": {"type": _count(1), "help": "votes that people can give (400)"},
        "votes": {
            "choices": ("one-then-two", "1", "3"),
            "help": "per sample; one-then-two: two more where the first is no yes (the default)",
        },
        "look": {
            "choices": ("once", "any"),
            "help": "when the certificate is read: at the planned end (once), or at any time",
        },
        "confidence": {"type": _share, "help": "of the certificate (0.95)"},
        "repair": {"type": _auto, "help": "how many of the most suspicious to look at (auto)"},
        "gold": {"type": _share, "help": "share of control questions (0.1)"},
        "gold-file": {
            "type": Path,
            "metavar": "FILE",
            "help": "a table of id and true label, to make control questions of",
        },
        "of": {"choices": ("curated", "collected"), "help": "which dataset of a run (curated)"},
        "tasks": {"type": _tasks, "help": "vote, select or both: vote,select (vote)"},
        "select-per-task": {"type": _count(2), "help": "images in a grid (20)"},
        "select-min": {"type": _count(1), "help": "images to pick from a grid (4)"},
        "select-classes": {"type": _names, "help": "classes to pick images of (all)"},
        "select-tasks": {"type": _auto, "help": "how many grids (auto: two a class)"},
        "attributes": {**_FLAG, "help": "show the attributes of a sample below the question"},
        "sure": {**_FLAG, "help": "ask people how sure they are"},
        "question": {"help": 'what the page asks ("Is this a {label}?")'},
        "seed": {"type": _count(0), "help": "of all that is drawn (0)"},
        "rate": {"type": _auto_share, "help": "share of wrong labels to plan for (auto)"},
        "auc": {"type": _share, "help": "how well suspicion is believed to sort (0.8)"},
        "out": {
            "type": Path,
            "metavar": "FOLDER",
            "help": "of a dataset that is no run: where the review goes",
        },
        "findings": {
            "type": Path,
            "metavar": "FILE",
            "help": "of a dataset that is no run: what `adc detect` wrote",
        },
        "again": {**_FLAG, "help": "put the present review aside (review-001) and plan anew"},
    },
    "serve": {
        "host": {"help": "address to listen on (127.0.0.1)"},
        "port": {"type": _count(0), "help": "port; 0 for any free one (8321)"},
        "public-url": {"metavar": "URL", "help": "under which people reach the pages"},
        "embed": {
            "action": "append",
            "metavar": "ORIGIN",
            "help": "a site that may show the pages in a frame; may be repeated",
        },
        "workers": {"type": _count(0), "help": "links to make where there are fewer (3)"},
        "no-browser": {**_FLAG, "help": "do not open the owner's page"},
    },
}

_OWNERS: dict[str, set[str]] = {}
for _action, _options in _OPTIONS.items():
    for _name in _options:
        _OWNERS.setdefault(_name.replace("-", "_"), set()).add(_action)

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
    )
    return 0


def _planned(folder: Path, given: dict[str, Any]) -> "tuple[Path, Source, Plan]":
    """Read the plan and its dataset; make one with defaults where there is none."""
    from adc_plugins_review.campaign.plan import PLAN, REVIEW, read_plan
    from adc_plugins_review.campaign.source import source_of

    out = given.get("out", folder)
    if not (out / REVIEW / PLAN).exists():
        _plan(folder, None, {name: one for name, one in given.items() if "plan" in _OWNERS[name]})
    plan = read_plan(out)
    return out, source_of(plan, out), plan


_RUN: dict[str, Callable[[Path, Path | None, dict[str, Any]], int]] = {
    "plan": _plan,
    "serve": _serve,
}
