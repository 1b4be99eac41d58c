"""Which package to install for a component of the first-party packages.

A test derives the same table from the packages' `pyproject.toml` files and compares.
"""

from collections.abc import Mapping
from types import MappingProxyType

_NAMES = {
    "adc-plugins-search": {
        "designers": ("attributes",),
        "searchers": ("folder", "google"),
        "collectors": ("downloader",),
        "commands": ("gallery",),
    },
    "adc-plugins-detect": {
        "simulators": ("class-conditional", "symmetric"),
        "enrichers": ("linear-probe", "neighbours"),
        "detectors": (
            "aum",
            "confident-learning",
            "cores",
            "data-maps",
            "deep-knn",
            "early-stop-ce",
            "forgetting",
            "neighbour-credibility",
            "predicted-differs",
            "simifeat",
            "small-loss",
        ),
        "curators": ("docta", "drop"),
        "metrics": ("detection",),
    },
    "adc-plugins-learn": {
        "encoders": ("pixels", "torchvision"),
        "learners": ("cross-entropy",),
        "metrics": ("accuracy",),
    },
}

PACKAGE_OF: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (kind, name): package
        for package, kinds in _NAMES.items()
        for kind, names in kinds.items()
        for name in names
    }
)
"""(kind, name) to package."""
