"""The first docstring line of a component, read from its source without importing it."""

import ast
from importlib.util import find_spec
from pathlib import Path

from adc_core.components.registry import Entry


def summary_of(entry: Entry) -> str:
    """Read the first docstring line of the class that an entry names; empty if there is none."""
    module, _, name = entry.target.partition(":")
    source = _source_of(module)
    if source is None:
        return ""
    try:
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def _source_of(module: str) -> Path | None:
    """Find the file of a module; only its top-level name is looked up, which imports nothing."""
    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin else None
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, *rest)
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None
