"""Strangers' packages, built and installed for real: a bad one hurts only whoever names it."""

import numpy as np
import pytest

pytestmark = pytest.mark.install

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "2.0"
requires-python = ">=3.11"
dependencies = ["adc-core~=0.1.0"]

[project.entry-points."adc.{group}"]
{entry} = "{module}:{target}"

[tool.hatch.build.targets.wheel]
only-include = ["{module}.py"]
"""

DETECTOR = '''
from typing import ClassVar

import numpy as np
from adc_core import Column, Detector, Findings


class Mine(Detector):
    """Flags what most neighbors contradict."""

    requires: ClassVar = (Column("neighbors", k=5),)

    def detect(self, dataset):
        nearest, _ = dataset.neighbors.first(5)
        against = (dataset.labels[nearest] != dataset.labels[:, None]).mean(axis=1)
        return Findings(ids=dataset.ids, suspicion=against, flagged=against > 0.5)
'''

STRANGERS = {
    # name: group, entry name, code of its module
    "acme-good": ("detectors", "majority", DETECTOR),
    "acme-broken": ("detectors", "broken", "import nonexistent_thing\n" + DETECTOR),
    "acme-impostor": ("detectors", "impostor", "class Mine:\n    '''Only looks like one.'''\n"),
    "acme-rival": ("detectors", "simifeat", DETECTOR),
    "acme-misspelt": (
        "listeners",
        "tracker",
        "from adc_core import hookimpl\n\n\nclass Mine:\n    @hookimpl\n"
        "    def adc_stage_begun(self, stage):\n        pass\n",
    ),
    "acme-tracker": (
        "listeners",
        "broken-tracker",
        "import nonexistent_thing\n\n\nclass Mine:\n    pass\n",
    ),
}


@pytest.fixture(scope="module")
def strangers(tmp_path_factory, wheel_of):
    folder = tmp_path_factory.mktemp("strangers")
    built = []
    for name, (group, entry, code) in STRANGERS.items():
        module = name.replace("-", "_")
        source = folder / name
        source.mkdir()
        (source / f"{module}.py").write_text(code)
        (source / "pyproject.toml").write_text(
            PYPROJECT.format(name=name, group=group, entry=entry, module=module, target="Mine")
        )
        built.append(wheel_of(source, folder))
    return built


@pytest.fixture(scope="module")
def crowded(strangers, environment):
    crowd = environment("everything")
    crowd.install("--no-index", *strangers)
    return crowd


def test_strangers_hurt_only_whoever_names_them(crowded, tmp_path):
    listed = [
        " ".join(line.split()) for line in crowded.adc("list", "detectors").stdout.splitlines()
    ]
    for beginning in (
        "detectors broken acme-broken 2.0 Flags what most neighbors contradict.",
        "detectors impostor acme-impostor 2.0 Only looks like one.",
        "detectors majority acme-good 2.0 Flags what most neighbors contradict.",
        "detectors simifeat acme-rival 2.0 Flags what most neighbors contradict.",
        "detectors simifeat adc-plugins-detect 0.1.0 ",
    ):
        assert any(line.startswith(beginning) for line in listed), beginning
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text(
        "dataset: d\ndetectors: [broken, impostor, simifeat, majoriti, acme-adc/quantum]\n"
    )
    wrong = crowded.adc("check", pipeline, code=2)
    assert wrong.stderr.replace(str(tmp_path), "DIR").splitlines() == [
        "adc: DIR/p.yaml: detectors.0: acme_broken:Mine of acme-broken 2.0 cannot be imported: "
        "ModuleNotFoundError(\"No module named 'nonexistent_thing'\")",
        "adc: DIR/p.yaml: detectors.1: acme_impostor:Mine of acme-impostor 2.0 is not a Detector",
        'adc: DIR/p.yaml: detectors.2: several packages offer "simifeat": '
        'use "acme-rival/simifeat" or "adc-plugins-detect/simifeat"',
        'adc: DIR/p.yaml: detectors.3: adc.detectors has no "majoriti": did you mean "majority"?',
        'adc: DIR/p.yaml: detectors.4: adc.detectors has no "acme-adc/quantum": '
        "pip install acme-adc",
    ]


def test_a_run_goes_on_without_broken_listeners(crowded, tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    np.savez(
        tmp_path / "d.npz", labels=labels, features=rng.normal(labels[:, None] * 6, 1, (60, 4))
    )
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text(
        "dataset: d.npz\ndetectors: [majority, {use: adc-plugins-detect/simifeat, k: 5}]\n"
    )
    out = tmp_path / "run"
    done = crowded.adc("run", pipeline, "--out", out)
    assert done.stderr.splitlines() == [
        "adc: warning: listener acme-misspelt/tracker is left out: "
        "PluginValidationError(\"unknown hook 'adc_stage_begun' in plugin "
        + done.stderr.split("in plugin ")[1].splitlines()[0],
        "adc: warning: listener acme-tracker/broken-tracker is left out: "
        "ModuleNotFoundError(\"No module named 'nonexistent_thing'\")",
    ]
    assert (out / "detectors" / "majority" / "findings.parquet").exists()
    assert '"use": "acme-good/majority"' in (out / "run.json").read_text()


def test_a_strangers_component_is_checked(crowded):
    assert (
        "kept    check_judges_every_sample" in crowded.adc("check", "detectors", "majority").stdout
    )
    broken = crowded.adc("check", "detectors", "impostor", code=2)
    assert broken.stderr == "adc: acme_impostor:Mine of acme-impostor 2.0 is not a Detector\n"
