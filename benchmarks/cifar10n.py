"""CIFAR-10N with evidence for the benchmarks: what costs minutes is computed once and kept.

Run alone, it computes the evidence on all 50,000 images; on two cores that takes a quarter of an
hour.

    python benchmarks/cifar10n.py --data ../shared/data [--cache runs/cifar10n] [--threads 2]
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn

from adc_core import Dataset, Dynamics, ImageArray, work_context
from adc_plugins_learn import CrossEntropy, penultimate

SIDE = 96
"""Images of 32 pixels are scaled to so many before the network sees them."""

EPOCHS = 10
_BATCH = 250


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the data lies, where the evidence is kept, and on how many threads."""
    data = Path(os.environ.get("ADC_DATA", Path(__file__).parents[1] / "../shared/data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the real data")
    parser.add_argument("--cache", type=Path, default=Path("runs/cifar10n"))
    parser.add_argument("--threads", type=int, default=2)


def labels_of(data: Path, column: str) -> tuple[np.ndarray, np.ndarray]:
    """50,000 given labels of people, and the true ones."""
    with np.load(data / "cifar10n" / "cifar10n.npz") as arrays:
        return arrays[column].astype(np.int64), arrays["clean_label"].astype(np.int64)


def given_probabilities(data: Path) -> dict[str, np.ndarray]:
    """Out-of-sample probabilities of five networks trained on the worst labels, half precision."""
    with np.load(data / "probabilities" / "cifar10n_worse_label.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def cifar10_images(data: Path, part: str = "train") -> np.ndarray:
    """N × 32 × 32 × 3 uint8, from mosaics that were compressed with a little loss (38.9 dB)."""
    tiles = []
    for path in sorted((data / "cifar10").glob(f"{part}_*.avif")):
        with Image.open(path) as mosaic:
            pixels = np.asarray(mosaic.convert("RGB"))
        rows, columns = pixels.shape[0] // 32, pixels.shape[1] // 32
        grid = pixels.reshape(rows, 32, columns, 32, 3).swapaxes(1, 2)
        tiles.append(grid.reshape(-1, 32, 32, 3))
    return np.concatenate(tiles)


def mobilenet(data: Path) -> nn.Module:
    """MobileNetV2 with the given ImageNet weights, padded as they were trained."""
    path = data / "mobilenet_v2" / "mobilenet_v2_torchvision_keys_int8.npz"
    with np.load(path) as arrays:
        folded = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    network = torchvision.models.mobilenet_v2()
    state = network.state_dict()
    norms = {name.rpartition(".")[0] for name in state if name.endswith("running_mean")}
    for name in norms:
        state[f"{name}.weight"].fill_(1)
        state[f"{name}.running_mean"].fill_(0)
        state[f"{name}.running_var"].fill_(1 - 1e-5)
    for name in {name.rpartition(".")[0] for name in folded}:
        quantised = folded[f"{name}.q"]
        scale = folded[f"{name}.scale"].reshape(-1, *[1] * (quantised.ndim - 1))
        state[f"{name}.weight"] = quantised * scale
        parent, _, number = name.rpartition(".")
        after = f"{parent}.{int(number) + 1}"
        state[f"{after if after in norms else name}.bias"] = folded[f"{name}.bias"]
    network.load_state_dict(state)
    for convolution in [m for m in network.modules() if isinstance(m, nn.Conv2d)]:
        if convolution.stride == (2, 2):
            convolution.padding = (0, 0)
            convolution.register_forward_pre_hook(_pad_after)
    return network.eval()


def _pad_after(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """TensorFlow's padding at stride 2: nothing before, one after."""
    return (nn.functional.pad(inputs[0], (0, 1, 0, 1)),)


def features(data: Path, cache: Path) -> np.ndarray:
    """50,000 × 1280 float32 of MobileNetV2 on images of 96 pixels."""

    def compute() -> dict[str, np.ndarray]:
        network, pixels, parts = mobilenet(data), cifar10_images(data), []
        with torch.inference_mode():
            for start in range(0, len(pixels), _BATCH):
                batch = torch.from_numpy(pixels[start : start + _BATCH]).permute(0, 3, 1, 2)
                large = nn.functional.interpolate(batch.float(), SIDE, mode="bicubic")
                parts.append(penultimate(network, large.clamp(0, 255) / 127.5 - 1).numpy())
                print(f"\rfeatures: {start + _BATCH}", end="", flush=True)
        print()
        return {"features": np.concatenate(parts)}

    return _kept(cache / "features.npz", compute)["features"]


def dynamics(data: Path, cache: Path, column: str) -> Dynamics:
    """Dynamics of ten epochs of `cross-entropy` with its small network, on labels of people."""

    def compute() -> dict[str, np.ndarray]:
        given, _ = labels_of(data, column)
        dataset = Dataset(labels=given, images=ImageArray(cifar10_images(data)))

        def tell(done: int, total: int | None, unit: str) -> None:
            print(f"\rdynamics: {unit} {done} of {total}", end="", flush=True)

        with work_context(cache / f"training-{column}", tell):
            seen = CrossEntropy(epochs=EPOCHS).learn(dataset).dynamics
        print()
        known = {name: getattr(seen, name) for name in Dynamics.model_fields}
        return {name: values for name, values in known.items() if values is not None}

    return Dynamics(**_kept(cache / f"dynamics-{column}.npz", compute))


def _kept(path: Path, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **compute())
        part.replace(path)
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def main() -> None:
    """Compute all evidence of both sets of labels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(features(arguments.data, arguments.cache).shape)
    for column in ("worse_label", "random_label1"):
        seen = dynamics(arguments.data, arguments.cache, column)
        print(column, "training accuracy", seen.correct.mean(axis=0).round(3))


if __name__ == "__main__":
    main()
