"""A trained network as one ONNX file, from the pixels of an image to its probabilities."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from adc_core import InputError, WorkError
from adc_core.storage import atomic_file
from adc_plugins_learn.training.data.normalize import Channels, to_input

OPSET = 18


class _PixelsToProbabilities(nn.Module):
    shift: Tensor | None

    def __init__(
        self,
        network: nn.Module,
        mean: Channels,
        std: Channels,
        temperature: float,
        shift: tuple[float, ...] | None,
    ) -> None:
        super().__init__()
        self.register_buffer("shift", None if shift is None else torch.tensor(shift))
        self.network, self.mean, self.std, self.temperature = network, mean, std, temperature

    def forward(self, images: Tensor) -> Tensor:
        logits = self.network(to_input(images, self.mean, self.std)).float()
        if self.shift is not None:
            logits = logits + self.shift
        probabilities: Tensor = (logits / self.temperature).softmax(dim=1)
        return probabilities


def export_onnx(
    network: nn.Module,
    image_size: int,
    mean: Channels,
    std: Channels,
    temperature: float,
    shift: tuple[float, ...] | None,
    classes: tuple[str, ...],
    path: Path,
) -> None:
    """Write an ONNX file that holds all of it: normalization, network, shift, temperature, classes.

    Its input `images` is B × image_size × image_size × 3 uint8 for any B, its output
    `probabilities` B × K float32; its metadata hold the names of the classes as a JSON list.

    Raises:
        InputError: the packages for it are missing.
        WorkError: ONNX has no counterpart for the network, or the file cannot be written.
    """
    if not (find_spec("onnx") and find_spec("onnxscript")):
        raise InputError("ONNX files need more packages: pip install 'adc-plugins-learn[onnx]'")
    whole = _PixelsToProbabilities(deepcopy(network).cpu(), mean, std, temperature, shift).eval()
    # Two images: a batch of one would be taken for a constant.
    example = torch.zeros(2, image_size, image_size, 3, dtype=torch.uint8)
    with _quietly():
        try:
            program = torch.onnx.export(
                whole,
                (example,),
                input_names=["images"],
                output_names=["probabilities"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().split("\n")[0]
            raise WorkError(f"the network cannot be written as ONNX: {reason}") from error
    assert program is not None
    program.model.metadata_props["classes"] = json.dumps(classes, ensure_ascii=False)
    with atomic_file(path) as part:
        program.save(part, external_data=False)


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence what the exporter logs about itself; errors are still raised."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
