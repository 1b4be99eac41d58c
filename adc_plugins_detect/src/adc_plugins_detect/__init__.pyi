from .confident.fusing import fuse
from .curators.agree import Agree, Overlap, overlap
from .curators.docta import Docta
from .curators.drop import Drop
from .curators.early_stop import EarlyStop
from .curators.expected_gain import ExpectedGain
from .curators.prune import Prune, el2n, prune
from .curators.relabel import Relabel
from .curators.set_aside import SetAside
from .curators.text_rules import TextRules
from .curators.undersample import Undersample
from .detectors.aum import Aum, aum
from .detectors.caption_similarity import (
    CaptionSimilarity,
    caption_similarity,
    class_similarity,
)
from .detectors.class_gaussians import ClassGaussians, class_gaussians
from .detectors.classifier_filter import ClassifierFilter, classifier_filter
from .detectors.cleanlab import Cleanlab
from .detectors.confident_learning import ConfidentLearning, confident_learning
from .detectors.conformal import Conformal, conformal, conformal_p_values
from .detectors.cores import Cores, cores
from .detectors.data_maps import DataMap, DataMaps, data_map, data_maps
from .detectors.deep_knn import DeepKnn, deep_knn
from .detectors.early_stop_ce import EarlyStopCe, early_stop_ce
from .detectors.ensemble import Ensemble, ensemble
from .detectors.forgetting import Forgetting, forgetting
from .detectors.gradient_tracing import GradientTracing, gradient_tracing
from .detectors.label_diffusion import LabelDiffusion, label_diffusion
from .detectors.label_propagation import LabelPropagation, label_propagation
from .detectors.linear_separation import LinearSeparation, linear_separation
from .detectors.lstm_dynamics import LstmDynamics, lstm_dynamics
from .detectors.neighbor_credibility import NeighborCredibility, neighbor_credibility
from .detectors.predicted_differs import PredictedDiffers, predicted_differs
from .detectors.prototypes import Prototypes, prototypes
from .detectors.self_confidence import SelfConfidence, self_confidence
from .detectors.simifeat import SimiFeat, simifeat
from .detectors.small_loss import SmallLoss, small_loss
from .detectors.threshold import Threshold, at_value, by_class_rate, by_rate
from .dynamics.onset import memorization_onset
from .encoders.patches import PatchEncoder
from .enrichers.duplicates import DuplicateImages
from .enrichers.image_quality import ImageQuality
from .enrichers.linear_probe import LinearProbe, linear_probe
from .enrichers.model_averaging import ModelAveraging, average_models
from .enrichers.neighbors import NearestNeighbors
from .enrichers.ridge_probe import RidgeProbe, ridge_probe
from .knn.search import nearest_neighbors
from .knn.soft_labels import kernel_soft_labels
from .metrics.by_source import BySource
from .metrics.coding_rate import CodingRate, coding_rate_reduction
from .metrics.detection import Detection
from .noise.hoc import TransitionEstimate, hoc, transition_from_votes
from .noise.rate import noise_rate
from .simulators.class_conditional import ClassConditionalNoise
from .simulators.instance_dependent import InstanceDependentNoise
from .simulators.long_tail import LongTail
from .simulators.pair_flip import PairFlipNoise
from .simulators.superclass import SuperclassNoise
from .simulators.symmetric import SymmetricNoise
from .simulators.tiny import Tiny
from .simulators.trusted_split import TrustedSplit

__all__ = [
    "Agree",
    "Aum",
    "BySource",
    "CaptionSimilarity",
    "ClassConditionalNoise",
    "ClassGaussians",
    "ClassifierFilter",
    "Cleanlab",
    "CodingRate",
    "ConfidentLearning",
    "Conformal",
    "Cores",
    "DataMap",
    "DataMaps",
    "DeepKnn",
    "Detection",
    "Docta",
    "Drop",
    "DuplicateImages",
    "EarlyStop",
    "EarlyStopCe",
    "Ensemble",
    "ExpectedGain",
    "Forgetting",
    "GradientTracing",
    "ImageQuality",
    "InstanceDependentNoise",
    "LabelDiffusion",
    "LabelPropagation",
    "LinearProbe",
    "LinearSeparation",
    "LongTail",
    "LstmDynamics",
    "ModelAveraging",
    "NearestNeighbors",
    "NeighborCredibility",
    "Overlap",
    "PairFlipNoise",
    "PatchEncoder",
    "PredictedDiffers",
    "Prototypes",
    "Prune",
    "Relabel",
    "RidgeProbe",
    "SelfConfidence",
    "SetAside",
    "SimiFeat",
    "SmallLoss",
    "SuperclassNoise",
    "SymmetricNoise",
    "TextRules",
    "Threshold",
    "Tiny",
    "TransitionEstimate",
    "TrustedSplit",
    "Undersample",
    "at_value",
    "aum",
    "average_models",
    "by_class_rate",
    "by_rate",
    "caption_similarity",
    "class_gaussians",
    "class_similarity",
    "classifier_filter",
    "coding_rate_reduction",
    "confident_learning",
    "conformal",
    "conformal_p_values",
    "cores",
    "data_map",
    "data_maps",
    "deep_knn",
    "early_stop_ce",
    "el2n",
    "ensemble",
    "forgetting",
    "fuse",
    "gradient_tracing",
    "hoc",
    "kernel_soft_labels",
    "label_diffusion",
    "label_propagation",
    "linear_probe",
    "linear_separation",
    "lstm_dynamics",
    "memorization_onset",
    "nearest_neighbors",
    "neighbor_credibility",
    "noise_rate",
    "overlap",
    "predicted_differs",
    "prototypes",
    "prune",
    "ridge_probe",
    "self_confidence",
    "simifeat",
    "small_loss",
    "transition_from_votes",
]
