"""Area under the margin: a label that the logits resist all through training is suspicious."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from adc_core import Dataset, Detector, Dynamics, Findings, InputError, Learner
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.dynamics.curves import (
    dynamics_of,
    dynamics_seen_by,
    mean_of_epochs,
    refuse_unseen,
    seen_curves_of,
)
from adc_plugins_detect.dynamics.threshold_samples import (
    Mask,
    below_threshold,
    combine_runs,
    draw_threshold_samples,
    with_extra_class,
)
from adc_plugins_detect.inputs import as_ids, as_labels, as_mask
from adc_plugins_detect.options import Share, WholeNumber
from adc_plugins_detect.scoring import FLAG_RATE, flag_top_fraction, softsign_to_unit


@array_function
def aum(
    labels: ArrayLike,
    evidence: Dynamics | ArrayLike,
    *,
    skip_epochs: WholeNumber = 1,
    flag_rate: Share = FLAG_RATE,
    threshold_samples: ArrayLike | None = None,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find wrong labels by the area under the margin (Pleiss et al., NeurIPS 2020).

    A margin is the logit of the given label less the largest other logit; the area is its mean
    over the epochs. Suspicion is (1 - a / (1 + |a|)) / 2 of the area a: it orders samples as the
    area does, and an area of zero lands at 0.5.

    The paper's threshold needs a training with an extra class: a share of the samples, drawn at
    random, is labelled with it, so that their labels are surely wrong. A sample is flagged if
    more than one in a hundred of these have a larger area. Without them a share is flagged.

    Args:
        labels: N given labels.
        evidence: training dynamics, or their N × E margins (of logits, not of probabilities), NaN
            in epochs in which a sample was not seen: the mean is over the others.
        skip_epochs: leave out the first epochs, in which the network has learned nothing yet.
        flag_rate: without threshold samples, share of the samples to flag, the smallest areas
            first; ties: the first wins.
        threshold_samples: N booleans: labelled with the extra class in that training. They are
            not judged.
        ids: N texts; by default the row numbers.

    Returns:
        Findings; with threshold samples also the share of flagged among judged samples as noise
        rate.

    Raises:
        InputError: arrays of other shapes, no epoch left, no threshold sample or nothing else.
    """
    given = as_labels(labels)
    margins = seen_curves_of(given, evidence, "margin")
    E = margins.shape[1]
    if skip_epochs >= E:
        raise InputError(
            f"skip_epochs is {skip_epochs} of {E} recorded epochs: choose one of 0…{E - 1}"
        )
    judged_by = margins[:, skip_epochs:]
    refuse_unseen(np.isnan(judged_by), "margin")
    areas = mean_of_epochs(judged_by)
    suspicion, texts = softsign_to_unit(-areas), as_ids(ids, len(given))
    if threshold_samples is None:
        return Findings(
            ids=texts, suspicion=suspicion, flagged=flag_top_fraction(-areas, flag_rate)
        )
    judged = ~as_mask(threshold_samples, len(given), "threshold_samples")
    flagged = judged & below_threshold(areas, areas[~judged])
    return Findings(
        ids=texts,
        suspicion=np.where(judged, suspicion, np.nan),
        flagged=flagged,
        covered=judged,
        noise_rate=float(flagged[judged].mean()),
    )


class Aum(Detector):
    """Ranks labels by the mean margin of their logit over training, or flags them by threshold.

    Without a learner it reads `dynamics` and ranks. With one it finds the paper's threshold by
    itself: it trains twice, each time on other threshold samples, and flags what both trainings
    flag; a sample is judged only by trainings in which it kept its label. The paper trains for
    150 epochs at a constant learning rate.
    """

    requires: ClassVar[tuple[str, ...]] = ("dynamics",)

    skip_epochs: WholeNumber = Field(default=1, description="leave out so many first epochs")
    flag_rate: Share = Field(
        default=FLAG_RATE, description="without a learner, share of the samples to flag"
    )
    learner: Learner | None = Field(
        default=None, description="trains twice with threshold samples, instead of reading dynamics"
    )
    seed: WholeNumber = Field(default=0, description="with a learner, draws the threshold samples")

    @property
    def required_columns(self) -> tuple[str, ...]:
        """What the learner needs, or dynamics without one."""
        return self.requires if self.learner is None else self.learner.required_columns

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's dynamics, or by two trainings of its own.

        Raises:
            InputError: the learner records no dynamics, there are fewer samples than classes, or
                the dataset does not suit the options.
        """
        if self.learner is None:
            return aum(
                dataset.labels,
                dynamics_of(dataset),
                skip_epochs=self.skip_epochs,
                flag_rate=self.flag_rate,
                ids=dataset.ids,
            )
        masks = draw_threshold_samples(len(dataset), len(dataset.classes), self.seed)
        return combine_runs([self._run(self.learner, dataset, mask) for mask in masks])

    def _run(self, learner: Learner, dataset: Dataset, threshold_samples: Mask) -> Findings:
        """Train once and judge; the threshold samples are no part of the findings."""
        known = with_extra_class(dataset, threshold_samples)
        return aum(
            known.labels,
            dynamics_seen_by(learner, known),
            skip_epochs=self.skip_epochs,
            threshold_samples=threshold_samples,
            ids=dataset.ids,
        )
