"""What is installed here, by the metadata of packages; a broken one is named and left out.

An interrupted pip or somebody's wrong line must not break the commands of everybody else.
"""

import re
import warnings
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple, cast

from importlib_metadata import Distribution, EntryPoint, distribution, distributions

_HEADER = re.compile(r"^(Name|Version):[ \t]*(\S.*?)\s*$", re.MULTILINE)

_REQUIRES = re.compile(r"^Requires-Dist:[ \t]*(\S.*?)\s*$", re.MULTILINE)


class Point(NamedTuple):
    """An entry point, and who offers it.

    Attributes:
        entry: group, name and target.
        package: the distribution's normalized name.
        version: of the distribution.
    """

    entry: EntryPoint
    package: str
    version: str


def installed_points(groups: Container[str]) -> list[Point]:
    """Find the entry points of some groups; where a package is there twice, the first counts."""
    found: dict[str, list[Point]] = {}
    for dist in _distributions():
        try:
            entries = [entry for entry in dist.entry_points if entry.group in groups]
            if entries:  # metadata are read for these alone: there may be hundreds of packages
                package, version = _named(dist)
                found.setdefault(package, [Point(entry, package, version) for entry in entries])
        except Exception as error:
            _warn_of(dist, error)
    return [point for points in found.values() for point in points]


def installed_packages() -> dict[str, str]:
    """Name and version of every distribution, sorted by name."""
    found: dict[str, str] = {}
    for name, version in _readable():
        found.setdefault(name, version)
    return dict(sorted(found.items()))


def requirements_of(package: str) -> list[str]:
    """List what a distribution requires, as its metadata say it; nothing where these are broken."""
    try:
        text = distribution(package).read_text("METADATA") or ""
    except Exception:  # whoever lists what is installed names it
        return []
    return _REQUIRES.findall(text.partition("\n\n")[0])


def _readable() -> Iterator[tuple[str, str]]:
    for dist in _distributions():
        try:
            yield _named(dist)
        except Exception as error:
            _warn_of(dist, error)


def _distributions() -> Iterable[Distribution]:
    return cast(Iterable[Distribution], distributions())


def _named(dist: Distribution) -> tuple[str, str]:
    """Read two headers alone: a package's whole description takes milliseconds to parse."""
    text = dist.read_text("METADATA")
    if text is None:  # an egg's, which are elsewhere
        headers = {"Name": dist.name, "Version": dist.version}
    else:
        headers = dict(reversed(_HEADER.findall(text.partition("\n\n")[0])))  # the first counts
    name, version = headers.get("Name"), headers.get("Version")
    if not (isinstance(name, str) and isinstance(version, str)):
        raise ValueError("it has no name or no version")
    return re.sub(r"[-_.]+", "-", name).lower(), version


def _warn_of(dist: Distribution, error: Exception) -> None:
    where = getattr(dist, "_path", None) or dist.locate_file("")
    reason = " ".join(str(error).split())
    warnings.warn(
        f"{where} is left out, its metadata are broken ({type(error).__name__}: {reason}): "
        "install that package again, or remove the folder",
        stacklevel=1,  # so that the same warning is given once, for any caller
    )
