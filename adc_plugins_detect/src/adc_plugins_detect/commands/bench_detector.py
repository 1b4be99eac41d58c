"""`adc bench-detector`: how good one detector is, beside others."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import Command, InputError

if TYPE_CHECKING:
    from adc_core import Detector
    from adc_plugins_detect.trial.trials import Trials

BESIDE = (
    "self-confidence",
    "confident-learning",
    "cores",
    "simifeat",
    "deep-knn",
    "label-propagation",
    "class-gaussians",
    "aum",
    "small-loss",
    "forgetting",
)
"""First-party detectors that another is compared with, where their evidence is there."""

_SAMPLES, _SEEDS, _RATE = 5000, 3, 0.2


class BenchDetectorCommand(Command):
    """Try one detector on simulated noise of every kind, beside those of ADC."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc bench-detector`."""
        parser.add_argument("detector", metavar="NAME[:OPTIONS]", help="the detector to try")
        parser.add_argument(
            "--dataset",
            type=Path,
            help="whatever `adc detect` takes (default: 1,797 scanned digits of scikit-learn)",
        )
        parser.add_argument(
            "--rate", type=float, default=_RATE, help=f"of wrong labels (default: {_RATE})"
        )
        parser.add_argument(
            "--seeds",
            type=int,
            default=_SEEDS,
            help=f"trials of each kind of noise (default: {_SEEDS})",
        )
        parser.add_argument(
            "--dynamics",
            nargs="?",
            const="cross-entropy",
            metavar="LEARNER[:OPTIONS]",
            help="make training dynamics too: one training for each trial",
        )
        parser.add_argument(
            "--plot", type=Path, metavar="FILE", help="draw the table; needs matplotlib"
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Try the detector, print the tables, draw them.

        Raises:
            InputError: there is no such detector or dataset, the detector reads what is not made
                here, or matplotlib is missing.
        """
        from adc_core import Detector
        from adc_core.cli import component_from, shown_work
        from adc_plugins_detect.trial.candidates import (
            EVIDENCE,
            ground_of,
            installed_detectors,
            prepared,
            some_samples,
        )
        from adc_plugins_detect.trial.evidence import digits, read_with_features, training
        from adc_plugins_detect.trial.printed import (
            ground_line,
            kinds_table,
            left_out_lines,
            summary_table,
        )
        from adc_plugins_detect.trial.trials import run_trials

        if not 0 < arguments.rate < 0.5:
            raise InputError(f"--rate is {arguments.rate}: give a share above 0 and below 0.5")
        if arguments.seeds < 1:
            raise InputError(f"--seeds is {arguments.seeds}: give 1 or more")
        if arguments.plot is not None:
            _require_matplotlib()
        tried = component_from(Detector, "NAME", arguments.detector)
        dynamics = training(arguments.dynamics)
        path: Path | None = arguments.dataset
        folder = Path("runs", f"{'digits' if path is None else path.resolve().stem}-bench")
        if path is None:
            dataset = digits()
        else:
            dataset, _ = read_with_features(path, None, fast=False, folder=folder)
        have = {*EVIDENCE, *(("images",) if dataset.images is not None else ())}
        have |= {"dynamics"} if dynamics is not None and "images" in have else set()
        _refuse_unread(arguments.detector, tried, have)
        known = installed_detectors(have)
        detectors = {name: known[name] for name in BESIDE if name in known}
        detectors[arguments.detector] = tried
        some = some_samples(dataset, _SAMPLES, 0)
        with shown_work("trials", folder):
            ground = ground_of(some, detectors, trusted=path is None, rate=arguments.rate)
            trials = run_trials(
                ground.base, detectors, ground.kinds, prepared(dynamics), arguments.seeds
            )
        print(ground_line(ground, trials, len(some)))
        print(f"\n{kinds_table(trials, arguments.detector)}\n\n{summary_table(trials)}")
        for line in left_out_lines(trials):
            print(line)
        if arguments.plot is not None:
            _draw(trials, arguments.detector, arguments.plot)
            print(f"plot: {arguments.plot}")
        return 1 if arguments.detector in trials.left_out else 0


def _refuse_unread(name: str, detector: "Detector", have: set[str]) -> None:
    lacking = [str(column) for column in detector.required_columns if column not in have]
    if lacking == ["dynamics"]:
        raise InputError(f"{name} reads training dynamics: add --dynamics, and a dataset of images")
    if lacking:
        raise InputError(
            f"{name} reads {' and '.join(lacking)}, which trials do not make: they have "
            f"{', '.join(sorted(have))}"
        )


def _require_matplotlib() -> None:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise InputError("--plot needs matplotlib: pip install matplotlib")


def _draw(trials: "Trials", marked: str, path: Path) -> None:
    """Draw the average precision of each detector under each kind of noise."""
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(trials.kinds))
    for name, values in zip(trials.names, trials.average_precision, strict=True):
        axes.errorbar(
            places,
            values.mean(axis=1),
            np.ptp(values, axis=1) / 2,
            label=name,
            linewidth=3 if name == marked else 1,
            marker="o",
        )
    axes.set_xticks(places, trials.kinds)
    axes.set_ylabel("average precision")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    figure.savefig(path)
