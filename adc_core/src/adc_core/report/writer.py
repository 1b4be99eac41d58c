"""The listener that writes the report when a run is finished."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core.listeners import hookimpl
from adc_core.report import REPORT

if TYPE_CHECKING:
    from adc_core.run import Run


class ReportWriter:
    """Writes `report.html` into the run directory; needs `adc-core[report]`."""

    @hookimpl
    def adc_run_finished(self, folder: Path, run: "Run") -> None:
        """Render the run."""
        try:
            from adc_core.report.page import render
        except ImportError as error:
            warnings.warn(
                f"no report is written ({error.name} is missing): pip install 'adc-core[report]'",
                stacklevel=2,
            )
            return
        new = folder / f".{REPORT}.new"
        new.write_text(render(folder, run), encoding="utf-8")
        new.replace(folder / REPORT)
