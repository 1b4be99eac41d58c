"""cleanlab itself, behind the interface of detectors."""

import warnings
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Dataset, Detector, Findings, InputError
from adc_plugins_detect.inputs import out_of_sample

Rule = Literal[
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
]


class Cleanlab(Detector):
    """Flags what cleanlab's `find_label_issues` flags, on the dataset's probabilities.

    Suspicion is one minus its self-confidence. For a comparison on one and the same evidence:
    `confident-learning` gives the same answers without cleanlab, the same on every machine, and
    with suggestions.
    """

    requires: ClassVar[tuple[str, ...]] = ("probabilities",)

    rule: Rule = Field(default="prune_by_noise_rate", description="its `filter_by`")
    allow_in_sample: bool = Field(
        default=False, description="accept probabilities of a model that has seen the labels"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's probabilities.

        Raises:
            InputError: cleanlab is not installed or refuses the arrays, or the probabilities are
                missing or in sample.
        """
        probabilities = out_of_sample(dataset, self.allow_in_sample).astype(np.float64).clip(0, 1)
        find, qualities = _functions()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its advice names its own options
            try:
                flagged = find(dataset.labels, probabilities, filter_by=self.rule, n_jobs=1)
                quality: NDArray[np.float64] = qualities(dataset.labels, probabilities)
            except (ValueError, AssertionError, IndexError) as error:
                reason = str(error).split("\n")[0]
                raise InputError(
                    f"cleanlab refuses these labels and probabilities ({reason}): take "
                    "confident-learning"
                ) from error
        flagged = np.asarray(flagged, np.bool_)
        return Findings(
            ids=dataset.ids,
            suspicion=(1 - quality).clip(0, 1),
            flagged=flagged,
            noise_rate=float(flagged.mean()),
        )


def _functions() -> tuple[Any, Any]:
    try:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError as error:
        raise InputError(
            "the detector cleanlab needs cleanlab: pip install 'adc-plugins-detect[cleanlab]', or "
            "take confident-learning, which gives the same answers"
        ) from error
    return find_label_issues, get_label_quality_scores
