"""`adc train-lstm-dynamics`: weights of the detector `lstm-dynamics` from a recipe."""

import argparse
from pathlib import Path

from adc_core import Command, InputError, read_dataset


class TrainLstmDynamicsCommand(Command):
    """Train weights of the detector lstm-dynamics on simulated noise."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc train-lstm-dynamics`."""
        parser.add_argument("recipe", type=Path, help="the recipe: a YAML file")
        parser.add_argument("--out", type=Path, required=True, help="the weights: .safetensors")
        parser.add_argument(
            "--from", type=Path, dest="start", metavar="WEIGHTS", help="continue from these weights"
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Train and write the weights; trainings on simulated noise are kept in OUT.work.

        Raises:
            InputError: the recipe, its data or the weights to go on from are wrong, the output
                exists, or torch is missing.
            WorkError: a training failed, or the weights cannot be written.
        """
        from adc_core.cli import shown_work
        from adc_plugins_detect.dynamics.lstm_network import (
            LstmNetwork,
            read_network,
            write_network,
        )
        from adc_plugins_detect.lstm_training.fitting import fit, require_torch
        from adc_plugins_detect.lstm_training.recipe import Recipe
        from adc_plugins_detect.lstm_training.series import make_series

        require_torch()
        recipe, out = Recipe.read(arguments.recipe), arguments.out
        if out.exists():
            raise InputError(f"{out} already exists: remove it, or give another --out")
        start = None if arguments.start is None else read_network(arguments.start)
        if start is not None and start.length != recipe.length:
            raise InputError(
                f"{arguments.start} reads series of {start.length} steps, not {recipe.length}: "
                f"write length: {start.length} into the recipe"
            )
        folder = out.with_name(f"{out.name}.work")
        series = make_series(recipe, read_dataset(recipe.dataset), folder)
        with shown_work("detector", folder):
            fitted = fit(
                *series,
                epochs=recipe.epochs,
                learning_rate=recipe.learning_rate,
                seed=recipe.seed,
                start=start,
            )
        facts = {
            "recipe": recipe.facts,
            "from": start and start.facts,
            "series": len(series.values),
            "epoch": fitted.epoch,
            "held_out_average_precision": round(fitted.average_precision, 4),
            "held_out_accuracy": round(fitted.accuracy, 4),
        }
        write_network(LstmNetwork(fitted.tensors, recipe.length, facts), out)
        print(
            f"{out}: average precision {fitted.average_precision:.3f} and accuracy "
            f"{fitted.accuracy:.3f} on the series held out, after epoch {fitted.epoch}"
        )
        return 0
