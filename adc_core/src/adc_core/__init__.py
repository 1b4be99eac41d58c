"""The core of ADC: records, interfaces, registry and pipeline.

Names are imported when first used, so that `adc list` and `adc --help` stay light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adc_core.components.component import Component, LocalPath
    from adc_core.records.corruption import Corruption
    from adc_core.records.dataset import Dataset
    from adc_core.records.design import Brief, Design, Hit, Page, Query
    from adc_core.errors import InputError, WorkError
    from adc_core.records.estimates import Estimate, EvidenceQuality, NoiseRate
    from adc_core.records.evidence import Dynamics, Neighbors, Probabilities, Votes
    from adc_core.records.findings import Curation, Findings
    from adc_core.images.shards import ImageShards
    from adc_core.images.sequence import ImageArray, ImageFiles, Images
    from adc_core.components.interfaces import (
        Collector,
        Curator,
        Designer,
        Detector,
        Encoder,
        Enricher,
        Learner,
        Metric,
        Searcher,
        Simulator,
    )
    from adc_core.runs.listeners import hookimpl
    from adc_core.records.model import Epoch, Model, Predictions
    from adc_core.runs.pipeline import Pipeline
    from adc_core.records.run import Measurement, Run, Training
    from adc_core.runs.run_reader import read_collected, read_run
    from adc_core.components.context import progress, remark, work_folder, working_in

_HOME = {
    "component": ("Component", "LocalPath"),
    "corruption": ("Corruption",),
    "dataset": ("Dataset",),
    "design": ("Brief", "Design", "Hit", "Page", "Query"),
    "errors": ("InputError", "WorkError"),
    "estimates": ("Estimate", "EvidenceQuality", "NoiseRate"),
    "evidence": ("Dynamics", "Neighbors", "Probabilities", "Votes"),
    "findings": ("Curation", "Findings"),
    "image_shards": ("ImageShards",),
    "images": ("ImageArray", "ImageFiles", "Images"),
    "interfaces": (
        "Collector",
        "Curator",
        "Designer",
        "Detector",
        "Encoder",
        "Enricher",
        "Learner",
        "Metric",
        "Searcher",
        "Simulator",
    ),
    "listeners": ("hookimpl",),
    "model": ("Epoch", "Model", "Predictions"),
    "pipeline": ("Pipeline",),
    "run": ("Measurement", "Run", "Training"),
    "run_reader": ("read_collected", "read_run"),
    "work": ("progress", "remark", "work_folder", "working_in"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Brief",
    "Collector",
    "Component",
    "Corruption",
    "Curation",
    "Curator",
    "Dataset",
    "Design",
    "Designer",
    "Detector",
    "Dynamics",
    "Encoder",
    "Enricher",
    "Epoch",
    "Estimate",
    "EvidenceQuality",
    "Findings",
    "Hit",
    "ImageArray",
    "ImageFiles",
    "ImageShards",
    "Images",
    "InputError",
    "Learner",
    "LocalPath",
    "Measurement",
    "Metric",
    "Model",
    "Neighbors",
    "NoiseRate",
    "Page",
    "Pipeline",
    "Predictions",
    "Probabilities",
    "Query",
    "Run",
    "Searcher",
    "Simulator",
    "Training",
    "Votes",
    "WorkError",
    "hookimpl",
    "progress",
    "read_collected",
    "read_run",
    "remark",
    "work_folder",
    "working_in",
]


def __getattr__(name: str) -> Any:
    if module := _MODULE_OF.get(name):
        return getattr(import_module(f"adc_core.{module}"), name)
    raise AttributeError(f"module 'adc_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
