from .corruption import Corruption
from .curation import CHANGES, Curation
from .dataset import (
    EVIDENCE,
    LABEL_SETS,
    PROBLEMATIC,
    UNCLEAR_SETS,
    UNLABELED,
    Dataset,
    rows_of,
)
from .design import Brief, ClassName, Design, Hit, Page, Query, distinct
from .display import COLORS
from .estimates import Estimate, EvidenceQuality, NoiseRate, Verdict
from .evidence import Dynamics, Neighbors, Probabilities
from .findings import Findings, check_stochastic
from .labels import class_indices, number_of_classes
from .model import Epoch, Model, Predictions
from .record import Record
from .run import Measurement, Run, Training, TrainingSet
from .signatures import Words, readable
from .votes import Votes

__all__ = [
    "CHANGES",
    "COLORS",
    "EVIDENCE",
    "LABEL_SETS",
    "PROBLEMATIC",
    "UNCLEAR_SETS",
    "UNLABELED",
    "Brief",
    "ClassName",
    "Corruption",
    "Curation",
    "Dataset",
    "Design",
    "Dynamics",
    "Epoch",
    "Estimate",
    "EvidenceQuality",
    "Findings",
    "Hit",
    "Measurement",
    "Model",
    "Neighbors",
    "NoiseRate",
    "Page",
    "Predictions",
    "Probabilities",
    "Query",
    "Record",
    "Run",
    "Training",
    "TrainingSet",
    "Verdict",
    "Votes",
    "Words",
    "check_stochastic",
    "class_indices",
    "distinct",
    "number_of_classes",
    "readable",
    "rows_of",
]
