"""`adc new`: a package with one component of one's own, complete and tested, to begin from."""

import ast
import importlib.util
import keyword
import re
import secrets
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from importlib_metadata import version

from adc_core.components.command import Command
from adc_core.components.kinds import COMMANDS, KINDS
from adc_core.components.known_packages import PACKAGE_OF, PACKAGES
from adc_core.components.registry import registry
from adc_core.errors import InputError, unknown_name
from adc_core.storage.atomic import atomic_folder

_CORE = "adc-core"
_LISTENERS = "listeners"
_NEW = (*KINDS, _LISTENERS, COMMANDS)
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 30
_WIDTH = 100
_FIRST_PARTY = PACKAGES | {_CORE, "adc-suite", "adc-endpoint"}
_PROMISES = "promises"


class NewCommand(Command):
    """Write a package with a component of your own: code, tests, README, workflow."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("kind", help=f"one of {', '.join(map(_singular, _NEW))}")
        parser.add_argument("name", help="of the component and of its package: my-detector")
        parser.add_argument(
            "--into",
            type=Path,
            default=Path(),
            metavar="FOLDER",
            help="where to make the package's folder; by default here",
        )

    def run(self, arguments: Namespace) -> int:
        """Write the package, and say what to type next."""
        kind = _kind(arguments.kind)
        made = package_files(kind, arguments.name)
        folder = arguments.into / arguments.name
        if folder.exists() or folder.is_symlink():
            raise InputError(f"{folder} already exists: choose another name, or remove it")
        part = arguments.into / f".{arguments.name}.{secrets.token_hex(4)}"
        with atomic_folder(folder, part):
            for path, text in made.items():
                (part / path).parent.mkdir(parents=True, exist_ok=True)
                (part / path).write_text(text, encoding="utf-8")
        print(f"{folder} is a package with the {_singular(kind)} {arguments.name}. Next:")
        third = {_LISTENERS: "python -m pytest", COMMANDS: f"adc {arguments.name} --help"}
        check = third.get(kind, f"adc check {kind} {arguments.name}")
        for line in (f"cd {folder}", "pip install -e .", check):
            print(f"  {line}")
        return 0


def package_files(kind: str, name: str) -> dict[str, str]:
    """Fill the templates of a kind; return path to text of each file of the package.

    Raises:
        InputError: the name is of another form, or somebody else's.
    """
    one, module = _singular(kind), name.replace("-", "_")
    _check_name(kind, name, module)
    component = "".join(word.capitalize() for word in name.split("-"))
    words = {"name": name, "module": module, "component": component, "kind": kind, "one": one}
    code = _filled(kind, "component", words)
    tree = ast.parse(code)
    _check_class(component, tree)
    exports = [component, *(n.name for n in tree.body if isinstance(n, ast.FunctionDef))]
    exports = [export for export in exports if not export.startswith("_")]
    words |= {
        "summary": _summary_of(component, tree),
        "dependencies": ", ".join(f'"{one}"' for one in _dependencies(tree)),
        "reexport": _import(f"{module}.{one}", exports),
        "own": _import(module, exports),
        "exported": ", ".join(f'"{export}"' for export in exports),
        "use": _filled(kind, "use", words),
        _PROMISES: _filled("shared", _PROMISES, words),
    }
    source = f"src/{module}"
    return {
        "pyproject.toml": _filled("shared", "pyproject", words),
        "README.md": _filled("shared", "readme", words),
        ".gitignore": _filled("shared", "gitignore", words),
        ".github/workflows/checks.yml": _filled("shared", "workflow", words),
        f"{source}/__init__.py": _filled("shared", "init", words),
        f"{source}/{one}.py": code,
        f"{source}/py.typed": "",
        f"tests/test_{module}.py": _filled(kind, "test", words),
    }


def _kind(word: str) -> str:
    """Return the kind that a word names, in the singular or the plural."""
    found = next((kind for kind in _NEW if word in (kind, _singular(kind))), None)
    if found is None:
        raise InputError(unknown_name("kind", word, map(_singular, _NEW)))
    return found


def _singular(kind: str) -> str:
    return kind.removesuffix("s")


def _check_name(kind: str, name: str, module: str) -> None:
    """Refuse names that could not be installed, or that hide what is installed."""
    if not _NAME.fullmatch(name):
        raise InputError(f'"{name}" is no name: use small letters, digits and hyphens: my-detector')
    if len(name) > _LONGEST:
        raise InputError(f'"{name}" has {len(name)} letters: use at most {_LONGEST}')
    owner = PACKAGE_OF.get((kind, name))
    if owner is None and kind == COMMANDS:
        offering = [one.package for one in registry.entries(COMMANDS) if one.name == name]
        owner = next(iter(offering), None)
    if owner is not None:
        raise InputError(f'{owner} already has the {_singular(kind)} "{name}": choose another name')
    if name in _FIRST_PARTY:
        raise InputError(f'"{name}" is a package of ADC itself: choose another name')
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or _is_installed(module):
        raise InputError(f'"{module}" is already a module of Python: choose another name')


def _is_installed(module: str) -> bool:
    """Say whether a module of this name can be imported; folders without code do not count."""
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.origin is not None


def _check_class(component: str, tree: ast.Module) -> None:
    """Refuse a class that is called like something that the code uses."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if component in used or sum(getattr(node, "name", "") == component for node in tree.body) > 1:
        raise InputError(
            f"the class would be called {component}, as another thing is in its code: "
            "choose another name"
        )


def _filled(kind: str, part: str, words: Mapping[str, str]) -> str:
    template = files("adc_core.cli") / "templates" / kind / f"{part}.txt"
    return Template(template.read_text(encoding="utf-8")).substitute(words)


def _summary_of(component: str, tree: ast.Module) -> str:
    (found,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == component)
    return (ast.get_docstring(found) or "").partition("\n")[0]


def _dependencies(tree: ast.Module) -> list[str]:
    """Name what the code imports, with the core's version that it is written for."""
    nodes = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = [
        name
        for node in nodes
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    ]
    tops = {str(name).partition(".")[0] for name in modules}
    others = sorted(tops - {"adc_core", *sys.stdlib_module_names})
    return [f"{_CORE}~={version(_CORE)}", *others]


def _import(module: str, names: list[str]) -> str:
    """Write an import as the formatter would: in one line, or else one line for each name."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])
