"""The listener that writes the report when a run is finished."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core.reporting.result_files import REPORT
from adc_core.runs.listeners import hookimpl
from adc_core.storage.checksums import new_file

if TYPE_CHECKING:
    from adc_core.records.run import Run


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
        page = render(folder, run)
        with new_file(folder / REPORT) as part:
            part.write_text(page, encoding="utf-8")
