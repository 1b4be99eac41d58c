from .checksums import disk_faults, new_file, new_folder, refuse_existing, seal, unseal
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
    "disk_faults",
    "labels_of",
    "load_array",
    "new_file",
    "new_folder",
    "read_config",
    "read_dataset",
    "read_table",
    "read_truth",
    "refuse_existing",
    "save_dataset",
    "seal",
    "truth_table",
    "unseal",
]
