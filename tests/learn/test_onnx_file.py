"""What an independent runtime makes of an exported file."""

import json
import sys

import numpy as np
import pytest
import torch
from torch import nn

from adc_core.errors import InputError, WorkError
from adc_plugins_learn.training.networks.architecture import Architecture, Ensemble
from adc_plugins_learn.training.networks.backbones import build_backbone
from adc_plugins_learn.training.networks.heads import MonteCarloSoftmax
from adc_plugins_learn.training.networks.model import NetworkModel

pytest.importorskip("onnx", reason="ONNX is an extra of the package")
pytest.importorskip("onnxscript", reason="ONNX is an extra of the package")
runtime = pytest.importorskip("onnxruntime", reason="only this test needs a runtime")

CLASSES = ("red", "grün", "blue")


def averages(outputs=3):
    """The smallest network there is."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, outputs))


def model_of(network, size=12, **options):
    architecture = Architecture("small-cnn", size, (0.4, 0.5, 0.6), (0.2, 0.2, 0.3))
    return NetworkModel(network, architecture, CLASSES, **options)


def test_the_runtime_gives_the_model_s_probabilities(squares, tmp_path):
    torch.manual_seed(0)
    network = Ensemble([build_backbone("small-cnn", 3) for _ in range(2)], "probabilities")
    model = model_of(network, size=32, temperature=0.3)
    model.export_onnx(tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    wanted = model.predict(squares.images).probabilities
    for count in (1, 31):
        pixels = squares.images.resized(32, np.arange(count))
        (found,) = session.run(["probabilities"], {"images": pixels})
        np.testing.assert_allclose(found, wanted[:count], atol=1e-4)
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == list(CLASSES)


@pytest.mark.parametrize("rank", [0, 2])
def test_the_noise_of_a_monte_carlo_softmax_is_fixed(squares, tmp_path, rank):
    torch.manual_seed(0)
    output = MonteCarloSoftmax(classes=3, rank=rank, draws=20, temperature=0.5)
    model = model_of(nn.Sequential(averages(output.width), output), size=16)
    model.export_onnx(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"images": squares.images.resized(16)})
    np.testing.assert_allclose(found, model.predict(squares.images).probabilities, atol=1e-4)


def test_without_the_packages_the_extra_is_named(tmp_path, monkeypatch):
    for package in ("onnx", "onnxscript"):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, package, None)
            with pytest.raises(InputError) as error:
                model_of(averages()).export_onnx(tmp_path / "model.onnx")
        assert str(error.value) == (
            "ONNX files need more packages: pip install 'adc-plugins-learn[onnx]'"
        )


class Undecided(nn.Module):
    """Looks at its input to decide what to do, which no graph can."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, images):
        colors = images.mean(dim=(2, 3))
        return self.layer(colors) if float(colors.sum()) > 0 else colors


def test_a_network_without_counterpart(tmp_path):
    with pytest.raises(WorkError) as error:
        model_of(Undecided()).export_onnx(tmp_path / "model.onnx")
    assert str(error.value).startswith("the network cannot be written as ONNX: ")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(WorkError) as error:
        model_of(averages()).export_onnx(tmp_path / "no" / "model.onnx")
    assert str(error.value) == (
        f"{tmp_path}/no/model.onnx: No such file or directory: fix it and run again"
    )
