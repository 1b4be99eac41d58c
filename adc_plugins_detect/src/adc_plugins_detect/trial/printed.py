"""What the terminal shows of trials."""

import numpy as np

from adc_core.reporting import table
from adc_plugins_detect.trial.candidates import Ground
from adc_plugins_detect.trial.choice import SURE, Choice
from adc_plugins_detect.trial.trials import Trials


def ground_line(ground: Ground, trials: Trials, total: int) -> str:
    """Say on what was tried."""
    rest = f"{ground.left_out:,} of {total:,} left out as the most suspicious"
    how = rest if ground.left_out else "all labels taken to be right"
    _, kinds, seeds = trials.f1.shape
    return (
        f"{len(ground.base):,} samples, {how}; {ground.rate:.0%} wrong labels simulated: "
        f"{kinds} kinds of noise, {kinds * seeds} trials"
    )


def summary_table(trials: Trials) -> str:
    """Tabulate all candidates, the best first: means, and the worst kind of noise."""
    rows = []
    for place in _best_first(trials):
        of_kinds = trials.average_precision[place].mean(axis=1)
        rows.append(
            [
                trials.names[place],
                f"{of_kinds.mean():.3f}",
                f"{of_kinds.min():.3f}",
                trials.kinds[int(of_kinds.argmin())],
                f"{trials.f1[place].mean():.3f}",
                f"{trials.seconds[place]:.2f}",
                f"{trials.megabytes[place]:.0f}",
            ]
        )
    head = ["", "average precision", "worst", "under", "F1 at budget", "seconds", "MB"]
    return table(head, rows)


def kinds_table(trials: Trials, marked: str) -> str:
    """Tabulate the average precision under each kind of noise; a star marks one candidate."""
    rows = []
    for place in _best_first(trials):
        name = trials.names[place]
        of_kinds = trials.average_precision[place].mean(axis=1)
        cells = [f"{value:.3f}" for value in (of_kinds.mean(), *of_kinds)]
        rows.append([f"* {name}" if name == marked else name, *cells])
    return table(["average precision", "mean", *trials.kinds], rows)


def left_out_lines(trials: Trials) -> list[str]:
    """Name the detectors that failed, and why."""
    return [f"left out: {name}: {reason}" for name, reason in trials.left_out.items()]


def advice(choice: Choice) -> str:
    """Say which to use, and how sure that is."""
    if choice.best == choice.usual:
        return f"use {choice.usual}, as `adc detect` does: nothing that was tried is better"
    gain = (
        f"{choice.best} has {choice.gain:+.3f} average precision on {choice.usual}; a choice made "
        f"so gains {choice.low:+.3f}…{choice.high:+.3f} (90 %) under other noise, and anything at "
        f"all with probability {choice.probability:.2f}"
    )
    if choice.recommended == choice.usual:
        less = f"less than {SURE:+.2f} at the low end has been no gain on the mistakes of people"
        return f"use {choice.usual}, as `adc detect` does: {gain}; {less}"
    return f"use {choice.recommended}: {gain}"


def _best_first(trials: Trials) -> list[int]:
    means = trials.average_precision.mean(axis=(1, 2))
    return [int(place) for place in np.argsort(-means, kind="stable")]
