from .collection_summary import CollectionSummary, summarize
from .detector_summaries import (
    flagged_by_any,
    mean_rank,
    most_suspicious_first,
    suggested_by_most,
    suggestions,
    summarize_detectors,
)
from .findings_table import findings_table, write_findings
from .html_pages import data_url, page_environment
from .measurement_tables import measurement_tables
from .result_files import REPORT
from .svg_figures import new_figure, svg_of, verbatim
from .text_tables import table, tables_of
from .trust import headline, noise_text, repair_lines, trust_lines

__all__ = [
    "REPORT",
    "CollectionSummary",
    "data_url",
    "findings_table",
    "flagged_by_any",
    "headline",
    "mean_rank",
    "measurement_tables",
    "most_suspicious_first",
    "new_figure",
    "noise_text",
    "page_environment",
    "repair_lines",
    "suggested_by_most",
    "suggestions",
    "summarize",
    "summarize_detectors",
    "svg_of",
    "table",
    "tables_of",
    "trust_lines",
    "verbatim",
    "write_findings",
]
