"""Images that do not fit their text: the title that they were found with, or the class's name."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from scipy.special import softmax

from adc_core import Dataset, Detector, Findings, InputError
from adc_core.arrays import chunks
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_array, as_ids, as_labels, as_rows, needed, same_length
from adc_plugins_detect.options import Positive, Share
from adc_plugins_detect.scoring import FLAG_RATE, flag_top_fraction

CAPTION, CLASSES = "caption_similarity", "class_similarity"
"""Columns of the enricher image-text: cosines of images to their titles, and to the classes."""


@array_function
def caption_similarity(
    similarity: ArrayLike,
    *,
    flag_rate: Share = FLAG_RATE,
    min_similarity: float | None = None,
    ids: ArrayLike | None = None,
) -> Findings:
    """Flag the images that fit their titles least.

    LAION-5B keeps pairs with a cosine of 0.28 at least, by one model (OpenAI's ViT-B/32; Schuhmann
    et al. 2022, arXiv 2210.08402). Another model's cosines have another range: by default a share
    is flagged.

    Args:
        similarity: N cosines of images to their titles; NaN where there is none.
        flag_rate: share to flag of those with a title.
        min_similarity: flag those below it instead.
        ids: N texts; by default the row numbers.

    Returns:
        Findings whose suspicion is the share of all with a title that fit theirs better; what has
        no title is not covered.

    Raises:
        InputError: no image has a title, or the array has another shape.
    """
    values = as_array(similarity, "similarity")
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        raise InputError(
            f"similarity: expected one number per sample, got {values.dtype} {values.shape}"
        )
    values = values.astype(np.float64)
    titled = np.isfinite(values)
    if not titled.any():
        raise InputError("similarity: no sample has a title: compare with the classes instead")
    there = values[titled]
    suspicion = np.full(len(values), np.nan)
    suspicion[titled] = 1 - np.searchsorted(np.sort(there), there, side="right") / len(there)
    flagged = np.zeros(len(values), np.bool_)
    flagged[titled] = (
        flag_top_fraction(-there, flag_rate) if min_similarity is None else there < min_similarity
    )
    return Findings(
        ids=as_ids(ids, len(values)), suspicion=suspicion, flagged=flagged, covered=titled
    )


@array_function
def class_similarity(
    labels: ArrayLike,
    similarity: ArrayLike,
    *,
    scale: Positive = 100.0,
    ids: ArrayLike | None = None,
) -> Findings:
    """Flag labels that an image is less similar to than to another class.

    Args:
        labels: N given labels.
        similarity: N × K cosines of images to texts on the classes.
        scale: what the model multiplies cosines by; 100 for CLIP.
        ids: N texts; by default the row numbers.

    Returns:
        Findings whose suspicion is one less the zero-shot probability of the label, a softmax of
        the scaled cosines; with the most similar class as suggestion.

    Raises:
        InputError: arrays of other shapes, labels out of range, cosines that are not finite.
    """
    cosines = as_rows(similarity, "similarity")
    n, K = cosines.shape
    given = as_labels(labels, K)
    same_length(given, cosines, "similarity")
    own, best, most = np.empty(n), np.empty(n), np.empty(n, np.int64)
    differs = np.empty(n, np.bool_)
    for part in chunks(n, 24 * K):
        block = cosines[part].astype(np.float64)
        rows = np.arange(len(block))
        chances = softmax(scale * block, axis=1)
        most[part] = block.argmax(axis=1)
        own[part], best[part] = chances[rows, given[part]], chances.max(axis=1)
        differs[part] = block[rows, given[part]] < block.max(axis=1)
    return Findings(
        ids=as_ids(ids, n),
        suspicion=1 - own,
        flagged=differs,
        suggested_labels=np.where(differs, most, -1),
        suggestion_confidence=np.where(differs, best, np.nan),
    )


class CaptionSimilarity(Detector):
    """Flags images that fit their titles least, or other classes better than their label.

    It reads what the enricher `image-text` adds. Against captions, it filters images as LAION-5B
    does (Schuhmann et al. 2022); against classes, it judges labels.

    What it claims: agreement with a CLIP model, nothing about truth.

    Traps: a caption that does not fit says nothing of the label; compare with the classes for
    labels, and with captions for images. Filtering by CLIP keeps what CLIP knows: measure
    attributes before and after. The collector's own query is no caption.
    """

    against: Literal["caption", "class"] = Field(
        default="caption", description="what images are compared with: their titles, or the classes"
    )
    flag_rate: Share = Field(default=FLAG_RATE, description="against caption: share to flag")
    min_similarity: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="against caption: flag those below it instead of a share",
    )
    scale: Positive = Field(
        default=100.0, description="against class: what the model multiplies cosines by"
    )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The cosines to what is compared with."""
        return (CAPTION if self.against == "caption" else CLASSES,)

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by its cosines.

        Raises:
            InputError: they are missing, or no sample has a title.
        """
        name = CAPTION if self.against == "caption" else CLASSES
        column = needed(dataset.columns.get(name), name, "the enricher image-text")
        if self.against == "class":
            return class_similarity(dataset.labels, column, scale=self.scale, ids=dataset.ids)
        return caption_similarity(
            column,
            flag_rate=self.flag_rate,
            min_similarity=self.min_similarity,
            ids=dataset.ids,
        )
