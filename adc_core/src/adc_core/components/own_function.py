"""Functions of the user, named in a pipeline file or by a saved model."""

import pkgutil
from typing import Any, get_origin, get_type_hints

from adc_core.errors import InputError


def load_own(name: str, returns: type, purpose: str, annotation: str) -> Any:
    """Import `module:function`, or such a class itself.

    A pipeline file or a saved model may come from a stranger: only what is declared for the
    purpose is ever called.

    Args:
        name: where it is.
        returns: what its annotation must name.
        purpose: what it is declared to do, for the error.
        annotation: `returns` as the user would write it.

    Raises:
        InputError: it cannot be imported, or is not annotated so.
    """
    try:
        function = pkgutil.resolve_name(name)
    except Exception as error:  # whatever the user's module raises while it is imported
        reason = str(error).split("\n")[0]
        raise InputError(
            f"{name} cannot be imported ({reason}): install its package, or name its folder in "
            "PYTHONPATH"
        ) from error
    if not _declares(function, returns):
        raise InputError(f"{name} is not declared to {purpose}: annotate it with -> {annotation}")
    return function


def _declares(function: Any, returns: type) -> bool:
    try:
        made = function if isinstance(function, type) else get_type_hints(function)["return"]
    except Exception:  # no annotations, or some that name what is not there
        return False
    made = get_origin(made) or made  # an array of some type is an array
    return isinstance(made, type) and issubclass(made, returns)
