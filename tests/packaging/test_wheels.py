"""Each wheel builds, holds what it should, and works with nothing but the core beside it."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from importlib_metadata import distribution
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.install

ROOT = Path(__file__).parents[2]

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names), "torch" in sys.modules)
"""


NEEDS = {
    "adc_plugins_ask": ("adc_endpoint",),
    "adc_plugins_search": ("adc_endpoint",),
    "adc_plugins_rehearse": ("adc_endpoint", "adc_plugins_search"),
}
"""What a package imports beside the core."""


@pytest.mark.parametrize(
    ("name", "torch"),
    [
        ("adc_core", False),
        ("adc_endpoint", False),
        ("adc_plugins_search", False),
        ("adc_plugins_detect", False),
        ("adc_plugins_learn", True),
        ("adc_plugins_publish", False),
        ("adc_plugins_rehearse", False),
        ("adc_plugins_review", False),
        ("adc_plugins_compare", False),
        ("adc_plugins_ask", False),
    ],
)
def test_each_imports_alone(installed, environment, name, torch):
    alone = environment("dependencies")
    beside = {"adc_core", *NEEDS.get(name, ())}
    alone.show(installed, *(beside | {name}))
    modules, has_torch = alone.run("-c", IMPORT_ALL, name).stdout.split()
    assert int(modules) > 5
    assert has_torch == str(torch)


def test_wheels_hold_the_package_and_nothing_else(wheels):
    for name, wheel in wheels.items():
        files = ZipFile(wheel).namelist()
        tops = {file.partition("/")[0] for file in files}
        assert all(top == name or top.endswith(".dist-info") for top in tops), tops
        if name != ".":
            assert f"{name}/py.typed" in files
    publish = ZipFile(wheels["adc_plugins_publish"]).namelist()
    assert "adc_plugins_publish/html_report/page.html.j2" in publish
    detect = ZipFile(wheels["adc_plugins_detect"]).namelist()
    for suffix in ("safetensors", "yaml"):
        assert f"adc_plugins_detect/weights/lstm_dynamics.{suffix}" in detect


def needed_by(*names):
    """The distributions that these need, they too, by the metadata of what is installed here."""
    found, left = set(), list(names)
    while left:
        name = canonicalize_name(left.pop())
        if name not in found:
            found.add(name)
            needs = [Requirement(text) for text in distribution(name).requires or ()]
            left += [
                need.name
                for need in needs
                if need.marker is None or need.marker.evaluate({"extra": ""})
            ]
    return found


def test_detection_installs_from_its_folder_without_torch(environment):
    """The folders are built in isolation; what pip then misses, `pip check` would name."""
    own = {"adc-core", "adc-plugins-detect"}
    needed = needed_by(*own)
    assert {"numpy", "scikit-learn"} < needed and "torch" not in needed
    empty = environment(needed - own)
    empty.install("--no-compile", ROOT / "adc_core", ROOT / "adc_plugins_detect")
    installed = {line.split()[0] for line in empty.pip("list").splitlines()[2:]}
    assert {canonicalize_name(name) for name in installed} == needed
    empty.pip("check")
    listed, _ = empty.adc_in_turn(("list", "detectors"), ("check", "detectors", "simifeat"))
    assert "adc-plugins-detect" in listed
    code = (
        "import numpy as np\n"
        "from adc_plugins_detect import confident_learning\n"
        "labels = np.array([0, 0, 1, 1, 0, 1])\n"
        "probabilities = np.array([[.9, .1], [.8, .2], [.1, .9], [.2, .8], [.1, .9], [.3, .7]])\n"
        "print(confident_learning(labels, probabilities).flagged.sum())"
    )
    assert empty.run("-c", code).stdout == "1\n"
