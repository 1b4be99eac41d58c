"""`adc doctor`: what is broken is named with what to do, and nothing secret is shown."""

import pytest

from adc_core.cli import examinations, main
from adc_core.cli.examinations import State
from adc_core.components.registry import Registry, installed_entries


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """Installs a package of somebody else's where this process looks, and shows it alone."""

    def install(points, requires=(), source=""):
        folder = tmp_path / "acme-1.0.dist-info"
        folder.mkdir()
        lines = ["Name: acme", "Version: 1.0", *(f"Requires-Dist: {one}" for one in requires)]
        (folder / "METADATA").write_text("\n".join(lines) + "\n")
        (folder / "entry_points.txt").write_text(points)
        (tmp_path / "acme_plugin.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        registry = Registry(installed_entries)
        monkeypatch.setattr(examinations, "registry", registry)
        return registry

    return install


def of(state, found):
    return [(one.subject, one.finding, one.remedy) for one in found if one.state is state]


def test_a_sound_installation(capsys):
    assert main(["doctor", "--fast"]) == 0
    said = capsys.readouterr().out
    assert "ok     adc-core: 0.1.0" in said
    assert said.endswith("nothing is broken\n")


def test_a_component_that_cannot_be_imported(acme):
    registry = acme("[adc.detectors]\nquiet = acme_plugin:Quiet\n", source="1 / 0\n")
    entries = [entry for entry in registry.entries("detectors") if entry.package == "acme"]
    registry._discover = lambda: entries
    ((subject, finding, remedy),) = of(State.BROKEN, examinations.of_components())
    assert subject == "detectors quiet"
    assert "ZeroDivisionError" in finding and "acme 1.0" in finding
    assert remedy == "install acme again, or tell its authors"


def test_what_is_no_component(acme):
    registry = acme("[adc.detectors]\nquiet = acme_plugin:Quiet\n", source="class Quiet: ...\n")
    entries = [entry for entry in registry.entries("detectors") if entry.package == "acme"]
    registry._discover = lambda: entries
    ((_, finding, _),) = of(State.BROKEN, examinations.of_components())
    assert finding == "acme_plugin:Quiet of acme 1.0 is not a Detector"


def test_what_a_package_needs_and_lacks(acme):
    acme(
        "[adc.detectors]\nquiet = acme_plugin:Quiet\n",
        requires=["numpy", "surely-nothing>=2", "other; extra == 'more'"],
    )
    assert of(State.BROKEN, examinations.of_packages()) == [
        ("acme", "needs surely-nothing>=2", "pip install 'surely-nothing>=2'")
    ]


def test_a_package_for_another_core(acme):
    registry = acme("[adc.detectors]\nquiet = acme_plugin:Quiet\n", requires=["adc-core~=7.0"])
    assert of(State.BROKEN, examinations.of_packages()) == [
        (
            "acme",
            "acme 1.0 is for adc-core~=7.0 and this is adc-core 0.1.0",
            "pip install --upgrade acme adc-core",
        )
    ]
    entries = [entry for entry in registry.entries("detectors") if entry.package == "acme"]
    registry._discover = lambda: entries
    assert of(State.BROKEN, examinations.of_components()) == []


def test_a_name_that_two_packages_offer(acme):
    acme("[adc.detectors]\nsimifeat = acme_plugin:Quiet\n")
    ((subject, finding, remedy),) = of(State.NOTE, examinations.of_names())
    assert subject == "adc.detectors simifeat"
    assert finding in (
        "offered by acme and adc-plugins-detect",
        "offered by adc-plugins-detect and acme",
    )
    assert "write " in remedy and "acme/simifeat" in remedy


def test_packages_of_different_versions(monkeypatch):
    packages = examinations.installed_packages() | {"adc-plugins-detect": "0.2.0"}
    monkeypatch.setattr(examinations, "installed_packages", lambda: packages)
    ((_, finding, remedy),) = of(State.BROKEN, examinations.of_packages())
    assert finding == "packages of ADC are of different versions: 0.1.0, 0.2.0"
    assert "adc-suite[all]" in remedy


def test_extras_that_are_not_there(monkeypatch):
    packages = examinations.installed_packages()
    packages.pop("timm", None)
    monkeypatch.setattr(examinations, "installed_packages", lambda: packages)
    found = of(State.NOTE, examinations.of_extras())
    assert (
        "adc-plugins-learn[timm]",
        "timm not installed",
        "where you want it: pip install 'adc-plugins-learn[timm]'",
    ) in found


def test_variables_are_named_and_their_values_are_not(monkeypatch):
    monkeypatch.setenv("BRAVE_API_KEY", "very-secret")
    (one,) = examinations.of_environment()
    assert "BRAVE_API_KEY" in one.finding
    assert "very-secret" not in str(one)


def test_weights_that_were_downloaded(tmp_path, monkeypatch):
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "weights.pth").write_bytes(b"0" * 3_000_000)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "nowhere"))
    found = {one.subject: one.finding for one in examinations.of_caches()}
    assert found["torch weights"] == f"3 MB in {tmp_path}"
    assert "Hugging Face models" not in found


def test_little_room_is_said(monkeypatch):
    monkeypatch.setattr(examinations, "_LITTLE", 1 << 60)
    ((subject, _, remedy),) = of(State.NOTE, examinations.of_python())
    assert (subject, remedy) == ("disk", "make room: collections and checkpoints need it")


def test_a_device_is_found():
    found = list(examinations.of_device())
    assert found and not of(State.BROKEN, found)
