"""Label-noise detectors, curators, simulators and detection metrics.

Array users import functions: `(labels, evidence, *, options) -> Findings`. Names are imported
when first used, so that `import adc_plugins_detect` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adc_plugins_detect.curators.agree import Overlap, overlap
    from adc_plugins_detect.detectors.aum import aum
    from adc_plugins_detect.detectors.confident_learning import confident_learning
    from adc_plugins_detect.detectors.cores import cores
    from adc_plugins_detect.detectors.data_maps import DataMap, data_map, data_maps
    from adc_plugins_detect.detectors.deep_knn import deep_knn
    from adc_plugins_detect.detectors.early_stop_ce import early_stop_ce
    from adc_plugins_detect.detectors.ensemble import ensemble
    from adc_plugins_detect.detectors.forgetting import forgetting
    from adc_plugins_detect.detectors.lstm_dynamics import lstm_dynamics
    from adc_plugins_detect.detectors.neighbor_credibility import neighbor_credibility
    from adc_plugins_detect.detectors.predicted_differs import predicted_differs
    from adc_plugins_detect.detectors.self_confidence import self_confidence
    from adc_plugins_detect.detectors.simifeat import simifeat
    from adc_plugins_detect.detectors.small_loss import small_loss
    from adc_plugins_detect.detectors.threshold import at_value, by_class_rate, by_rate
    from adc_plugins_detect.enrichers.linear_probe import linear_probe
    from adc_plugins_detect.enrichers.model_averaging import average_models
    from adc_plugins_detect.enrichers.neighbors import nearest_neighbors
    from adc_plugins_detect.enrichers.ridge_probe import ridge_probe
    from adc_plugins_detect.noise.rate import noise_rate
    from adc_plugins_detect.transition import TransitionEstimate, hoc, transition_from_votes

_MODULE_OF = {
    "DataMap": "detectors.data_maps",
    "Overlap": "curators.agree",
    "TransitionEstimate": "transition",
    "at_value": "detectors.threshold",
    "aum": "detectors.aum",
    "average_models": "enrichers.model_averaging",
    "by_class_rate": "detectors.threshold",
    "by_rate": "detectors.threshold",
    "confident_learning": "detectors.confident_learning",
    "cores": "detectors.cores",
    "data_map": "detectors.data_maps",
    "data_maps": "detectors.data_maps",
    "deep_knn": "detectors.deep_knn",
    "early_stop_ce": "detectors.early_stop_ce",
    "ensemble": "detectors.ensemble",
    "forgetting": "detectors.forgetting",
    "hoc": "transition",
    "linear_probe": "enrichers.linear_probe",
    "lstm_dynamics": "detectors.lstm_dynamics",
    "nearest_neighbors": "enrichers.neighbors",
    "neighbor_credibility": "detectors.neighbor_credibility",
    "noise_rate": "noise.rate",
    "overlap": "curators.agree",
    "predicted_differs": "detectors.predicted_differs",
    "ridge_probe": "enrichers.ridge_probe",
    "self_confidence": "detectors.self_confidence",
    "simifeat": "detectors.simifeat",
    "small_loss": "detectors.small_loss",
    "transition_from_votes": "transition",
}

__all__ = [
    "DataMap",
    "Overlap",
    "TransitionEstimate",
    "at_value",
    "aum",
    "average_models",
    "by_class_rate",
    "by_rate",
    "confident_learning",
    "cores",
    "data_map",
    "data_maps",
    "deep_knn",
    "early_stop_ce",
    "ensemble",
    "forgetting",
    "hoc",
    "linear_probe",
    "lstm_dynamics",
    "nearest_neighbors",
    "neighbor_credibility",
    "noise_rate",
    "overlap",
    "predicted_differs",
    "ridge_probe",
    "self_confidence",
    "simifeat",
    "small_loss",
    "transition_from_votes",
]


def __getattr__(name: str) -> Any:
    if module := _MODULE_OF.get(name):
        return getattr(import_module(f"adc_plugins_detect.{module}"), name)
    raise AttributeError(f"module 'adc_plugins_detect' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
