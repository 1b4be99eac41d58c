"""The options of `adc review`: of each action its own. Nothing heavy is imported here."""

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@cache
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

OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
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
            "help": "a table of id and true label: what control questions are made of; of export, "
            "what experts decided goes there",
        },
        "of": {"choices": ("curated", "collected"), "help": "which dataset of a run (curated)"},
        "tasks": {
            "type": _tasks,
            "metavar": "A,B",
            "help": "vote, select or both: vote,select (vote)",
        },
        "select-per-task": {"type": _count(2), "help": "images in a grid (20)"},
        "select-min": {"type": _count(1), "help": "images to pick from a grid (4)"},
        "select-classes": {
            "type": _names,
            "metavar": "A,B",
            "help": "classes to pick images of (all)",
        },
        "select-tasks": {"type": _auto, "help": "how many grids (auto: two a class)"},
        "attributes": {**_FLAG, "help": "show the attributes of a sample below the question"},
        "sure": {**_FLAG, "help": "ask people how sure they are"},
        "question": {"help": 'what the page asks ("Is this a {label}?")'},
        "duplicate-similarity": {
            "type": _share,
            "help": "cosine from which on samples are shown as near duplicates (0.95)",
        },
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
        "until": {
            "type": _share,
            "help": "with plan --look any: deal no more once the certificate is at or under this",
        },
        "no-browser": {**_FLAG, "help": "do not open the owner's page"},
    },
}

OPTIONS["instructions"] = {
    "most": {"type": _count(1), "help": "examples of a class at most (6)"},
    "seed": {"type": _count(0), "help": "of what is drawn (0)"},
}
OPTIONS["links"] = {
    "n": {"type": _count(1), "help": "how many links to make"},
    "name": {"help": "of the person whom the link is for"},
    "trusted": {**_FLAG, "help": "an expert, whose word counts as the truth"},
    "for": {"choices": ("prolific", "mturk"), "help": "one link for all workers of a platform"},
    "keep-ids": {**_FLAG, "help": "with --for: keep the ids that the platform gives people"},
    "code": {"help": "that Prolific asks for when the work is done"},
    "revoke": {"metavar": "NAME", "help": "make the link of somebody void; the votes stay"},
    "forget": {"metavar": "NAME", "help": "delete somebody's name and id; the votes stay"},
    "owner": {**_FLAG, "help": "make a new owner's link; the former one is void"},
    "public-url": OPTIONS["serve"]["public-url"],
}
OPTIONS["status"] = {
    "rebuild": {**_FLAG, "help": "make the present answers again of all that was sent"},
}
OPTIONS["export"] = {
    "to": {"type": Path, "metavar": "FILE", "help": "votes, as .csv or .parquet"},
    "events": {**_FLAG, "help": "with --to: the whole history instead"},
    "names": {**_FLAG, "help": "with --to: names in place of pseudonyms"},
    "test": {"type": Path, "metavar": "FOLDER", "help": "the dataset that people picked"},
    "gold-file": {
        "type": Path,
        "metavar": "FILE",
        "help": "what experts decided, as id and label, for the next plan",
    },
    "label-studio": {
        "type": Path,
        "metavar": "FOLDER",
        "help": "tasks and configuration for Label Studio",
    },
    "with-suggestions": {**_FLAG, "help": "with --label-studio: show what detectors say"},
    "mturk": {
        "type": Path,
        "metavar": "FILE",
        "help": "input of HITs with a form of their own (CSV)",
    },
    "public-url": {"metavar": "URL", "help": "with --mturk: below which the images lie by id"},
}
OPTIONS["rehearse"] = {
    "people": {"type": _count(1), "help": "who look at the images (3)"},
    "error": {"type": _share, "help": "share of their answers that are wrong (0.05)"},
    "lazy": {"type": _count(0), "help": "more people, who always say yes (0)"},
    "random": {"type": _count(0), "help": "more people, who answer by chance (0)"},
    "seed": {"type": _count(0), "help": "of their answers (0)"},
}

OWNERS: dict[str, set[str]] = {}
"""Option, as its attribute is called, to the actions that have it."""

for _action, _options in OPTIONS.items():
    for _name, _settings in _options.items():
        if not {"choices", "metavar"} & _settings.keys() and _settings.get("action") is None:
            _settings["metavar"] = "N" if "type" in _settings else "TEXT"
        OWNERS.setdefault(_name.replace("-", "_"), set()).add(_action)
