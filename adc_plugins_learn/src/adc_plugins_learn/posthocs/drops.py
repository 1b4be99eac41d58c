"""Drops: a post-hoc correction for the worst distribution of classes that is near a target."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import InputError
from adc_plugins_learn.metrics.delta_worst_accuracy import Divergence
from adc_plugins_learn.posthocs.logit_adjustment import class_log_prior
from adc_plugins_learn.training.networks.calibration import fit_temperature
from adc_plugins_learn.training.parts import Posthoc

_HALVINGS = 100
_NEWTON_STEPS = 12


def worst_case_weights(
    logits: NDArray[np.floating],
    labels: NDArray[np.integer],
    prior: NDArray[np.floating],
    delta: float,
    *,
    divergence: Divergence = "kl",
    step: float = 0.5,
    iterations: int = 400,
) -> NDArray[np.float64]:
    """Find the class weights g within δ of uniform ones on which corrected predictions do worst.

    Predictions are softmax(z + log g − log π). Mirror ascent on the classes' mean losses, for
    KL(g ‖ uniform) by exponentiated gradients; in each step the multiplier of the constraint is
    found by bisection, so that it holds exactly (Wei et al., "Distributionally robust post-hoc
    classifiers under prior shifts", ICLR 2023; its code lets the multiplier become negative).

    Args:
        logits: M × K of held-out samples, calibrated.
        labels: M class indices, every class among them.
        prior: K parts of the training samples.
        delta: δ ≥ 0, in nats; 0 gives the uniform weights. Of KL, log K and more do not bind.
        divergence: kl for KL(g ‖ uniform), reverse-kl for KL(uniform ‖ g).
        step: of the ascent.
        iterations: how many.

    Returns:
        K numbers that sum to 1.
    """
    classes = logits.shape[1]
    z, log_prior = logits.astype(np.float64), np.log(np.maximum(prior, 1e-12))
    counts = np.bincount(labels, minlength=classes)
    ascended = _ascended if divergence == "kl" else _ascended_in_reverse
    log_g = np.full(classes, -np.log(classes))
    for _ in range(iterations):
        corrected = z + log_g - log_prior
        corrected -= corrected.max(axis=1, keepdims=True)
        log_p = corrected - np.log(np.exp(corrected).sum(axis=1, keepdims=True))
        own = -log_p[np.arange(len(labels)), labels]
        losses = np.bincount(labels, own, minlength=classes) / counts
        log_g = ascended(log_g, step * losses, delta)
    weights = np.exp(log_g)
    return np.asarray(weights / weights.sum(), np.float64)


def _ascended(
    log_g: NDArray[np.float64], gain: NDArray[np.float64], delta: float
) -> NDArray[np.float64]:
    """Step, and draw back towards the uniform weights until KL(g ‖ uniform) ≤ δ."""
    uniform = -np.log(len(log_g))

    def drawn(back: float) -> NDArray[np.float64]:
        moved = (1 - back) * (log_g + gain) + back * uniform
        top = moved - moved.max()
        return np.asarray(top - np.log(np.exp(top).sum()), np.float64)

    def distance(there: NDArray[np.float64]) -> float:
        return float(np.exp(there) @ (there - uniform))

    return _drawn_back(drawn, distance, delta)


def _ascended_in_reverse(
    log_g: NDArray[np.float64], gain: NDArray[np.float64], delta: float
) -> NDArray[np.float64]:
    """Step, and draw back towards the uniform weights until KL(uniform ‖ g) ≤ δ.

    The mirror map is that divergence itself, so that −u/g takes the place of log g.
    """
    share = 1 / len(log_g)

    def drawn(back: float) -> NDArray[np.float64]:
        moved = (1 - back) * (gain - share * np.exp(-log_g)) - back
        below, shift = moved.max() - moved, share
        # The sum is convex and falls in the shift: from the left Newton never passes the root.
        for _ in range(_NEWTON_STEPS):
            g = share / (shift + below)
            shift += (g.sum() - 1) / (g / (shift + below)).sum()
        return np.asarray(np.log(share / (shift + below)), np.float64)

    def distance(there: NDArray[np.float64]) -> float:
        return float(np.log(share) - there.mean())

    return _drawn_back(drawn, distance, delta)


def _drawn_back(
    drawn: Callable[[float], NDArray[np.float64]],
    distance: Callable[[NDArray[np.float64]], float],
    delta: float,
) -> NDArray[np.float64]:
    """Find the least part of the way back, 0 … 1, at which the constraint holds."""
    if distance(drawn(0)) <= delta:
        return drawn(0)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if distance(drawn(middle)) > delta else (low, middle)
    return drawn(high)


class Drops(Posthoc):
    """Corrects for the worst distribution of classes within a distance of the uniform one.

    Predicts by log p + log(gₖ/πₖ), where π are the classes' parts of the training labels and g the
    class weights within δ of the uniform ones on which the held-out samples are predicted worst;
    logits are calibrated first. Wei et al., ICLR 2023 (arXiv 2309.08825). δ = 0 is post-hoc
    `logit-adjustment`.

    Traps: held-out labels should be right, and every class needs some, at least 20: less is noise.
    Once only, after plain training.
    """

    delta: float = Field(default=1, ge=0, description="δ: in nats; 0: all classes alike")
    divergence: Divergence = Field(
        default="kl", description="KL(g ‖ uniform), or reverse-kl: KL(uniform ‖ g)"
    )

    def shift(
        self,
        logits: NDArray[np.float32],
        labels: NDArray[np.int64],
        class_counts: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """Return log g − log π in the scale of the logits.

        Raises:
            InputError: a class has no held-out sample.
        """
        missing = np.flatnonzero(np.bincount(labels, minlength=logits.shape[1]) == 0)
        if len(missing):
            raise InputError(
                f"drops needs held-out samples of every class: of class {missing[0]} there are "
                "none: raise validation_fraction"
            )
        log_prior = class_log_prior(class_counts)
        temperature = fit_temperature(logits, labels)
        weights = worst_case_weights(
            logits / temperature,
            labels,
            np.exp(log_prior),
            self.delta,
            divergence=self.divergence,
        )
        return np.asarray(temperature * (np.log(weights) - log_prior), np.float64)
