from .folds import NEVER_HELD_OUT, stratified_folds
from .hashing import fingerprint, hash_array, hash_file, save_array
from .moments import ClassMoments, class_moments, principal_components
from .strings import first_repeated, from_arrow, to_arrow
from .validation import (
    Array,
    Curves,
    Flags,
    Indices,
    Labels,
    Matrix,
    Scores,
    SquareMatrix,
    Tensor3,
    Texts,
    chunks,
    first_bad_row,
    read_only,
)

__all__ = [
    "NEVER_HELD_OUT",
    "Array",
    "ClassMoments",
    "Curves",
    "Flags",
    "Indices",
    "Labels",
    "Matrix",
    "Scores",
    "SquareMatrix",
    "Tensor3",
    "Texts",
    "chunks",
    "class_moments",
    "fingerprint",
    "first_bad_row",
    "first_repeated",
    "from_arrow",
    "hash_array",
    "hash_file",
    "principal_components",
    "read_only",
    "save_array",
    "stratified_folds",
    "to_arrow",
]
