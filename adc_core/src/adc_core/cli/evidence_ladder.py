"""Which evidence `adc detect` gathers about images: the best that can be had here, and why.

From the top: features of a pretrained network, a short training of its own, image patches. What was
measured for the order is in docs/detect.md.
"""

import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from adc_core.cli.weights_download import fetch
from adc_core.components.component import create
from adc_core.components.interfaces import Download, Encoder, Enricher, Learner
from adc_core.components.registry import registry
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.runs.completion import Rung

PRETRAINED: tuple[Mapping[str, Any], ...] = (
    {"use": "adc-plugins-learn/torchvision", "model": "efficientnet_b0"},
    {"use": "adc-plugins-learn/torchvision", "model": "resnet50"},
    {"use": "adc-plugins-learn/torchvision", "model": "mobilenet_v3_large"},
    {"use": "adc-plugins-learn/torchvision", "model": "resnet18"},
)
"""Pretrained encoders, the preferred one first: on a CPU the first takes a tenth of a second for an
image and has weights of 21 MB. Any whose weights are here is taken before one is fetched, and only
the first is fetched."""

_NEIGHBORS_UP_TO = 20_000
"""More samples than these are not searched for neighbors that only the report shows."""

_OWN_TRAINING = 300_000
"""Samples seen by the training of one fold, at most: 15 epochs of 20,000 images."""


def choose_rung(
    dataset: Dataset,
    *,
    encoder: Encoder | None = None,
    learner: Learner | None = None,
    enricher: Enricher | None = None,
    fast: bool = False,
) -> Rung:
    """Choose what makes features and probabilities.

    Args:
        dataset: what is there already is not made again, unless something is chosen for it.
        encoder: chosen by the user.
        learner: chosen by the user; it is trained by cross-validation.
        enricher: chosen by the user.
        fast: only what takes seconds for thousands of images.
    """
    chosen = enricher or (None if learner is None else _trained(learner))
    small = len(dataset) <= _NEIGHBORS_UP_TO
    if dataset.images is None or encoder is not None or (dataset.features is not None):
        features = encoder is not None or dataset.features is not None
        if chosen is None and dataset.probabilities is None and features:
            chosen = _enricher("ridge-probe")
        return Rung(encoder, chosen, neighbors=features and small)
    if chosen is not None or dataset.probabilities is not None:
        return Rung(_patches() if fast else None, chosen, neighbors=False)
    if fast:
        return Rung(_patches(), _enricher("ridge-probe"), small, "fast: image patches alone")
    return _best(dataset, small)


def _best(dataset: Dataset, small: bool) -> Rung:
    if find_spec("torch") is None or not _installed("adc-plugins-learn"):
        reason = "no pretrained networks without adc-plugins-learn: image patches alone"
        return Rung(_patches(), _enricher("ridge-probe"), small, reason)
    pretrained, why_not = _pretrained()
    patches = {"use": "adc-plugins-detect/ridge-probe"}
    if pretrained is not None:
        # Where a network's world is not that of the images, patches are the better judge.
        own = patches | {"encoder": {"use": "adc-plugins-detect/patches"}}
        predictor = _enricher("model-averaging", members=[patches, own])
        options = pretrained.model_dump()
        reason = f"features of {options['model']}, pretrained, and of image patches"
        return Rung(pretrained, predictor, small, reason)
    epochs = max(2, min(15, _OWN_TRAINING // len(dataset)))
    training = {
        "use": "adc-plugins-learn/cross-validation",
        "folds": 3,
        "dynamics": True,
        "learner": {
            "use": "adc-plugins-learn/cross-entropy",
            "backbone": "tiny-cnn",
            "epochs": epochs,
            "horizontal_flip": False,
            "channels_last": True,
        },
    }
    predictor = _enricher("model-averaging", members=[patches, training])
    reason = f"{why_not}: three small networks are trained, beside image patches"
    return Rung(_patches(), predictor, small, reason)


def _pretrained() -> tuple[Encoder | None, str]:
    """Return a pretrained encoder whose weights are here, or the reason why there is none."""
    absent: list[tuple[Encoder, Download]] = []
    for table in PRETRAINED:
        try:
            encoder = create(Encoder, table)
            missing = encoder.missing_weights()
        except InputError as error:
            return None, str(error)
        if missing is None:
            return encoder, ""
        absent.append((encoder, missing))
    encoder, missing = absent[0]
    size = "" if missing.megabytes is None else f", {missing.megabytes:.0f} MB"
    if failed := fetch(missing):
        return None, f"no pretrained weights here, and they cannot be fetched ({failed})"
    print(f"adc: fetched {missing.path.name}{size}", file=sys.stderr)
    return encoder, ""


def announced(rung: Rung, dataset: Dataset) -> Iterator[str]:
    """Say what will be done and how long it takes, before it is done."""
    known = [maker.expected_seconds(dataset) for maker in (rung.encoder, rung.predictor) if maker]
    seconds = sum(filter(None, known))
    long = f", about {_duration(seconds)}" if seconds >= 5 else ""
    shorter = "; --fast takes seconds" if seconds >= 60 else ""
    if rung.reason:
        yield f"{rung.reason}{long}{shorter}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds / 5)) * 5} seconds"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _installed(package: str) -> bool:
    return any(entry.package == package for entry in registry.entries("encoders"))


def _patches() -> Encoder:
    return create(Encoder, {"use": "adc-plugins-detect/patches"})


def _enricher(name: str, **options: Any) -> Enricher:
    table = {"use": f"adc-plugins-detect/{name}", **options}
    return create(Enricher, table)


def _trained(learner: Learner) -> Enricher:
    table = {"use": "adc-plugins-learn/cross-validation", "dynamics": True, "learner": learner}
    return create(Enricher, table)
