"""The plan of the house: rooms import downwards, without circles; packages meet at faces."""

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {path.name: path for path in sorted(ROOT.glob("adc_*/src/adc_*"))}

PLUGINS = [package for name, package in SOURCES.items() if name != "adc_core"]
"""Those that reach the others by their faces; `adc_endpoint` is a library of theirs."""

CORE_ROOMS = (
    "errors",
    "arrays",
    "images",
    "records",
    "storage",
    "components",
    "testing",
    "reporting",
    "runs",
    "cli",
)
"""The rooms of the core, lowest first: each imports only those before it."""


def module_of(path: Path, package: Path) -> str:
    parts = (package.name, *path.relative_to(package).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> list[tuple[str, str]]:
    """Every (module, name) that a file imports, in functions too."""
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
    return found


def arrows(package: Path) -> dict[str, set[str]]:
    """Module of a package to the modules of the same package that it imports."""
    files = {module_of(path, package): path for path in package.rglob("*.py")}
    found: dict[str, set[str]] = {module: set() for module in files}
    for module, path in files.items():
        for origin, name in imports_of(path):
            target = f"{origin}.{name}" if f"{origin}.{name}" in files else origin
            if target in files and target != module:
                found[module].add(target)
    return found


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """A circle of imports, or nothing."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph.get(node, ())):
            if circle := walk(following, [*path, node]):
                return circle
        done.add(node)
        return []

    return next((circle for node in sorted(graph) if (circle := walk(node, []))), [])


def room_of(module: str) -> str:
    """The folder of a module, or itself where it is a file at the top of its package."""
    return module.split(".")[1] if "." in module else ""


def rooms(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same arrows between rooms; the face of a package is none."""
    found: dict[str, set[str]] = {}
    for module, targets in graph.items():
        inner = {room_of(target) for target in targets} - {room_of(module), ""}
        found.setdefault(room_of(module), set()).update(inner)
    return found


def test_rooms_of_the_core_import_downwards_only():
    graph = rooms(arrows(SOURCES["adc_core"]))
    assert set(graph) == {"", *CORE_ROOMS}
    upward = {
        (room, other)
        for room, others in graph.items()
        if room
        for other in others
        if CORE_ROOMS.index(other) > CORE_ROOMS.index(room)
    }
    assert not upward
    assert not {"runs", "reporting", "cli"} & graph["testing"]


@pytest.mark.parametrize("package", SOURCES.values(), ids=SOURCES)
def test_there_is_no_import_circle(package):
    graph = arrows(package)
    assert circle_in(graph) == []
    assert circle_in(rooms(graph)) == []


def public_names(package: Path) -> set[tuple[str, str]]:
    """Every (module, name) in an `__all__` of a package."""
    found = set()
    for path in [*package.rglob("*.py"), *package.rglob("*.pyi")]:
        for node in tree_of(path).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and node.targets[0].id == "__all__"
            ):
                names = ast.literal_eval(node.value)
                found.update((module_of(path, package), name) for name in names)
    return found


@pytest.mark.parametrize("package", PLUGINS, ids=lambda package: package.name)
def test_packages_import_only_from_faces(package):
    faces = {name for other in SOURCES.values() for name in public_names(other)}
    outside = {
        (path.name, origin, name)
        for path in package.rglob("*.py")
        for origin, name in imports_of(path)
        if origin.split(".")[0] in SOURCES
        and origin.split(".")[0] != package.name
        and (origin, name) not in faces
    }
    assert not outside


def manifest_of(package: Path) -> dict:
    return tomllib.loads((package.parents[1] / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("package", PLUGINS, ids=lambda package: package.name)
def test_a_component_folder_holds_components_and_nothing_else(package):
    for group, entries in manifest_of(package).get("entry-points", {}).items():
        if group == "adc.kinds":
            continue  # interfaces, which stand beside what uses them
        folder = package / group.removeprefix("adc.")
        named = {target.partition(":")[0].rpartition(".")[2] for target in entries.values()}
        assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == named


def test_only_rehearse_depends_on_another_plugin_package():
    depending = {
        package.name
        for package in SOURCES.values()
        for dependency in manifest_of(package)["dependencies"]
        if dependency.startswith("adc-plugins-")
    }
    assert depending <= {"adc_plugins_rehearse"}
