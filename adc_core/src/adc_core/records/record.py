"""The base of every record: frozen, validated at the boundary, compared by fingerprint."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from adc_core.arrays.hashing import fingerprint
from adc_core.errors import RecordErrors, explain, lines_of
from adc_core.records.display import shortened
from adc_core.records.signatures import ShowsFields, offered


class RecordType(ShowsFields):
    """The type of records, which refuse what they are made from in our own words."""

    if not TYPE_CHECKING:  # a type checker reads the parameters off the fields

        def __call__(cls, *args: Any, **fields: Any) -> Any:  # noqa: N805 (a class of classes)
            """Make a record.

            Raises:
                RecordErrors: a line for each fault of the fields.
            """
            try:
                return super().__call__(*args, **fields)
            except ValidationError as error:
                raise RecordErrors(lines_of(explain(cls, error))) from None


class Record(BaseModel, metaclass=RecordType):
    """Something that flows between components and never changes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    _known: dict[str, str] = PrivateAttr(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all fields; equal records have equal fingerprints on every machine."""
        return self.fingerprint_of(*type(self).model_fields)

    def fingerprint_of(self, *fields: str) -> str:
        """Return the SHA-256 over some fields, for work that reads only those."""
        return fingerprint({field: self.field_fingerprint(field) for field in fields})

    def field_fingerprint(self, field: str) -> str:
        """Return the SHA-256 over one field; computed once."""
        if field not in self._known:
            self._known[field] = fingerprint(getattr(self, field))
        return self._known[field]

    def remember(self, fingerprints: Mapping[str, str]) -> Self:
        """Note fields' fingerprints that are known already, as after a checked read."""
        self._known.update(fingerprints)
        return self

    def replace(self, **changes: Any) -> Self:
        """Return the same record with some fields changed, validated as a whole again."""
        fields = {field: getattr(self, field) for field in type(self).model_fields}
        return type(self)(**fields | changes)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Name the fields that there are; arrays by type and shape."""
        for field in type(self).model_fields:
            if (value := getattr(self, field)) is not None:
                yield field, shortened(value)

    def __dir__(self) -> list[str]:
        return offered(super().__dir__())

    def __str__(self) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)
