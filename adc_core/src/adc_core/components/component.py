"""The base of every component: a frozen pydantic model whose fields are its options."""

import inspect
import json
import sys
from abc import ABC
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SerializationInfo,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from adc_core.arrays.hashing import hash_file
from adc_core.components.kinds import group_of
from adc_core.components.known_packages import PACKAGES
from adc_core.components.registry import RegistryError, registry
from adc_core.errors import explain
from adc_core.records.signatures import ShowsFields

if TYPE_CHECKING:
    from adc_core.records.dataset import Dataset


C = TypeVar("C", bound="Component")


class Column(str):
    """The name of a column that a component requires, and how much of it.

    Equal to its name: `Column("neighbors", k=9) == "neighbors"`.

    Attributes:
        k: of "neighbors": how many of each sample it looks at, so that so many are searched for.
    """

    k: int

    def __new__(cls, name: str, *, k: int) -> Self:
        """Make it from the name and the size."""
        column = super().__new__(cls, name)
        column.k = k
        return column

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, int]]:
        return (str(self),), {"k": self.k}


def neighbors_of(column: str) -> int:
    """Say how many neighbors of each sample a column must hold; 0 where it does not say."""
    return column.k if isinstance(column, Column) else 0


class Component(BaseModel, ABC, metaclass=ShowsFields):
    """A configured piece of work: its fields are its options, its one method is its job.

    A component is frozen and keeps no state: what it learns, it returns. Where a field asks for
    an interface, a table `{use: name, option: value}` builds the named component.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        defer_build=True,
        hide_input_in_errors=True,  # it may hold a password
    )

    kind: ClassVar[str]
    """The plural word of the interface: `detectors`."""

    requires: ClassVar[tuple[str, ...]] = ()
    """Columns that every such component needs: evidence of the dataset, `truth` or `test`."""

    optional_columns: ClassVar[tuple[str, ...]] = ()
    """Evidence that it is shown where the dataset has it, and does without elsewhere."""

    execution_options: ClassVar[tuple[str, ...]] = ()
    """Options that say how fast the work is done and do not change its result."""

    provides: ClassVar[tuple[str, ...]] = ()
    """Evidence columns that the component adds to the dataset."""

    keeps_cache: ClassVar[bool] = False
    """Whether its work folder serves it with other options, too: it stays when the stage is
    finished, and the component knows what in it still holds."""

    artifacts: ClassVar[tuple[str, ...]] = ()
    """Files that it leaves in its work folder and that are kept beside its result."""

    asks_service: ClassVar[bool] = False
    """Whether its work asks a service that may be absent; checks that need it are then skipped."""

    known_exceptions: ClassVar[Mapping[str, str]] = {}
    """Checks of `adc_core.testing` that it cannot keep, by their names, each with the reason."""

    renamed_options: ClassVar[Mapping[str, str]] = {}
    """Former names of options to the present ones, for the message that refuses a former one."""

    @model_validator(mode="wrap")
    @classmethod
    def _look_up(
        cls, value: Any, build: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Self:
        if inspect.isabstract(cls):
            if isinstance(value, str):
                value = {"use": value}
            if isinstance(value, Mapping):
                return create(cls, value, info.context)
        try:
            built: Self = build(value)
        except ValidationError as error:
            raise explain(cls, error) from None
        return built

    @model_serializer
    def _with_name(self, info: SerializationInfo) -> dict[str, Any]:
        options = {
            name: getattr(self, name)
            for name, field in type(self).model_fields.items()
            if not info.exclude_defaults
            or field.is_required()
            or getattr(self, name) != field.get_default(call_default_factory=True)
        }
        return {"use": registry.name_of(type(self)), **options}

    @property
    def name(self) -> str:
        """The short name under which the component was found."""
        return _short(registry.name_of(type(self)))

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Columns that it needs as configured: those it requires, and what nested components need.

        Of a `Column` that several need, the greatest size counts.
        """
        needed = {column: column for column in self.requires}
        for name in type(self).model_fields:
            value = getattr(self, name)
            for nested in value if isinstance(value, tuple) else (value,):
                if isinstance(nested, Component):
                    for column in nested.required_columns:
                        if neighbors_of(column) >= neighbors_of(needed.get(column, "")):
                            needed[column] = column
        return tuple(needed.values())

    @property
    def provided_columns(self) -> tuple[str, ...]:
        """Columns that it adds as configured; by default those that its class adds."""
        return self.provides

    @property
    def awaited_files(self) -> tuple[str, ...]:
        """Options that name a file which may come later, so that a run begins without it."""
        return ()

    def expected_seconds(self, dataset: "Dataset") -> float | None:
        """Estimate how long the work takes on this machine, by a trial of a second.

        Returns:
            Seconds, or None where it is a matter of moments, or where nobody knows.
        """
        return None

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the result: full name, package version, options in their order.

        A file counts by its content, wherever it is.
        """
        options = self.model_dump(mode="json")
        for name in type(self).model_fields:
            path = getattr(self, name)
            if isinstance(path, Path) and path.is_file():
                options[name] = hash_file(path)
        described = {
            key: value for key, value in options.items() if key not in self.execution_options
        }
        described["version"] = registry.version_of(type(self))
        source = _source_in_work(type(self))
        return described | ({} if source is None else {"source": source})

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the component's identity."""
        return sha256(json.dumps(self.identity).encode()).hexdigest()


def create(interface: type[C], table: Mapping[str, Any], context: Any = None) -> C:
    """Build the component that a pipeline table such as `{use: simifeat, k: 10}` describes.

    Args:
        interface: what it must be: `Detector`.
        table: `use`, the name under which it is found, and its options.
        context: what its validators are given: the folder of the pipeline file.

    Raises:
        RegistryError: no name is given, or nothing is found under it.
        pydantic.ValidationError: an option is wrong.
    """
    options = dict(table)
    name = options.pop("use", None)
    if not isinstance(name, str):
        raise RegistryError(f"say which of {group_of(interface.kind)}: use: NAME")
    return registry.load(interface, name).model_validate(options, context=context)


@cache
def _source_in_work(component: type[Component]) -> str | None:
    """Hash the file of a class that is being written: no version number changes with its edits.

    None for what is installed as a whole, for first-party packages, and for notebooks, which have
    no file.
    """
    if registry.name_of(component).rpartition("/")[0] in PACKAGES:
        return None
    file = getattr(sys.modules.get(component.__module__), "__file__", None)
    if file is None or {"site-packages", "dist-packages"} & set(Path(file).parts):
        return None
    return hash_file(Path(file)) if Path(file).is_file() else None


def unique_names(components: Sequence[Component]) -> list[str]:
    """Return a distinct name for each component of a list: `simifeat`, `simifeat-2`."""
    return distinct_names([registry.name_of(type(component)) for component in components])


def distinct_names(full: Sequence[str]) -> list[str]:
    """Shorten full names such as `package/simifeat` to distinct names."""
    seen: Counter[str] = Counter()
    names = []
    for name in map(_short, full):
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _short(full: str) -> str:
    return full.rpartition("/")[2].rpartition(":")[2]


def from_the_file(path: Path, info: ValidationInfo) -> Path:
    """Resolve a path that a pipeline file gives relative to itself."""
    base = (info.context or {}).get("folder")
    return Path(base, path.expanduser()) if base else path.expanduser()


LocalPath = Annotated[Path, AfterValidator(from_the_file)]
"""A path of the user's: relative to the pipeline file where one is read, else to the process."""
