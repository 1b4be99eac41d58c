"""What work must leave as it is: the process, and the data that it is given."""

import os
import random
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from adc_core.arrays.hashing import fingerprint
from adc_core.components.component import Component
from adc_core.images.sequence import ImageArray
from adc_core.records.dataset import Dataset
from adc_core.records.record import Record


class ProcessState:
    """What all code of a process shares, and work can change by mistake."""

    def __init__(self) -> None:
        """Note it as it is now."""
        self._python = random.getstate()
        self._numpy = np.random.get_state()
        self._errors = np.geterr()
        self._environment = dict(os.environ)
        self._folder = Path.cwd()
        self._filters = list(warnings.filters)

    def changes(self) -> list[str]:
        """Name what is different now."""
        now = dict(os.environ)
        variables = sorted(
            name
            for name in now.keys() | self._environment.keys()
            if now.get(name) != self._environment.get(name)
        )
        found = {
            "random's generator": random.getstate() != self._python,
            "numpy.random's generator": not _same_state(self._numpy),
            "numpy.seterr": np.geterr() != self._errors,
            f"os.environ ({', '.join(variables)})": bool(variables),
            "the working folder": Path.cwd() != self._folder,
            "warnings.filters": list(warnings.filters) != self._filters,
        }
        return [what for what, changed in found.items() if changed]

    def restore(self) -> None:
        """Put it back."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        np.seterr(**self._errors)
        os.environ.clear()
        os.environ.update(self._environment)
        os.chdir(self._folder)
        warnings.filters[:] = self._filters  # type: ignore[index]


def changed_by(work: Callable[[], object]) -> list[str]:
    """Do work twice at most, and name what of the process it changes every time.

    What the import of a library changes, it changes once.
    """
    for _ in range(2):
        before = ProcessState()
        try:
            work()
        except Exception:  # that is for other checks to say
            before.restore()
            return []
        changes = before.changes()
        before.restore()
        if not changes:
            return []
    return changes


def _same_state(before: Any) -> bool:
    now = np.random.get_state()
    return all(np.array_equal(one, other) for one, other in zip(now, before, strict=True))


def columns_changed(dataset: Dataset, work: Callable[[Dataset], object]) -> list[str]:
    """Do work on a dataset, and name the columns that it has written into."""
    before = dict(_sums(dataset))
    work(dataset)
    after = dict(_sums(dataset))
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def _sums(record: Record, within: str = "") -> Iterator[tuple[str, str]]:
    """Hash every column anew: records remember their own hashes."""
    for field in type(record).model_fields:
        value, name = getattr(record, field), f"{within}{field}"
        if isinstance(value, Record):
            yield from _sums(value, f"{name}.")
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", fingerprint(one)) for key, one in value.items())
        elif isinstance(value, ImageArray):
            yield name, fingerprint(value.array)
        elif value is not None:
            yield name, fingerprint(value)


def unread_options(component: Component, work: Callable[[], object]) -> list[str]:
    """List the options that no code of the component's packages reads, nor its work.

    Where the work raises an error, none is listed: nobody knows what it would have read.
    """
    kind = type(component)
    packages = {base.__module__.partition(".")[0] for base in kind.__mro__} - {"adc_core"}
    sources = [source for package in packages for source in _sources(package)]
    unread = [
        name
        for name in kind.model_fields
        if not any(re.search(rf"\.{name}\b|[\"']{name}[\"']", source) for source in sources)
    ]
    if unread:
        try:
            read = _read_by(component, work)
        except Exception:
            return []
        unread = [name for name in unread if name not in read]
    return unread


def _read_by(component: Component, work: Callable[[], object]) -> set[str]:
    """Do work, and note which attributes of the component are looked up, and not by the core.

    The core asks every option whether it is a component.
    """
    kind: Any = type(component)
    read: set[str] = set()

    def note(self: Component, name: str) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if self is component and caller.partition(".")[0] != "adc_core":
            read.update(kind.model_fields if name in ("model_dump", "__dict__") else (name,))
        return object.__getattribute__(self, name)

    kind.__getattribute__ = note
    try:
        work()
    finally:
        del kind.__getattribute__
    return read


def _sources(package: str) -> list[str]:
    """Return the code of all modules of a package that are imported by now."""
    modules = [
        module for name, module in list(sys.modules.items()) if name.partition(".")[0] == package
    ]
    files = {file for module in modules if (file := getattr(module, "__file__", None))}
    return [_code_of(file) for file in files if file.endswith(".py")]


@cache
def _code_of(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")
