"""Faults of a component: named with stage, package, version and line, and never kept."""

import os
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest

from adc_core import (
    Curation,
    Curator,
    Dataset,
    Detector,
    Encoder,
    Enricher,
    Findings,
    ImageArray,
    InputError,
    Measurement,
    Metric,
    Pipeline,
    Simulator,
    WorkError,
)
from adc_core.records.corruption import Corruption
from adc_core.records.curation import CHANGES
from adc_core.runs.listeners import Listeners
from adc_core.runs.runner import run_pipeline
from adc_core.storage.saved_dataset import save_dataset

N = 12


@pytest.fixture
def dataset(tmp_path):
    images = np.zeros((N, 4, 4, 3), np.uint8)
    images[:] = np.arange(N)[:, None, None, None]
    given = Dataset(
        labels=np.arange(N) % 3,
        classes=("a", "b", "c"),
        images=ImageArray(images),
        features=np.arange(N * 2, dtype=np.float32).reshape(N, 2),
    )
    save_dataset(given, tmp_path / "given")
    return tmp_path / "given"


def judged(dataset, **other):
    rows = len(dataset)
    return Findings(
        ids=dataset.ids, suspicion=np.zeros(rows), flagged=np.zeros(rows, bool), **other
    )


DETECT = {
    "raises": lambda dataset: {}["key"],
    "exits": lambda dataset: sys.exit(0),
    "array": lambda dataset: np.zeros(N),
    "short": lambda dataset: judged(dataset.take(np.arange(N - 1))),
    "order": lambda dataset: judged(dataset.take(np.arange(N)[::-1])),
    "classes": lambda dataset: judged(dataset, suggested_labels=np.full(N, 3)),
    "floats": lambda dataset: Findings(
        ids=dataset.ids, suspicion=np.zeros(N), flagged=np.zeros(N) + 0.5
    ),
    "input": lambda dataset: (_ for _ in ()).throw(InputError("too few samples: give 100")),
    "work": lambda dataset: (_ for _ in ()).throw(WorkError("the disk is full")),
    "peeks": lambda dataset: dataset.features.sum(axis=1),
}


class Faulty(Detector):
    """Does as it is told."""

    how: str

    def detect(self, dataset):
        return DETECT[self.how](dataset)


class WrongEncoder(Encoder):
    """Encodes one image less."""

    def encode(self, images):
        return np.zeros((len(images) - 1, 2), np.float32)


class WrongEnricher(Enricher):
    """Adds nothing."""

    adds: ClassVar = ("probabilities",)

    def enrich(self, dataset):
        return dataset


class WrongSimulator(Simulator):
    """Loses a sample."""

    def corrupt(self, dataset):
        return Corruption(labels=dataset.labels[1:], mask=np.zeros(N - 1, bool))


class WrongCurator(Curator):
    """Changes a label without a word."""

    def curate(self, dataset, findings):
        labels = dataset.labels.copy()
        labels[0] = 1
        return Curation(dataset=dataset.relabeled(labels), changes=CHANGES.empty_table())


class WrongMetric(Metric):
    """Measures in its own way."""

    def measure(self, run):
        return [Measurement(metric="x", subject="y", value=1.0, better="higher"), 3]


def fault(tmp_path, dataset, kind=WorkError, **parts):
    pipeline = Pipeline(dataset=dataset, **parts)
    folder = tmp_path / "run"
    with pytest.raises(kind) as first:
        run_pipeline(pipeline, folder, Listeners())
    with pytest.raises(kind) as again:  # what is wrong was not kept
        run_pipeline(pipeline, folder, Listeners())
    assert str(first.value) == str(again.value)
    assert not list(folder.rglob("SHA256SUMS"))
    return first.value


HERE = f"{__name__}:Faulty"


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("raises", WorkError, "KeyError: 'key' (test_plugin_faults.py:LINE); --debug shows more"),
        ("exits", WorkError, "SystemExit: 0 (test_plugin_faults.py:LINE); --debug shows more"),
        (
            "array",
            WorkError,
            "detect returned numpy.ndarray instead of a Findings; --debug shows more",
        ),
        ("short", WorkError, "detect returned 11 samples, not 12; --debug shows more"),
        (
            "order",
            WorkError,
            "detect returned '11' as sample 0, which is '0': keep the order; --debug shows more",
        ),
        ("classes", WorkError, "detect returned labels outside -1 … 2; --debug shows more"),
        ("input", InputError, "too few samples: give 100"),
        ("work", WorkError, "the disk is full"),
        (
            "peeks",
            WorkError,
            "AttributeError: 'NoneType' object has no attribute 'sum' "
            "(test_plugin_faults.py:LINE); --debug shows more",
        ),
    ],
)
def test_a_detectors_fault_is_named(tmp_path, dataset, how, kind, message):
    import re

    error = fault(tmp_path, dataset, kind, detectors=(Faulty(how=how),))
    told = re.sub(r"\.py:\d+", ".py:LINE", str(error))
    assert told == f"detectors/Faulty ({HERE}): {message}"
    assert error.__cause__ is not None


def test_a_record_that_is_refused_is_told_without_the_library(tmp_path, dataset):
    error = fault(tmp_path, dataset, (InputError, WorkError), detectors=(Faulty(how="floats"),))
    assert str(error).startswith(f"detectors/Faulty ({HERE}): flagged: ")
    assert "pydantic" not in str(error)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"encoder": WrongEncoder()},
            "encoder ({0}:WrongEncoder): encode returned 11 rows for 12 images",
        ),
        (
            {"enrichers": (WrongEnricher(),)},
            'enrichers/WrongEnricher ({0}:WrongEnricher): enrich returned no column "probabilities"'
            ", which it says to add",
        ),
        (
            {"simulators": (WrongSimulator(),)},
            "simulators/WrongSimulator ({0}:WrongSimulator): corrupt returned 11 labels, not 12",
        ),
        (
            {"curators": (WrongCurator(),)},
            "curators/WrongCurator ({0}:WrongCurator): curate returned a dataset that is not what "
            "its changes make",
        ),
        (
            {"metrics": (WrongMetric(),)},
            "metrics/WrongMetric ({0}:WrongMetric): measure returned int instead of a Measurement",
        ),
    ],
)
def test_what_is_not_as_promised_is_never_kept(tmp_path, dataset, parts, message):
    error = fault(tmp_path, dataset, **parts)
    assert str(error) == f"{message.format(__name__)}; --debug shows more"


PLUGIN = """
from adc_core import Detector

class Broken(Detector):
    '''Breaks.'''

    def detect(self, dataset):
        return {}["key"]
"""


def test_the_command_names_package_version_and_line(tmp_path):
    (tmp_path / "acme_plugin.py").write_text(PLUGIN)
    metadata = tmp_path / "acme_adc-0.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: acme-adc\nVersion: 0.3\n")
    (metadata / "entry_points.txt").write_text("[adc.detectors]\nbroken = acme_plugin:Broken\n")
    (tmp_path / "y.csv").write_text("label\n" + "0\n1\n" * 20)
    (tmp_path / "p.yaml").write_text("dataset: y.csv\ndetectors: [broken]\n")
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))

    def adc(*words):
        return subprocess.run(
            [sys.executable, "-m", "adc_core.cli", *words],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
            cwd=tmp_path,
        )

    done = adc("run", "p.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "adc: detectors/broken (acme-adc/broken 0.3): KeyError: 'key' (acme_plugin.py:8); "
        "--debug shows more\n"
    )
    assert 'return {}["key"]' in adc("run", "p.yaml", "--debug").stderr
