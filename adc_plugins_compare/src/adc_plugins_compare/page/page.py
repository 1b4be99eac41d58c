"""The page of a comparison: what the template is given."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from adc_core.reporting import REPORT, page_environment
from adc_plugins_compare.comparison.cells import CELLS, Cell
from adc_plugins_compare.comparison.comparison import Comparison
from adc_plugins_compare.page.plots import plots_across, plots_of
from adc_plugins_compare.results.formats import said
from adc_plugins_compare.results.outcome import Outcome
from adc_plugins_compare.results.table import Table


def render(
    title: str,
    comparison: Comparison,
    cells: Sequence[Cell],
    tables: Sequence[Table],
    caption: str,
    outcomes: Sequence[Outcome],
) -> str:
    """Render the page of a comparison, complete in one text.

    Args:
        title: of the page.
        comparison: what was compared.
        cells: all of it.
        tables: what was found.
        caption: what the figures are and how far they can be trusted.
        outcomes: how each cell ended, in the order of the cells.
    """
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    facts = [
        ("cells", str(len(cells))),
        *((axis, str(len({cell.levels[axis] for cell in cells}))) for axis in comparison.axes),
        ("seeds", str(len(comparison.seeds))),
        *([("failed", str(len(failed)))] if failed else []),
    ]
    environment = page_environment("adc_plugins_compare.page")
    environment.filters["said"] = said
    return environment.get_template("page.html.j2").render(
        title=title,
        facts=facts,
        parts=[(table, plots_of(table)) for table in tables],
        across=plots_across(tables),
        caption=caption,
        failed=failed,
        cells=[
            (cell, outcome, PurePosixPath(CELLS, cell.name, REPORT))
            for cell, outcome in zip(cells, outcomes, strict=True)
        ],
        axes=list(comparison.axes),
    )
