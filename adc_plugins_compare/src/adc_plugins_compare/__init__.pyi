from .comparison.cells import Cell
from .comparison.comparison import Comparison, Layout
from .execution.compare import Compared, compare
from .results.figures import Figure
from .results.formats import as_csv, as_latex, as_markdown, as_text
from .results.layout import tables_of
from .results.outcome import Outcome
from .results.paired import tied_with_best
from .results.table import Entry, Table, caption

__all__ = [
    "Cell",
    "Compared",
    "Comparison",
    "Entry",
    "Figure",
    "Layout",
    "Outcome",
    "Table",
    "as_csv",
    "as_latex",
    "as_markdown",
    "as_text",
    "caption",
    "compare",
    "tables_of",
    "tied_with_best",
]
