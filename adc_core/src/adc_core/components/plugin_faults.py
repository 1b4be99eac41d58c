"""Errors of a component, with what finds its author: stage, package, version and line."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from adc_core.components.component import Component
from adc_core.components.known_packages import PACKAGES
from adc_core.components.registry import registry
from adc_core.errors import InputError, InputErrors, RecordErrors, WorkError, lines_of

_PYDANTIC = (ValidationError, RecordErrors)
"""Errors whose lines say enough without their type."""


@contextmanager
def plugin_faults(component: Component, stage: str) -> Iterator[None]:
    """Name a component in whatever its work raises, `sys.exit` too; the traceback is kept.

    An InputError or WorkError stays what it is. Those of the first-party packages are tested to
    say what is wrong by themselves, and pass as they are.

    Args:
        component: whose work the block does.
        stage: what the work is for: `detectors/mine`.

    Raises:
        WorkError: instead of any other exception; its message is one line.
    """
    who = f"{stage} ({origin_of(component)})"
    try:
        yield
    except (InputError, WorkError) as error:
        if isinstance(error, RecordErrors):
            raise _work_error(component, who, error) from error
        if registry.name_of(type(component)).rpartition("/")[0] in PACKAGES:
            raise
        if isinstance(error, WorkError):
            raise WorkError(f"{who}: {error}") from error
        raise InputErrors(f"{who}: {line}" for line in lines_of(error)) from error
    except (Exception, SystemExit) as error:
        raise _work_error(component, who, error) from error


def _work_error(component: Component, who: str, error: BaseException) -> WorkError:
    return WorkError(f"{who}: {fault_of(type(component), error)}; --debug shows more")


def origin_of(component: Component) -> str:
    """Return the full name and version of a component: `acme-adc/quantum 0.3`."""
    kind = type(component)
    return f"{registry.name_of(kind)} {registry.version_of(kind)}".rstrip()


def fault_of(component: type[Component], error: BaseException) -> str:
    """Describe an exception: what it says, its type, and the component's line where it arose."""
    if isinstance(error, ResultFault):
        return str(error)
    text = "; ".join(lines_of(error)) if isinstance(error, Exception) else str(error)
    kind = type(error).__name__
    described = f"{kind}: {text}" if text and not isinstance(error, _PYDANTIC) else text or kind
    place = _place_in(component.__module__.partition(".")[0], error)
    return f"{described} ({place})" if place else described


class ResultFault(Exception):  # noqa: N818 (shown to users as a line, never caught by type)
    """What a component handed back is not what its interface promises."""


def _place_in(package: str, error: BaseException) -> str | None:
    """Find the innermost line of a package that an exception came through."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = frame.f_globals.get("__name__")
        if isinstance(module, str) and module.partition(".")[0] == package:
            return f"{Path(frame.f_code.co_filename).name}:{line}"
    return None
