from .atomic import atomic_file, atomic_folder, refuse_existing, translate_os_errors, write_json
from .checksums import verify_checksums, write_checksums
from .config_file import read_config
from .readers import read_dataset
from .saved_dataset import load_array, save_dataset
from .splits import SPLIT
from .tables import labels_of, read_table
from .truth import NO_CLASS, NONE, UNKNOWN, read_truth, truth_table
from .webdataset import CLASSES

__all__ = [
    "CLASSES",
    "NONE",
    "NO_CLASS",
    "SPLIT",
    "UNKNOWN",
    "atomic_file",
    "atomic_folder",
    "labels_of",
    "load_array",
    "read_config",
    "read_dataset",
    "read_table",
    "read_truth",
    "refuse_existing",
    "save_dataset",
    "translate_os_errors",
    "truth_table",
    "verify_checksums",
    "write_checksums",
    "write_json",
]
