from .component_option import component_from
from .program import main
from .progress_bars import seen_by_somebody, shown_work

__all__ = [
    "component_from",
    "main",
    "seen_by_somebody",
    "shown_work",
]
