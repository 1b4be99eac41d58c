"""The listener that writes the report when a run is finished."""

from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import hookimpl

if TYPE_CHECKING:
    from adc_core import Run


class HtmlReport:
    """Writes `report.html` into the run directory."""

    @hookimpl
    def adc_run_finished(self, folder: Path, run: "Run") -> None:
        """Render the run."""
        from adc_core.reporting import REPORT
        from adc_core.storage import new_file
        from adc_plugins_publish.html_report.page import render

        page = render(folder, run)
        with new_file(folder / REPORT) as part:
            part.write_text(page, encoding="utf-8")
