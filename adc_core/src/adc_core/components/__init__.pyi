from .columns import require, shown_to
from .command import Command
from .component import Component, LocalPath, create, distinct_names, from_the_file, named
from .context import is_heard, progress, remark, work_folder, working_in
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
)
from .kinds import KINDS, group_of
from .known_packages import PACKAGE_OF
from .plugin_faults import ResultFault
from .registry import Entry, Registry, RegistryError, registry
from .signals import heed

__all__ = [
    "HITS",
    "INTERFACES",
    "KINDS",
    "PACKAGE_OF",
    "REFUSED",
    "Collector",
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
    "heed",
    "is_heard",
    "named",
    "progress",
    "registry",
    "remark",
    "require",
    "shown_to",
    "work_folder",
    "working_in",
]
