"""Names of components, kept as import strings until a component is needed."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

from adc_core.components.compatibility import misfit_of
from adc_core.components.installed import installed_points
from adc_core.components.kinds import BROUGHT, COMMANDS, KINDS, group_of
from adc_core.components.known_packages import PACKAGE_OF
from adc_core.errors import InputError


class OfKind(Protocol):
    """What the registry knows of a class that it finds: its kind, and no more."""

    kind: ClassVar[str]


C = TypeVar("C", bound=OfKind)


class RegistryError(InputError):
    """A component could not be found or loaded; the message says what to do about it."""


@dataclass(frozen=True, order=True)
class Entry:
    """One component, as its package's metadata describe it."""

    kind: str
    name: str
    package: str
    version: str
    target: str

    @property
    def full_name(self) -> str:
        """The name that stays exact whatever is installed later: `package/name`."""
        return f"{self.package}/{self.name}"

    @property
    def origin(self) -> str:
        """Where the component comes from, for a message about it."""
        return f"{self.target} of {self.package} {self.version}"


def installed_entries() -> Iterable[Entry]:
    """List every component, command and kind of this environment, sorted; none is imported."""
    known = {group_of(kind): kind for kind in (*KINDS, COMMANDS, BROUGHT)}
    points = installed_points(_Groups())
    brought = (point.entry.name for point in points if point.entry.group == group_of(BROUGHT))
    kind_of = {group_of(kind): kind for kind in brought} | known
    return sorted(
        Entry(kind_of[entry.group], entry.name, package, version, entry.value)
        for entry, package, version in points
        if entry.group in kind_of
    )


class _Groups(Container[str]):
    """All groups of ADC: which of them hold components, only the kinds among them tell."""

    def __contains__(self, group: object) -> bool:
        return isinstance(group, str) and group.startswith(group_of(""))


class Registry:
    """The components that a pipeline can name."""

    def __init__(self, discover: Callable[[], Iterable[Entry]] = installed_entries) -> None:
        self._discover = cache(lambda: tuple(discover()))
        self._misfit_of = cache(misfit_of)
        self._added: dict[tuple[str, str], type[OfKind]] = {}

    def kinds(self) -> list[str]:
        """List the kinds of a pipeline in their order, then those that packages bring."""
        brought = {entry.name for entry in self.entries(BROUGHT)} - {*KINDS}
        return [*KINDS, *sorted(brought)]

    def entries(self, kind: str) -> list[Entry]:
        """List what is installed of one kind; nothing is imported."""
        return [entry for entry in self._discover() if entry.kind == kind]

    def add(self, name: str, component: type[C]) -> type[C]:
        """Give a class of this process a name, as notebooks and tests need.

        Raises:
            RegistryError: an installed package already offers the name.
        """
        for entry in self.entries(component.kind):
            if entry.name == name:
                raise RegistryError(
                    f'{group_of(component.kind)} already has "{name}" from {entry.package}: '
                    "choose another name"
                )
        self._added[component.kind, name] = component
        return component

    def find(self, kind: str, name: str) -> Entry:
        """Return the entry called `name`, or `package/name` where several packages offer it.

        Raises:
            RegistryError: no such entry, or several; the message says what to install or write.
        """
        entries = self.entries(kind)
        found = [entry for entry in entries if name in (entry.name, entry.full_name)]
        if len(found) == 1:
            return found[0]
        if found:
            choices = " or ".join(f'"{entry.full_name}"' for entry in found)
            raise RegistryError(f'several packages offer "{name}": use {choices}')
        problem = f'{group_of(kind)} has no "{name}"'
        package = name.rpartition("/")[0] or PACKAGE_OF.get((kind, name))
        if package and package not in {entry.package for entry in self._discover()}:
            raise RegistryError(f"{problem}: pip install {package}")
        added = {added for added_kind, added in self._added if added_kind == kind}
        names = sorted({e.full_name if "/" in name else e.name for e in entries} | added)
        if close := difflib.get_close_matches(name, names, n=1):
            raise RegistryError(f'{problem}: did you mean "{close[0]}"?')
        raise RegistryError(f"{problem}; it has {', '.join(names) or 'nothing installed'}")

    def load(self, interface: type[C], name: str) -> type[C]:
        """Return the class behind a name; its module is imported now and not before.

        Raises:
            RegistryError: not found, cannot be imported, or not a class of the interface.
        """
        if added := self._added.get((interface.kind, name)):
            return self._check(added, interface, _target_of(added))
        entry = self.find(interface.kind, name)
        return self._check(self.resolve(entry), interface, entry.origin)

    def resolve(self, entry: Entry) -> Any:
        """Import what an entry points to.

        Raises:
            RegistryError: the import fails, or the package is for another version of the core; the
                message names the package and its version.
        """
        if misfit := self._misfit_of(entry.package, entry.version):
            raise RegistryError(misfit)
        try:
            return pkgutil.resolve_name(entry.target)
        except (Exception, SystemExit) as error:
            raise RegistryError(f"{entry.origin} cannot be imported: {error!r}") from error

    def name_of(self, component: type[OfKind]) -> str:
        """Return the name that a record keeps: `package/name`, or the name given to `add`."""
        for (_, name), added in self._added.items():
            if added is component:
                return name
        entry = self._entry_of(component)
        return entry.full_name if entry else _target_of(component)

    def version_of(self, component: type[OfKind]) -> str:
        """Return the version of the package that offers a class; empty if this process made it."""
        entry = self._entry_of(component)
        return entry.version if entry else ""

    def _entry_of(self, component: type[OfKind]) -> Entry | None:
        target = _target_of(component)
        return next((e for e in self.entries(component.kind) if e.target == target), None)

    @staticmethod
    def _check(found: Any, interface: type[C], origin: str) -> type[C]:
        if not (isinstance(found, type) and issubclass(found, interface)):
            raise RegistryError(f"{origin} is not a {interface.__name__}")
        if missing := sorted(getattr(found, "__abstractmethods__", ())):
            raise RegistryError(
                f"{origin} has no method {', '.join(missing)}, which a {interface.__name__} needs"
            )
        return found


def _target_of(component: type[Any]) -> str:
    return f"{component.__module__}:{component.__qualname__}"


registry = Registry()
"""The registry of this process."""
