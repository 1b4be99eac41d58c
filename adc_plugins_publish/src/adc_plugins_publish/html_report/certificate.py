"""What a review by people certifies of the curated dataset, as the page says it."""

import json
from pathlib import Path

from adc_core import Run

CERTIFICATE = Path("review", "certificate.json")
"""What `adc certify` leaves in a run directory; of it, its text and what it is about are read."""


def certificate_lines(folder: Path, run: Run) -> list[str]:
    """Return the lines of the certificate, or one that says that it is of another dataset.

    Nothing where there is none or where it cannot be read: it is no part of the run.

    Args:
        folder: the run directory.
        run: its records.
    """
    try:
        stored = json.loads((folder / CERTIFICATE).read_text(encoding="utf-8"))
        lines, left = [str(line) for line in stored["text"]], stored["left"]
        least = "" if stored["min_votes"] is None else f", min_votes: {stored['min_votes']}"
        curator = f"{{use: votes, rule: {stored['rule']}{least}}}"
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []
    if left == run.curated.fingerprint_of("ids", "labels"):
        return lines
    return [
        "The certificate in review/ is of another dataset than this one: of what the curator "
        f"{curator} leaves. Put this last among the curators, or certify again."
    ]
