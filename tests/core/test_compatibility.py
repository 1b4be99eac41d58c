"""A package that was written for another core is refused by one line, before its import."""

import warnings

import pytest

from adc_core import Detector
from adc_core.components.compatibility import fits
from adc_core.components.registry import Registry, RegistryError, installed_entries
from adc_core.runs.listeners import installed_listeners

DETECTOR = '''
import numpy as np
from adc_core import Detector, Findings


class Mine(Detector):
    """Flags nothing."""

    def detect(self, dataset):
        return Findings(ids=dataset.ids, suspicion=np.zeros(len(dataset)))


class Ear:
    pass
'''


@pytest.mark.parametrize(
    ("here", "clauses", "fit"),
    [
        ("0.1.0", "~=0.1.0", True),
        ("0.1.7", "~=0.1.0", True),
        ("0.2.0", "~=0.1.0", False),
        ("0.1.0", "~=0.1.1", False),
        ("1.4", "~=1.2", True),
        ("2.0", "~=1.2", False),
        ("0.1.0", ">=0.1,<0.2", True),
        ("0.2.0", ">=0.1,<0.2", False),
        ("0.1", "==0.1.0", True),
        ("0.1.5", "==0.1.*", True),
        ("0.2.5", "==0.1.*", False),
        ("0.1.0", "!=0.1.0", False),
        ("0.1.0", ">0.1", False),
        ("0.1.0", "<=0.1", True),
        ("0.2.0.dev3", ">=0.2", True),
        ("0.1.0", "", True),
        ("0.1.0", "===weird", True),
    ],
)
def test_versions_are_compared_as_pip_does(here, clauses, fit):
    assert fits(here, clauses.split(",")) is fit


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """Installs a stranger's package that requires a version of the core."""

    def install(requirement, source=DETECTOR):
        folder = tmp_path / "acme_adc-2.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Name: acme-adc\nVersion: 2.0\nRequires-Dist: numpy\nRequires-Dist: {requirement}\n"
            '\nRequires-Dist: adc-core==77 ; extra == "text"\n'
        )
        (folder / "entry_points.txt").write_text(
            "[adc.detectors]\nmine = acme_of_another_core:Mine\n"
            "[adc.listeners]\near = acme_of_another_core:Ear\n"
        )
        (tmp_path / "acme_of_another_core.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        return Registry(installed_entries)

    return install


@pytest.mark.parametrize(
    ("requirement", "shown"),
    [
        ("adc-core~=7.0", "~=7.0"),
        ("adc_core (<0.1)", "<0.1"),
        ("adc-core[completion]>=3 ; python_version > '3'", ">=3"),
    ],
)
def test_another_core_is_refused_before_the_import(acme, requirement, shown):
    registry = acme(requirement, source="raise SystemExit('imported')")
    with pytest.raises(RegistryError) as refused:
        registry.load(Detector, "mine")
    assert str(refused.value) == (
        f"acme-adc 2.0 is for adc-core{shown} and this is adc-core 0.1.0: "
        "pip install --upgrade acme-adc adc-core"
    )


@pytest.mark.parametrize(
    "requirement", ["adc-core~=0.1.0", "adc-core", "adc-core>=9 ; extra == 'new'", "adc-core-x>9"]
)
def test_what_fits_is_imported(acme, requirement):
    assert acme(requirement).load(Detector, "mine").__name__ == "Mine"


def test_a_listener_for_another_core_is_left_out(acme):
    acme("adc-core~=7.0")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert "acme-adc/ear" not in installed_listeners().names
    assert str(told[0].message) == (
        "listener acme-adc/ear is left out: acme-adc 2.0 is for adc-core~=7.0 and this is "
        "adc-core 0.1.0: pip install --upgrade acme-adc adc-core"
    )
