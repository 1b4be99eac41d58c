"""Signatures that can be read: of records, of components, and of functions on arrays.

What Python prints of an annotation is its value: `ArrayLike` alone fills ten lines.
"""

import inspect
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_OF_ARRAY_LIKE = frozenset(get_args(ArrayLike))


class Words(str):
    """A text that is shown without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def type_text(annotation: Any) -> str:
    """Print a type as its author wrote it, without the validators that are attached to it."""
    if annotation is NoneType:
        return "None"
    if annotation is ...:
        return "..."
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(parts[0])
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(_alternatives(parts)))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, parts))}]"
    if origin is np.ndarray:
        return f"NDArray[{', '.join(map(type_text, get_args(parts[1])))}]"
    if origin is not None:
        return f"{origin.__name__}[{', '.join(map(type_text, parts))}]"
    if isinstance(annotation, TypeVar | str):
        return str(annotation).strip("~")
    return str(getattr(annotation, "__name__", annotation))


def _alternatives(parts: tuple[Any, ...]) -> Iterable[str]:
    whole = _OF_ARRAY_LIKE.issubset(parts)
    if whole:
        yield "ArrayLike"
    yield from (type_text(part) for part in parts if not (whole and part in _OF_ARRAY_LIKE))


def readable(signature: inspect.Signature) -> inspect.Signature:
    """Return a signature whose annotations print as their author wrote them."""
    empty = inspect.Parameter.empty
    parameters = [
        one if one.annotation is empty else one.replace(annotation=_written(one.annotation))
        for one in signature.parameters.values()
    ]
    answer = signature.return_annotation
    return signature.replace(
        parameters=parameters, return_annotation=answer if answer is empty else _written(answer)
    )


def _written(annotation: Any) -> Words:
    return Words(type_text(annotation))


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    default = field.default
    if field.is_required():
        default = inspect.Parameter.empty
    elif field.default_factory is not None:
        default = Words("...")
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_written(field.annotation)
    )


def _is_outdated(name: str) -> bool:
    found = inspect.getattr_static(BaseModel, name, None)
    return hasattr(getattr(found, "__func__", found), "__deprecated__")


_OUTDATED = frozenset(filter(_is_outdated, vars(BaseModel)))
"""What pydantic keeps of its first version; completion would offer it beside what is in use."""


def offered(names: Iterable[str]) -> list[str]:
    """Return the names of a model that completion offers."""
    return [name for name in names if name not in _OUTDATED]


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as ModelType
else:
    ModelType = type(BaseModel)


class ShowsFields(ModelType):
    """The type of models whose signature is their fields, as `help` and notebooks show it."""

    def __dir__(cls) -> list[str]:  # noqa: N805
        return offered(super().__dir__())

    @property
    def __signature__(cls: type[BaseModel]) -> inspect.Signature:  # type: ignore[misc] # noqa: N805
        cls.model_rebuild()  # annotations may still be texts
        return inspect.Signature([_parameter(*item) for item in cls.model_fields.items()])

    @__signature__.setter
    def __signature__(cls, _: object) -> None:  # noqa: N805
        """Ignore pydantic's own, which comes when the model is built."""
