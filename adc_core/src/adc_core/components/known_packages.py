"""Which package to install for a component of the first-party packages.

A test derives the same table from the packages' `pyproject.toml` files and compares.
"""

from collections.abc import Mapping
from types import MappingProxyType

_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "adc-plugins-search": {
        "designers": ("attributes", "file", "llm", "vocabulary"),
        "searchers": (
            "bing",
            "brave",
            "folder",
            "google",
            "manifest",
            "openverse",
            "searxng",
            "wikimedia",
        ),
        "collectors": ("downloader",),
        "commands": ("design",),
    },
    "adc-plugins-detect": {
        "simulators": (
            "class-conditional",
            "instance-dependent",
            "long-tail",
            "pair-flip",
            "superclass",
            "symmetric",
            "tiny",
            "trusted-split",
        ),
        "encoders": ("patches",),
        "enrichers": (
            "duplicates",
            "image-quality",
            "linear-probe",
            "model-averaging",
            "neighbors",
            "ridge-probe",
        ),
        "detectors": (
            "aum",
            "caption-similarity",
            "class-gaussians",
            "classifier-filter",
            "cleanlab",
            "confident-learning",
            "conformal",
            "cores",
            "data-maps",
            "deep-knn",
            "early-stop-ce",
            "ensemble",
            "forgetting",
            "gradient-tracing",
            "label-diffusion",
            "label-propagation",
            "linear-separation",
            "lstm-dynamics",
            "neighbor-credibility",
            "predicted-differs",
            "prototypes",
            "self-confidence",
            "simifeat",
            "small-loss",
            "threshold",
        ),
        "curators": (
            "agree",
            "docta",
            "drop",
            "early-stop",
            "expected-gain",
            "prune",
            "relabel",
            "set-aside",
            "text-rules",
            "undersample",
        ),
        "metrics": (
            "by-source",
            "coding-rate",
            "detection",
        ),
        "commands": ("audit", "bench-detector", "health", "recommend", "train-lstm-dynamics"),
    },
    "adc-plugins-learn": {
        "encoders": ("open-clip", "pixels", "timm", "torchvision", "transformers"),
        "enrichers": ("cross-validation", "image-text", "training-dynamics"),
        "learners": (
            "active-passive",
            "backward-correction",
            "balanced-meta",
            "bootstrap",
            "co-teaching",
            "cores",
            "cross-entropy",
            "dividemix",
            "elr",
            "elr-plus",
            "f-divergence",
            "forward-correction",
            "generalized-cross-entropy",
            "jocor",
            "label-distributionally-robust",
            "learning-to-reweight",
            "logit-clip",
            "loss-reweighting",
            "mc-softmax",
            "mentormix",
            "mentornet",
            "mixup",
            "negative-label-smoothing",
            "nested-dropout",
            "nmtune",
            "peer-loss",
            "pes",
            "pls-lsa",
            "positive-label-smoothing",
            "pseudo-labels",
            "rcal",
            "sop",
            "symmetric-cross-entropy",
            "tailr",
            "taylor-cross-entropy",
            "uda",
        ),
        "metrics": (
            "accuracy",
            "calibration-error",
            "conformal",
            "corrected-accuracy",
            "delta-worst-accuracy",
            "label-set-accuracy",
            "many-medium-few",
            "subgroup-spread",
        ),
        "kinds": ("adjustments", "criteria", "posthocs", "samplers"),
        "samplers": ("class-balanced", "torch-sampler"),
        "criteria": ("balanced-softmax", "class-weighted", "focal", "ldam", "logit-adjustment"),
        "adjustments": ("logit-adjustment",),
        "posthocs": ("drops", "logit-adjustment"),
    },
    "adc-plugins-publish": {
        "commands": ("apply", "export"),
    },
    "adc-plugins-rehearse": {
        "commands": ("gallery",),
    },
    "adc-plugins-review": {
        "enrichers": (
            "labeling-functions",
            "votes",
        ),
        "detectors": ("crowdlab", "dawid-skene", "mace", "majority-votes", "one-coin", "top-two"),
        "simulators": ("rater-pool",),
        "curators": ("label-quality-model", "votes"),
        "metrics": ("raters",),
        "commands": ("certify", "review"),
    },
    "adc-plugins-ask": {
        "detectors": ("visual-questions",),
        "enrichers": ("annotators",),
    },
    "adc-plugins-compare": {
        "commands": ("compare",),
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

PACKAGES = frozenset(_NAMES)
"""The packages themselves."""
