from .columns import require, require_labels, required_neighbors, shown_to
from .command import Command
from .component import (
    Column,
    Component,
    LocalPath,
    create,
    distinct_names,
    from_the_file,
    unique_names,
)
from .context import has_listener, progress, status, work_context, work_folder
from .interfaces import (
    HITS,
    INTERFACES,
    REFUSED,
    Collector,
    Curator,
    Designer,
    Detector,
    Download,
    Encoder,
    Enricher,
    Learner,
    Metric,
    Searcher,
    Simulator,
    interface_of,
)
from .kinds import KINDS, group_of
from .known_packages import PACKAGE_OF
from .own_function import load_own
from .plugin_faults import ResultFault
from .registry import Entry, Registry, RegistryError, registry
from .signals import raise_if_interrupted, signal_handlers

__all__ = [
    "HITS",
    "INTERFACES",
    "KINDS",
    "PACKAGE_OF",
    "REFUSED",
    "Collector",
    "Column",
    "Command",
    "Component",
    "Curator",
    "Designer",
    "Detector",
    "Download",
    "Encoder",
    "Enricher",
    "Entry",
    "Learner",
    "LocalPath",
    "Metric",
    "Registry",
    "RegistryError",
    "ResultFault",
    "Searcher",
    "Simulator",
    "create",
    "distinct_names",
    "from_the_file",
    "group_of",
    "has_listener",
    "interface_of",
    "load_own",
    "progress",
    "raise_if_interrupted",
    "registry",
    "require",
    "require_labels",
    "required_neighbors",
    "shown_to",
    "signal_handlers",
    "status",
    "unique_names",
    "work_context",
    "work_folder",
]
