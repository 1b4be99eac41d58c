"""The files that a finished run leaves for people."""

from pathlib import Path

from adc_core.components.installed import installed_packages

REPORT = "report.html"
"""The page that adc-plugins-publish writes."""

PARQUET, CSV = "findings.parquet", "findings.csv"
"""The table of findings, and the same for a spreadsheet."""

RESULTS = (REPORT, PARQUET, CSV)
"""All of them: what must not be written over."""

_WRITER = "adc-plugins-publish"


def report_line(folder: Path) -> str:
    """Say where the report of a run is, or how to get one.

    Args:
        folder: the run directory.
    """
    if (folder / REPORT).exists():
        return f"report: {folder / REPORT}"
    if _WRITER not in installed_packages():
        return f"run: {folder} (pip install {_WRITER} writes a report of it)"
    return f"run: {folder}"
