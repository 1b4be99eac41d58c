"""Drops: a post-hoc correction for the worst distribution of classes that is near a target."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import InputError
from adc_plugins_learn.posthocs.logit_adjustment import class_log_prior
from adc_plugins_learn.training.networks.calibration import fit_temperature
from adc_plugins_learn.training.parts import Posthoc

_HALVINGS = 100


def worst_case_weights(
    logits: NDArray[np.floating],
    labels: NDArray[np.integer],
    prior: NDArray[np.floating],
    delta: float,
    *,
    step: float = 0.5,
    iterations: int = 400,
) -> NDArray[np.float64]:
    """Find the class weights g, KL(g ‖ uniform) ≤ δ, on which corrected predictions do worst.

    Predictions are softmax(z + log g − log π). Exponentiated gradient ascent on the classes' mean
    losses; in each step the multiplier of the constraint is found by bisection, so that it holds
    exactly (Wei et al., "Distributionally robust post-hoc classifiers under prior shifts", ICLR
    2023; its code lets the multiplier become negative).

    Args:
        logits: M × K of held-out samples, calibrated.
        labels: M class indices, every class among them.
        prior: K parts of the training samples.
        delta: δ ≥ 0, in nats; 0 gives the uniform weights, log K and more do not bind.
        step: of the ascent.
        iterations: how many.

    Returns:
        K numbers that sum to 1.
    """
    classes = logits.shape[1]
    z, log_prior = logits.astype(np.float64), np.log(np.maximum(prior, 1e-12))
    uniform = np.full(classes, -np.log(classes))
    counts = np.bincount(labels, minlength=classes)
    log_g = uniform
    for _ in range(iterations):
        corrected = z + log_g - log_prior
        corrected -= corrected.max(axis=1, keepdims=True)
        log_p = corrected - np.log(np.exp(corrected).sum(axis=1, keepdims=True))
        own = -log_p[np.arange(len(labels)), labels]
        losses = np.bincount(labels, own, minlength=classes) / counts
        log_g = _ascended(log_g, step * losses, uniform, delta)
    weights = np.exp(log_g)
    return np.asarray(weights / weights.sum(), np.float64)


def _ascended(
    log_g: NDArray[np.float64],
    gain: NDArray[np.float64],
    uniform: NDArray[np.float64],
    delta: float,
) -> NDArray[np.float64]:
    """Step, and draw back towards the uniform weights until the constraint holds."""

    def drawn(back: float) -> NDArray[np.float64]:
        moved = (1 - back) * (log_g + gain) + back * uniform
        top = moved - moved.max()
        return np.asarray(top - np.log(np.exp(top).sum()), np.float64)

    def distance(there: NDArray[np.float64]) -> float:
        return float(np.exp(there) @ (there - uniform))

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
    class weights within KL(g ‖ uniform) ≤ δ on which the held-out samples are predicted worst;
    logits are calibrated first. Wei et al., ICLR 2023 (arXiv 2309.08825). δ = 0 is post-hoc
    `logit-adjustment`.

    Traps: held-out labels should be right, and every class needs some, at least 20: less is noise.
    Once only, after plain training.
    """

    delta: float = Field(1, ge=0, description="δ: in nats; 0: all classes alike")

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
        weights = worst_case_weights(logits / temperature, labels, np.exp(log_prior), self.delta)
        return np.asarray(temperature * (np.log(weights) - log_prior), np.float64)
