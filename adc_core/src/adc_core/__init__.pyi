from .components.command import Command
from .components.component import Column, Component, LocalPath, create
from .components.context import progress, status, work_context, work_folder
from .components.interfaces import (
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
from .components.registry import registry
from .errors import InputError, WorkError
from .images.sequence import ImageArray, ImageFiles, Images
from .images.shards import ImageShards
from .records.corruption import Corruption
from .records.curation import Curation
from .records.dataset import Dataset
from .records.design import Brief, Design, Hit, Page, Query
from .records.estimates import Estimate, EvidenceQuality, NoiseRate
from .records.evidence import Dynamics, Neighbors, Probabilities
from .records.findings import Findings
from .records.model import Epoch, Model, Predictions
from .records.run import Measurement, Run, Training
from .records.votes import Votes
from .runs.listeners import hookimpl
from .runs.pipeline import Pipeline
from .runs.run_reader import read_collected, read_run
from .runs.runner import collect_pipeline, run_pipeline
from .storage.readers import read_dataset
from .storage.saved_dataset import save_dataset

__all__ = [
    "Brief",
    "Collector",
    "Column",
    "Command",
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
    "collect_pipeline",
    "create",
    "hookimpl",
    "progress",
    "read_collected",
    "read_dataset",
    "read_run",
    "registry",
    "run_pipeline",
    "save_dataset",
    "status",
    "work_context",
    "work_folder",
]
