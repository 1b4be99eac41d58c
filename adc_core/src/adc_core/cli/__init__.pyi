from .component_option import component_from
from .evidence_ladder import choose_rung
from .program import main
from .progress_bars import seen_by_somebody, shown_work

__all__ = [
    "choose_rung",
    "component_from",
    "main",
    "seen_by_somebody",
    "shown_work",
]
