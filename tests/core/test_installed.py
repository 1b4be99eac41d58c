"""Broken metadata of packages: named and left out, whoever's they are."""

import os
import subprocess
import sys

import pytest

from adc_core.components.installed import installed_packages

DETECTOR = """
from adc_core import Detector

class Quiet(Detector):
    '''Finds nothing.'''

    def detect(self, dataset):
        raise AssertionError
"""


def dist(site, name, metadata, entry_points=""):
    folder = site / name
    folder.mkdir(parents=True)
    if metadata is not None:
        (folder / "METADATA").write_bytes(metadata)
    if entry_points:
        (folder / "entry_points.txt").write_text(entry_points)
    return folder


def adc(site, *words):
    paths = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "adc_core.cli", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
        cwd=str(site).partition(os.pathsep)[0],
    )


PLUGIN = "[adc.detectors]\nquiet = quiet_plugin:Quiet\n"


@pytest.mark.parametrize(
    ("name", "metadata", "entry_points"),
    [
        ("acme-1.0.dist-info", None, PLUGIN),
        ("acme-1.0.dist-info", b"Metadata-Version: 2.1\n", PLUGIN),
        ("acme-1.0.dist-info", b"Metadata-Version: 2.1\nName: acme\n", PLUGIN),
        ("acme-1.0.dist-info", b"Name: \xff\xfe\x00", PLUGIN),
        ("other-1.0.dist-info", b"Name: other\nVersion: 1.0\n", "[console_scripts]\nno equals\n"),
    ],
)
def test_a_broken_package_is_named_and_left_out(tmp_path, name, metadata, entry_points):
    folder = dist(tmp_path, name, metadata, entry_points)
    (tmp_path / "quiet_plugin.py").write_text(DETECTOR)
    done = adc(tmp_path, "list", "detectors")
    assert done.returncode == 0
    assert "quiet" not in done.stdout
    assert "simifeat" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"adc: warning: {folder} is left out, its metadata are broken (")
    assert line.endswith("): install that package again, or remove the folder")


def test_what_an_interrupted_installation_leaves_does_not_stop_a_run(tmp_path):
    folder = dist(tmp_path, "~orch-2.0.dist-info", None)
    (tmp_path / "y.csv").write_text("label\n" + "0\n1\n" * 20)
    (tmp_path / "p.yaml").write_text("dataset: y.csv\nsimulators: [{use: symmetric, rate: 0.2}]\n")
    done = adc(tmp_path, "run", "p.yaml")
    assert (done.returncode, done.stdout) == (0, "report: runs/p/report.html\n")
    assert f"{folder} is left out" in done.stderr


def test_only_the_headers_say_who_a_package_is(tmp_path, monkeypatch):
    """Wheels' metadata and eggs', with any end of line; a description may show other headers."""
    before = installed_packages()
    description = b"\nName: somebody\nVersion: 9\n"
    dist(tmp_path, "acme-1.0.dist-info", b"Name: Acme_Tools\nVersion:  1.0 \n" + description)
    dist(tmp_path, "rival-2.0.dist-info", b"Version: 2.0\r\nName: rival\r\n")
    (dist(tmp_path, "old.egg-info", None) / "PKG-INFO").write_bytes(
        b"Name: old.egg\nVersion: 0.3\n" + description
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = installed_packages()
    new = {"acme-tools": "1.0", "rival": "2.0", "old-egg": "0.3"}
    assert found == dict(sorted((before | new).items()))


def test_the_first_of_two_installations_counts(tmp_path):
    for place, version in (("one", "1.0"), ("two", "2.0")):
        dist(
            tmp_path / place,
            f"acme-{version}.dist-info",
            f"Name: acme\nVersion: {version}\n".encode(),
            PLUGIN,
        )
    done = adc(f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}", "list", "detectors")
    assert done.stdout.count("acme 1.0") == 1
    assert "acme 2.0" not in done.stdout


def test_a_command_with_the_name_of_a_built_in_one_is_left_out(tmp_path):
    dist(
        tmp_path,
        "acme-1.0.dist-info",
        b"Name: acme\nVersion: 1.0\n",
        "[adc.commands]\nlist = quiet_plugin:Quiet\n",
    )
    done = adc(tmp_path, "list", "detectors")
    assert done.returncode == 0
    assert done.stderr == (
        'adc: warning: the command "list" of acme is left out: it has the name of a built-in '
        "command\n"
    )


def test_a_command_that_two_packages_offer_has_the_name_of_each_before_it(tmp_path):
    for package in ("acme", "rival"):
        metadata = f"Name: {package}\nVersion: 1.0\n".encode()
        points = f"[adc.commands]\nexport = {package}_plugin:Quiet\n"
        dist(tmp_path, f"{package}-1.0.dist-info", metadata, points)
        (tmp_path / f"{package}_plugin.py").write_text(
            "from adc_core import Command\n\n\nclass Quiet(Command):\n"
            "    def add_arguments(self, parser): ...\n"
            f"    def run(self, arguments): print({package!r})\n"
        )
    done = adc(tmp_path, "export")
    assert done.returncode == 2
    assert done.stderr.startswith('adc: several packages offer "export": use ')
    for package in ("acme", "rival"):
        assert f'"{package}/export"' in done.stderr
        assert adc(tmp_path, f"{package}/export").stdout == f"{package}\n"


def test_a_command_that_is_not_a_command_is_refused(tmp_path):
    points = "[adc.commands]\nquiet = quiet_plugin:Quiet\n"
    dist(tmp_path, "acme-1.0.dist-info", b"Name: acme\nVersion: 1.0\n", points)
    (tmp_path / "quiet_plugin.py").write_text("class Quiet: pass\n")
    done = adc(tmp_path, "quiet")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "adc: quiet_plugin:Quiet of acme 1.0 is not a Command: derive it from adc_core.Command\n"
    )


@pytest.mark.parametrize("words", [("show", "detectors", "quiet"), ("check", "detectors", "quiet")])
def test_a_plugin_that_exits_when_it_is_imported_is_a_fault(tmp_path, words):
    dist(tmp_path, "acme-1.0.dist-info", b"Name: acme\nVersion: 1.0\n", PLUGIN)
    (tmp_path / "quiet_plugin.py").write_text("import sys; sys.exit(0)")
    done = adc(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "adc: quiet_plugin:Quiet of acme 1.0 cannot be imported: SystemExit(0)\n"
    )


def test_a_source_that_python_cannot_parse_has_no_summary(tmp_path):
    dist(tmp_path, "acme-1.0.dist-info", b"Name: acme\nVersion: 1.0\n", PLUGIN)
    (tmp_path / "quiet_plugin.py").write_text("x = " + "(" * 50_000)
    done = adc(tmp_path, "list", "detectors")
    assert (done.returncode, done.stderr) == (0, "")
    assert "quiet" in done.stdout


SPEAKERS = """
from abc import abstractmethod
from typing import ClassVar

from adc_core import Component

class Speaker(Component):
    kind: ClassVar[str] = "speakers"

    @abstractmethod
    def say(self):
        ...

class Loud(Speaker):
    '''Says it loudly.'''

    def say(self):
        return "HERE"
"""
BRINGS = "[adc.kinds]\nspeakers = speakers:{interface}\n[adc.speakers]\nloud = speakers:Loud\n"


@pytest.mark.parametrize("interface", ["Speaker", "BRINGS"])
def test_a_package_may_bring_a_kind_of_its_own(tmp_path, interface):
    about = b"Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n"
    dist(tmp_path, "acme-1.0.dist-info", about, BRINGS.format(interface=interface))
    (tmp_path / "speakers.py").write_text(SPEAKERS + "\nBRINGS = 1\n")
    listed = adc(tmp_path, "list", "speakers")
    assert listed.stdout == "speakers  loud  acme 1.0  Says it loudly.\n"
    shown = adc(tmp_path, "show", "speakers", "loud")
    checked = adc(tmp_path, "check", "speakers", "loud")
    if interface == "Speaker":
        assert shown.stdout.startswith("acme/loud\n\nSays it loudly.\n")
        assert checked.returncode == 0
        assert "kept    check_is_frozen" in checked.stdout
    else:
        reason = "speakers:BRINGS of acme 1.0 is not the interface of speakers: set its `kind`"
        assert reason in shown.stderr
        assert shown.returncode == 2
    other = adc(tmp_path, "list", "speaker")
    assert 'did you mean "speakers"?' in other.stderr
