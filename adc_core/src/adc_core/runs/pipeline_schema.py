"""The JSON schema of pipeline files, with every installed component and its options."""

import inspect
import warnings
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from adc_core.components.component import Component
from adc_core.components.interfaces import interface_of
from adc_core.components.registry import Entry, RegistryError, registry
from adc_core.runs.pipeline import Pipeline

_KIND = "x-adc-kind"
"""Where a field takes a component: replaced by a reference to all of the kind."""


def pipeline_schema() -> dict[str, Any]:
    """Describe pipeline files for editors: names, options, defaults and ranges.

    Every component is imported. One that cannot be is left out with a warning. What only a
    validator knows, such as options that exclude each other, is not part of it; what it accepts
    beyond a field's type is not refused.
    """
    found = Pipeline.model_json_schema(schema_generator=_Schema)
    definitions: dict[str, Any] = found.pop("$defs", {})
    described: set[str] = set()
    while kinds := _kinds_in([found, definitions]) - described:
        for kind in sorted(kinds):
            definitions |= _of_kind(kind)
        described |= kinds
    whole: dict[str, Any] = _referring(found | {"$defs": dict(sorted(definitions.items()))})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | whole


def _of_kind(kind: str) -> dict[str, Any]:
    """Describe each component of a kind, and under the kind's own name their union."""
    definitions: dict[str, Any] = {}
    entries = registry.entries(kind)
    names: list[str] = []
    for entry in entries:
        try:
            component = registry.load(interface_of(kind), entry.full_name)
        except RegistryError as error:
            warnings.warn(f"left out: {error}", stacklevel=2)
            continue
        alone = sum(other.name == entry.name for other in entries) == 1
        allowed = [entry.name, entry.full_name] if alone else [entry.full_name]
        definitions |= _of_component(entry, component, allowed)
        names += allowed
    tables = [{"$ref": f"#/$defs/{name}"} for name in definitions if "." not in name]
    short = {"enum": names, "description": f"one of {kind}, with its default options"}
    return definitions | {kind: {"anyOf": [short, *tables]}}


def _of_component(entry: Entry, component: type[Component], allowed: list[str]) -> dict[str, Any]:
    """Describe one component, and under names of its own what its options refer to."""
    found = component.model_json_schema(schema_generator=_Schema)
    name = f"{entry.kind}:{entry.package}:{entry.name}"
    own = {f"{name}.{key}": value for key, value in found.pop("$defs", {}).items()}
    use = {"enum": allowed, "description": (inspect.getdoc(component) or "").partition("\n")[0]}
    found["properties"] = {"use": use} | found.get("properties", {})
    found["required"] = ["use", *found.get("required", ())]
    renamed: dict[str, Any] = _renamed({name: found} | own, name)
    return renamed


def _kinds_in(schema: Any) -> set[str]:
    """Collect the kinds of the components that are asked for."""
    if isinstance(schema, list):
        return set().union(*map(_kinds_in, schema))
    if not isinstance(schema, dict):
        return set()
    if isinstance(kind := schema.get(_KIND), str):
        return {kind}
    return set().union(*map(_kinds_in, schema.values()))


def _referring(schema: Any) -> Any:
    """Let what asks for a component refer to its kind."""
    if isinstance(schema, list):
        return [_referring(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if _KIND in schema:
        return {"$ref": f"#/$defs/{schema[_KIND]}"}
    return {key: _referring(value) for key, value in schema.items()}


def _renamed(schema: Any, within: str) -> Any:
    """Let references lead to the definitions under their longer names."""
    if isinstance(schema, list):
        return [_renamed(one, within) for one in schema]
    if not isinstance(schema, dict):
        return schema
    start = "#/$defs/"
    return {
        key: f"{start}{within}.{value.removeprefix(start)}"
        if key == "$ref" and isinstance(value, str)
        else _renamed(value, within)
        for key, value in schema.items()
    }


class _Schema(GenerateJsonSchema):
    """Describes components by their kind, and takes anything where only a validator knows more."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Describe a model; of an interface, only which kind it is."""
        kind = schema["cls"]
        if issubclass(kind, Component) and inspect.isabstract(kind):
            return {_KIND: kind.kind}
        return super().model_schema(schema)

    def handle_invalid_for_json_schema(
        self, schema: core_schema.CoreSchema, error_info: str
    ) -> JsonSchemaValue:
        """Take anything where JSON has no such type."""
        return {}
