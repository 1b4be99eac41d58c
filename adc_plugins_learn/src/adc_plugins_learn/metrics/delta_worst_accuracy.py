"""The worst accuracy over all distributions of classes within a distance of the uniform one."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import InputError, Measurement, Metric, Run
from adc_plugins_learn.metrics.accuracy import class_accuracies

Divergence = Literal["kl", "reverse-kl"]
_HALVINGS = 200


def delta_worst_accuracy(
    accuracies: ArrayLike,
    deltas: ArrayLike,
    *,
    prior: ArrayLike | None = None,
    divergence: Divergence = "kl",
) -> NDArray[np.float64]:
    """Compute min Σ gₖ·aₖ over class weights g with D(g, u) ≤ δ, exactly, by its dual.

    With KL(g ‖ u) the minimum is at gₖ ∝ uₖ·exp(−β·aₖ), with KL(u ‖ g) at gₖ ∝ uₖ/(aₖ + c); the one
    number is found by bisection. Wei et al., ICLR 2023 (arXiv 2309.08825); δ = 0 is the mean, δ of
    infinity the worst class, which KL reaches at −log of its weight.

    Args:
        accuracies: K of the classes; of classes without test samples leave them out.
        deltas: D distances ≥ 0 in nats, infinity among them.
        prior: u, K positive numbers that sum to 1; without it uniform.
        divergence: kl for KL(g ‖ u), reverse-kl for KL(u ‖ g).

    Returns:
        D accuracies, not increasing in δ.

    Raises:
        InputError: other shapes, a negative δ, numbers that are not finite, a prior that does not
            sum to 1.
    """
    a = np.asarray(accuracies, np.float64)
    distances = np.atleast_1d(np.asarray(deltas, np.float64))
    if a.ndim != 1 or not len(a) or not np.isfinite(a).all():
        raise InputError("accuracies are K finite numbers: leave out classes without test samples")
    if distances.ndim != 1 or np.isnan(distances).any() or (distances < 0).any():
        raise InputError("deltas are numbers from 0, in nats")
    u = np.full(len(a), 1 / len(a)) if prior is None else np.asarray(prior, np.float64)
    if u.shape != a.shape or not (u > 0).all() or abs(u.sum() - 1) > 1e-6:
        raise InputError(f"a prior is {len(a)} positive numbers that sum to 1")
    above = a - a.min()
    solve = _kl if divergence == "kl" else _reverse_kl
    return np.asarray(a.min() + solve(above, u, distances), np.float64)


def _kl(
    above: NDArray[np.float64], u: NDArray[np.float64], deltas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute what remains above the worst class: D numbers."""
    worst = u[above == 0].sum()
    inside = (deltas > 0) & (deltas < -np.log(worst))

    def weights(beta: NDArray[np.float64]) -> NDArray[np.float64]:
        g = u * np.exp(-beta[:, None] * above)
        return np.asarray(g / g.sum(axis=1, keepdims=True))

    def distance(beta: NDArray[np.float64]) -> NDArray[np.float64]:
        # Σ g·log(g/u): log(g/u) = −β·a − log Σ u·exp(−β·a)
        total = (u * np.exp(-beta[:, None] * above)).sum(axis=1)
        return np.asarray(-beta * (weights(beta) @ above) - np.log(total))

    result = np.where(deltas > 0, 0.0, u @ above)
    if inside.any():
        wanted = deltas[inside]
        low, high = np.zeros_like(wanted), np.ones_like(wanted)
        while (short := distance(high) < wanted).any():
            high = np.where(short, 2 * high, high)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            short = distance(middle) < wanted
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        result[inside] = weights(low) @ above
    return result


def _reverse_kl(
    above: NDArray[np.float64], u: NDArray[np.float64], deltas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute what remains above the worst class; it is reached only at infinity."""
    result = np.where(np.isinf(deltas), 0.0, u @ above)
    inside = (deltas > 0) & np.isfinite(deltas)
    if not inside.any() or not above.any():
        return result

    def weights(log_c: NDArray[np.float64]) -> NDArray[np.float64]:
        g = u / (above + np.exp(log_c)[:, None])
        return np.asarray(g / g.sum(axis=1, keepdims=True))

    def distance(log_c: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((u * (np.log(u) - np.log(weights(log_c)))).sum(axis=1))

    wanted = deltas[inside]
    low, high = np.full_like(wanted, -600.0), np.full_like(wanted, 40.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        far = distance(middle) > wanted
        low, high = np.where(far, middle, low), np.where(far, high, middle)
    result[inside] = weights(high) @ above
    return result


class DeltaWorstAccuracy(Metric):
    """Measures the accuracy on the worst distribution of classes near the uniform one.

    For each δ the minimum of Σ gₖ·(accuracy of class k) over class weights g within D(g, uniform)
    ≤ δ nats: 0 is the mean of the classes, infinity, which always comes last, the worst of them;
    with KL nothing changes beyond log K. Classes without test samples are left out.
    """

    requires = ("test",)

    deltas: tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...] = Field(
        default=(0.0, 0.1, 0.5, 1.0, 2.0), description="δ: distances in nats"
    )
    divergence: Divergence = Field(
        default="kl", description="KL(g ‖ uniform), or reverse-kl: KL(uniform ‖ g)"
    )

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every training at every δ."""
        if run.test is None:
            return ()
        test = run.test
        found: list[Measurement] = []
        for training in run.trainings:
            if training.predictions is None:
                continue
            each = class_accuracies(training.predictions.labels, test.labels, len(test.classes))
            deltas = (*self.deltas, np.inf)
            values = delta_worst_accuracy(each[~np.isnan(each)], deltas, divergence=self.divergence)
            found += _measured(training.subject, deltas, values, self.divergence)
        return tuple(found)


def _measured(
    subject: str, deltas: Sequence[float], values: NDArray[np.float64], divergence: Divergence
) -> list[Measurement]:
    by = "" if divergence == "kl" else ", reverse KL"
    return [
        Measurement(
            metric=f"δ-worst accuracy, δ = {'∞' if np.isinf(delta) else f'{delta:g}'}{by}",
            subject=subject,
            value=float(value),
            better="higher",
        )
        for delta, value in zip(deltas, values, strict=True)
    ]
