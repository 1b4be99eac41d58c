from .decoding import (
    FORMATS,
    MAX_PIXELS,
    NO_MEMORY,
    ImageError,
    check_image,
    encode_png,
    open_image,
    suffix_of,
)
from .near_duplicates import (
    GROUP,
    MOST_BITS,
    duplicate_groups,
    linked_groups,
    near_pairs,
    perceptual_hash,
)
from .sequence import SUFFIXES, ImageArray, ImageFiles, Images, Pixels
from .shards import ImageShards

__all__ = [
    "FORMATS",
    "GROUP",
    "MAX_PIXELS",
    "MOST_BITS",
    "NO_MEMORY",
    "SUFFIXES",
    "ImageArray",
    "ImageError",
    "ImageFiles",
    "ImageShards",
    "Images",
    "Pixels",
    "check_image",
    "duplicate_groups",
    "encode_png",
    "linked_groups",
    "near_pairs",
    "open_image",
    "perceptual_hash",
    "suffix_of",
]
