"""`adc recommend`: which detector suits a dataset."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import Command, InputError

if TYPE_CHECKING:
    from adc_core import Detector, Encoder, Enricher, Pipeline

_SAMPLES, _SEEDS = 5000, 3


class RecommendCommand(Command):
    """Try detectors on noise that is simulated on a dataset, and say which to use on it."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc recommend`."""
        parser.add_argument("dataset", type=Path, help="whatever `adc detect` takes")
        parser.add_argument(
            "--encoder",
            metavar="NAME[:OPTIONS]",
            help="what makes features of images (default: what `adc detect` takes)",
        )
        parser.add_argument("--fast", action="store_true", help="image patches: no network at all")
        parser.add_argument(
            "--dynamics",
            nargs="?",
            const="cross-entropy",
            metavar="LEARNER[:OPTIONS]",
            help="try detectors of training dynamics too: one training for each trial",
        )
        parser.add_argument(
            "--samples",
            type=int,
            default=_SAMPLES,
            help=f"to try on, at most, drawn at random (default: {_SAMPLES:,})",
        )
        parser.add_argument(
            "--seeds",
            type=int,
            default=_SEEDS,
            help=f"trials of each kind of noise (default: {_SEEDS})",
        )
        parser.add_argument(
            "--to", type=Path, metavar="FILE.yaml", help="write the recommended pipeline here"
        )
        parser.add_argument(
            "--out",
            type=Path,
            help="the run directory with features of images (default: runs/NAME-recommend)",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Try, print the table and the advice, write the pipeline.

        Raises:
            InputError: there is no such dataset, it has neither images nor features or too few
                samples, or the file to write exists.
        """
        from adc_core.cli import shown_work
        from adc_plugins_detect.trial.candidates import (
            EVIDENCE,
            USUAL,
            ground_of,
            installed_detectors,
            prepared,
            some_samples,
        )
        from adc_plugins_detect.trial.choice import choose
        from adc_plugins_detect.trial.evidence import by_evidence, read_with_features, training
        from adc_plugins_detect.trial.printed import (
            advice,
            ground_line,
            left_out_lines,
            summary_table,
        )
        from adc_plugins_detect.trial.trials import TOGETHER, run_trials

        path, to = arguments.dataset, arguments.to
        if to is not None and to.exists():
            raise InputError(f"{to} already exists: remove it, or give another --to")
        for flag in ("samples", "seeds"):
            if getattr(arguments, flag) < 1:
                raise InputError(f"--{flag} is {getattr(arguments, flag)}: give 1 or more")
        folder = arguments.out or Path("runs", f"{_name_of(path)}-recommend")
        dynamics = training(arguments.dynamics)
        dataset, encoder = read_with_features(
            path, arguments.encoder, fast=arguments.fast, folder=folder
        )
        if dynamics is not None and dataset.images is None:
            raise InputError(f"--dynamics: {path} has no images to train on: leave it out")
        some = some_samples(dataset, arguments.samples, 0)
        detectors = installed_detectors((*EVIDENCE, *(("dynamics",) if dynamics else ())))
        with shown_work("trials", folder):
            ground = ground_of(some, detectors, rate=None)
            trials = run_trials(
                ground.base,
                detectors,
                ground.kinds,
                prepared(dynamics),
                arguments.seeds,
                by_evidence(detectors),
            )
        choice = choose(trials, USUAL)
        print(ground_line(ground, trials, len(some)))
        print(f"\n{summary_table(trials)}\n")
        for line in left_out_lines(trials):
            print(line)
        print(advice(choice))
        if to is not None:
            members = [detectors[name] for name in choice.recommended.split(TOGETHER)]
            text = _pipeline(path, encoder, members, dynamics).to_yaml(to.resolve().parent)
            to.write_text(text, encoding="utf-8")
            print(f"pipeline: {to}")
        return 0


def _name_of(path: Path) -> str:
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.stem


def _pipeline(
    path: Path,
    encoder: "Encoder | None",
    members: "list[Detector]",
    dynamics: "Enricher | None",
) -> "Pipeline":
    """Write down what was tried: the same evidence, and one detector or several together."""
    from adc_core import Enricher, Pipeline, create
    from adc_plugins_detect.detectors.ensemble import Ensemble

    read = {str(column) for one in members for column in one.required_columns}
    enrichers = []
    if "probabilities" in read:
        enrichers.append(create(Enricher, {"use": "adc-plugins-detect/ridge-probe"}))
    if "dynamics" in read and dynamics is not None:
        enrichers.append(dynamics)
    together = members[0] if len(members) == 1 else Ensemble(detectors=tuple(members))
    return Pipeline(
        dataset=path.resolve(), encoder=encoder, enrichers=tuple(enrichers), detectors=(together,)
    )
