"""Label-noise detectors, curators, simulators and detection metrics.

Array users import functions: `(labels, evidence, *, options) -> Findings`. Names are imported
when first used, so that `import adc_plugins_detect` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adc_plugins_detect.detectors.confident_learning import confident_learning
    from adc_plugins_detect.detectors.simifeat import simifeat
    from adc_plugins_detect.enrichers.linear_probe import linear_probe
    from adc_plugins_detect.enrichers.neighbours import nearest_neighbours
    from adc_plugins_detect.transition import TransitionEstimate, hoc, transition_from_votes

_MODULE_OF = {
    "TransitionEstimate": "transition",
    "confident_learning": "detectors.confident_learning",
    "hoc": "transition",
    "linear_probe": "enrichers.linear_probe",
    "nearest_neighbours": "enrichers.neighbours",
    "simifeat": "detectors.simifeat",
    "transition_from_votes": "transition",
}

__all__ = [
    "TransitionEstimate",
    "confident_learning",
    "hoc",
    "linear_probe",
    "nearest_neighbours",
    "simifeat",
    "transition_from_votes",
]


def __getattr__(name: str) -> Any:
    if module := _MODULE_OF.get(name):
        return getattr(import_module(f"adc_plugins_detect.{module}"), name)
    raise AttributeError(f"module 'adc_plugins_detect' has no attribute {name!r}")
