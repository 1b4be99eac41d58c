"""`adc certify`: how many labels are wrong at most, after a review."""

import argparse
from pathlib import Path

from adc_core import Command


class CertifyCommand(Command):
    """Bound how many labels are still wrong after a review, with stated confidence."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc certify`."""
        parser.add_argument("folder", type=Path, help="a run directory with a review")
        parser.add_argument(
            "--of",
            choices=("test",),
            help="test: the test set that people picked, in place of the dataset under review",
        )
        parser.add_argument(
            "--votes",
            type=Path,
            metavar="FILE",
            help="table of votes, .csv or .parquet (default: FOLDER/review/votes.parquet)",
        )
        parser.add_argument(
            "--rule",
            choices=("majority", "no-objection", "unanimous"),
            help="how three votes a sample are counted (default: majority)",
        )
        parser.add_argument(
            "--confidence", type=float, help="from 0 to 1 (default: what the plan says)"
        )
        parser.add_argument(
            "--now",
            action="store_true",
            help="do not wait for open samples: count them as wrong",
        )
        parser.add_argument("--json", action="store_true", help="print the certificate as JSON")

    def run(self, arguments: argparse.Namespace) -> int:
        """Print the certificate, and write it beside the votes.

        Raises:
            InputError: there is no plan or no vote, or they are of another dataset.
            WorkError: a file is damaged, or the disk refuses.
        """
        from adc_core.storage import atomic_file, write_json
        from adc_plugins_review.actions.certificate_text import lines_of_certificate
        from adc_plugins_review.actions.certify_review import certify_review
        from adc_plugins_review.campaign.plan import REVIEW

        found = certify_review(
            arguments.folder,
            of=arguments.of or "dataset",
            votes=arguments.votes,
            rule=arguments.rule,
            confidence=arguments.confidence,
            now=arguments.now,
        )
        name = "certificate.json" if found.of == "dataset" else "certificate-test.json"
        path = arguments.folder / REVIEW / name
        lines = lines_of_certificate(found)
        with atomic_file(path) as part:
            write_json(part, found.model_dump(mode="json") | {"text": lines})
        print(path.read_text(encoding="utf-8").rstrip() if arguments.json else "\n".join(lines))
        return 0
