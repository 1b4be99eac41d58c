"""What every function on arrays does for its caller, whatever it computes.

Its options are checked as those of a component are, labels may be names, work of more than a second
shows how far it is, and `help` shows its signature as it was written.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from typing import cast as typed

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from adc_core import Findings, work_folder
from adc_core.arrays import Array
from adc_core.cli import seen_by_somebody, shown_work
from adc_core.components import has_listener
from adc_core.errors import InputErrors, explain, lines_of
from adc_core.records import class_indices, readable
from adc_plugins_detect.inputs import row_ids

P = ParamSpec("P")
R = TypeVar("R")

_SECONDS = 1.0
"""Work of less than this shows no bar."""


def array_function(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function `(labels, evidence, *, options)` one that array users can call.

    - Options, which are what is annotated as a number, a boolean or a `Literal`, are validated
      by their annotation as fields of a component are: `Annotated[int, Ge(3)]`.
    - Labels may be names: `classes` is then filled in, and findings know the names. Columns of
      probabilities are in the order of the sorted names, unless a data frame names its columns or
      the caller gives `classes`.
    - The index of a pandas Series of labels becomes the ids, so that findings join its data frame.
    - Progress is shown where nobody else listens and standard error is looked at.
    """
    written = inspect.signature(function)
    by_place = [
        name for name, one in written.parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    call = typed(Callable[..., R], function)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        given = dict(zip(by_place, args, strict=False))
        if len(args) > len(by_place) or given.keys() & kwargs.keys():
            return call(*args, **kwargs)  # Python says what is wrong
        given |= kwargs
        given |= checked_options(function, given)
        if "ids" in written.parameters and given.get("ids") is None:
            given["ids"] = _ids_of(given.get("labels"))
        classes = _names_of(given.get("labels"))
        if classes and (order := _order_of(given)) is not None:
            given["labels"], classes = class_indices(given["labels"], order)
        if classes and "classes" in written.parameters:
            given["classes"] = classes
        with _progress_shown(function.__name__):
            result = call(**given)
        if classes and isinstance(result, Findings):
            return typed(R, result.replace(classes=classes))
        return result

    called.__signature__ = readable(written)  # type: ignore[attr-defined]
    return called


def checked_options(function: Callable[..., object], given: Mapping[str, Any]) -> dict[str, Any]:
    """Validate those arguments of a function that are options.

    Args:
        function: whose annotations say what is allowed.
        given: its arguments by name.

    Raises:
        InputErrors: a line for each option that is not allowed.
    """
    model = _options_of(function)
    options = {name: value for name, value in given.items() if name in model.model_fields}
    if not options:
        return {}
    try:
        valid = model(**options)
    except ValidationError as error:
        raise InputErrors(lines_of(explain(model, error))) from None
    return {name: getattr(valid, name) for name in options}


@cache
def _options_of(function: Callable[..., object]) -> type[BaseModel]:
    """Make a model of a function's options; their defaults are never looked at."""
    hints = get_type_hints(function, include_extras=True)
    names = inspect.signature(function).parameters
    fields: dict[str, Any] = {
        name: (hints[name], None) for name in names if name in hints and _is_option(hints[name])
    }
    return create_model(function.__name__, __config__=ConfigDict(protected_namespaces=()), **fields)


def _is_option(hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _is_option(parts[0])
    if origin in (Union, UnionType):
        return all(part is NoneType or _is_option(part) for part in parts)
    return origin is Literal or hint in (bool, int, float)


def _names_of(labels: Any) -> tuple[str, ...] | None:
    """Return the class names where labels are names; arrays of numbers cost nothing."""
    kind = getattr(getattr(labels, "dtype", None), "kind", "O")
    return None if labels is None or kind in "biufc" else class_indices(labels).names


def _order_of(given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the order of the classes, where the caller or the columns of a data frame give it."""
    if given.get("classes") is not None and len(given["classes"]):
        return tuple(map(str, given["classes"]))
    columns = getattr(given.get("probabilities"), "columns", None)
    if columns is None or not all(isinstance(name, str) for name in columns):
        return None
    return tuple(columns)


def _ids_of(labels: Any) -> Array | None:
    """Return the index of a pandas Series, where it is more than row numbers."""
    index = getattr(labels, "index", None)
    if not hasattr(labels, "iloc") or index is None or not index.is_unique:
        return None
    names = np.asarray(index.astype(str), dtype=np.str_)
    return None if np.array_equal(names, row_ids(len(names))) else names


@contextmanager
def _progress_shown(name: str) -> Iterator[None]:
    if has_listener() or not seen_by_somebody(sys.stderr):
        yield
        return
    with shown_work(name, work_folder(), delay=_SECONDS):
        yield
