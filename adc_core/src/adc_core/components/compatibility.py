"""Whether a package was written for this version of the core, by what it requires."""

import re
from collections.abc import Sequence

from importlib_metadata import version

from adc_core.components.installed import requirements_of

_CORE = "adc-core"
_REQUIREMENT = re.compile(r"adc[-_.]core(?![\w.-])\s*(?:\[[^]]*\])?\s*\(?([^;)]*)", re.IGNORECASE)
_CLAUSE = re.compile(r"(~=|==|!=|>=|<=|>|<)\s*(\d+(?:\.\d+)*)(\.\*)?")

Release = tuple[int, ...]


def misfit_of(package: str, package_version: str) -> str | None:
    """Say that a package is for another version of the core, and what to do; None where it fits.

    Args:
        package: name of an installed distribution.
        package_version: its version, for the message.
    """
    here = version(_CORE)
    for line in requirements_of(package):
        found = _REQUIREMENT.match(line)
        if found and "extra ==" not in line and not fits(here, found[1].split(",")):
            return (
                f"{package} {package_version} is for {_CORE}{found[1].strip()} and this is "
                f"{_CORE} {here}: pip install --upgrade {package} {_CORE}"
            )
    return None


def fits(here: str, clauses: Sequence[str]) -> bool:
    """Say whether a version satisfies all of the clauses, such as `~=0.1.0`.

    The numbers of a release alone are compared, so that a development version counts as the one
    that it becomes. A clause of another form is left to pip.
    """
    found = (_CLAUSE.fullmatch(clause.strip()) for clause in clauses)
    return all(_holds(_release(here), *one.groups()) for one in found if one)


def _holds(here: Release, operator: str, text: str, any_later: str | None) -> bool:
    bound = _release(text)
    if operator == "~=":
        return _padded(here) >= _padded(bound) and here[: len(bound) - 1] == bound[:-1]
    if operator in ("==", "!="):
        same = here[: len(bound)] == bound if any_later else _padded(here) == _padded(bound)
        return same == (operator == "==")
    if operator in (">=", "<="):
        first, second = (here, bound) if operator == ">=" else (bound, here)
        return _padded(first) >= _padded(second)
    first, second = (here, bound) if operator == ">" else (bound, here)
    return _padded(first) > _padded(second)


def _release(text: str) -> Release:
    """Return the numbers that a version begins with."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()


def _padded(release: Release) -> Release:
    """Fill up with zeros: 1.0 is 1.0.0."""
    return release + (0,) * (6 - len(release))
