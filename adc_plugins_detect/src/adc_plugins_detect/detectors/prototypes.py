"""Prototypes: the images whose text fits a class's definition say what the class looks like."""

import warnings
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.sparse import csr_array, diags_array
from scipy.special import softmax

from adc_core import Column, Dataset, Detector, Findings, InputError, Neighbors
from adc_core.arrays import Array
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.confident.predictions import Predicted
from adc_plugins_detect.inputs import (
    as_array,
    as_features,
    as_ids,
    as_labels,
    as_probabilities,
    as_rows,
    needed,
    same_length,
)
from adc_plugins_detect.knn.graph import symmetric_graph
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.options import Count, Positive, Share

TEXT, FIT = "text_features", "caption_class_similarity"
"""Columns that it reads: N × D of the titles, zeros where there is none, and N × K cosines of the
titles to the definitions of the classes."""

_K, _SEEDS, _SELF, _ALPHA, _TEMPERATURE, _MIN_CONFIDENCE = 5, 50, 1.0, 0.5, 0.1, 0.6


@array_function
def prototypes(
    labels: ArrayLike,
    features: ArrayLike,
    text: ArrayLike,
    fit: ArrayLike,
    *,
    neighbors: Neighbors | None = None,
    probabilities: Predicted | None = None,
    k: Count = _K,
    seeds: Count = _SEEDS,
    self_weight: Annotated[float, Ge(0)] = _SELF,
    alpha: Share = _ALPHA,
    temperature: Positive = _TEMPERATURE,
    min_confidence: Share = _MIN_CONFIDENCE,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find labels that disagree with images whose text fits the definition (CAPro, NeurIPS 2023).

    Text is smoothed over the graph of the images. The samples of a class whose text fits its
    definition best are its seeds, at most half of it; the mean of their features is its prototype.
    Chances are a softmax of cosines to the prototypes, mixed with a model's. A label is flagged
    below chance, 1/K, or where another class reaches `min_confidence`; seeds never are. The paper's
    learner, which moves the prototypes as it trains, is not built.

    Traps: 1/K is lenient where classes are many. The words of a query are in the titles that it
    found, so that names of classes fit wrong senses too: definitions must say which is meant.
    Where prototypes of two classes are alike, so are their chances.

    Args:
        labels: N given labels.
        features: N × D of the images.
        text: N × E of the titles; a row of zeros has no text and counts nowhere.
        fit: N × K cosines of the titles to the definitions of the classes: text @ definitions.T.
        neighbors: graph of the images; by default it is searched.
        probabilities: N × K out of sample; none: the prototypes decide alone.
        k: neighbors that smooth a text, the sample itself not among them.
        seeds: of a class at most.
        self_weight: of a sample's own text beside its neighbors'; 0 in the official code, which
            so chooses seeds by other images' text.
        alpha: weight of the probabilities.
        temperature: of the softmax.
        min_confidence: least chance of a class that is suggested.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with suggestions, and the share of flagged samples as noise rate.

    Raises:
        InputError: arrays of other shapes, fewer neighbors than k, no text at all.
    """
    cosines = as_rows(fit, "fit")
    n, K = cosines.shape
    given = as_labels(labels, K)
    rows, words = as_features(features), as_rows(text, "text")
    for name, values in (("features", rows), ("text", words), ("fit", cosines)):
        same_length(given, values, name)
    graph = nearest_neighbors(rows, k) if neighbors is None else neighbors
    same_length(given, graph.indices, "neighbors")
    match = text_match(given, words, cosines, symmetric_graph(*graph.first(k)), self_weight)
    seed = choose_seeds(given, match, K, seeds)
    chance = _chances(given, rows, seed, K, temperature)
    if probabilities is not None:
        known = as_probabilities(probabilities)
        if known.shape != (n, K):
            raise InputError(f"probabilities are {known.shape} but fit is {(n, K)}")
        chance = alpha * known + (1 - alpha) * chance
    return _findings(given, chance, seed, min_confidence, as_ids(ids, n))


def text_match(
    labels: NDArray[np.int64], text: Array, fit: Array, graph: csr_array, self_weight: float
) -> NDArray[np.float64]:
    """Compute N cosines of smoothed texts to the definitions of the given labels; NaN: no text.

    What a text fits is linear in it, so that cosines to the definitions are smoothed as well, and
    only the length of the smoothed text is still to be divided by.
    """
    words: NDArray[np.float64] = text.astype(np.float64)
    length = np.linalg.norm(words, axis=1)
    there = length > 0
    if not there.any():
        raise InputError("no sample has a text: give titles, or take a detector without them")
    words = words / np.where(there, length, 1)[:, None]
    own = np.where(there, fit[np.arange(len(labels)), labels], 0).astype(np.float64)
    edges = csr_array(graph @ diags_array(there.astype(np.float64)))
    total = edges.sum(axis=1)
    walk = diags_array(np.divide(1, total, out=np.zeros_like(total), where=total > 0)) @ edges
    smooth = walk @ words + self_weight * words
    # Each row is compared with its own definition: its neighbors' cosines to that very one.
    entries = walk.tocoo()
    near = np.bincount(
        entries.row, entries.data * fit[entries.col, labels[entries.row]], len(labels)
    )
    cosines = near + self_weight * own
    far = np.linalg.norm(smooth, axis=1)
    return np.where(far > 1e-12, cosines / np.maximum(far, 1e-12), np.nan)


def choose_seeds(
    labels: NDArray[np.int64], match: NDArray[np.float64], n_classes: int, seeds: int
) -> NDArray[np.bool_]:
    """Mark the samples of each class whose text fits best, at most half of it; ties: the first."""
    rank = np.where(np.isnan(match), -np.inf, match)
    order = np.lexsort((-rank, labels))
    sizes = np.bincount(labels, minlength=n_classes)
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(labels)) - starts[labels[order]]
    chosen = np.zeros(len(labels), np.bool_)
    chosen[order] = place < np.minimum(seeds, sizes // 2)[labels[order]]
    return chosen & (rank > -np.inf)


def _chances(
    labels: NDArray[np.int64],
    features: Array,
    seed: NDArray[np.bool_],
    K: int,
    temperature: float,
) -> NDArray[np.float64]:
    unit = features.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-300)
    of_class = np.eye(K)[labels]
    without = (of_class[seed].sum(axis=0) == 0) & (of_class.sum(axis=0) > 0)
    if without.any():
        warnings.warn(
            f"{int(without.sum())} of {K} classes have no seed (fewer than two samples, or no "
            "text): the mean of all their samples is the prototype",
            stacklevel=3,
        )
    members = of_class * (seed[:, None] | without)
    centers = members.T @ unit
    centers /= np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), 1e-300)
    cosines = np.where(members.any(axis=0), unit @ centers.T, -np.inf)
    chances: NDArray[np.float64] = softmax(cosines / temperature, axis=1)
    return chances


def _findings(
    given: NDArray[np.int64],
    chance: NDArray[np.float64],
    seed: NDArray[np.bool_],
    min_confidence: float,
    ids: Array,
) -> Findings:
    rows, best = np.arange(len(given)), chance.argmax(axis=1)
    own, most = chance[rows, given], chance[rows, best]
    other = (most >= min_confidence) & (most > own) & ~seed
    flagged = ((own < 1 / chance.shape[1]) & ~seed) | other
    return Findings(
        ids=ids,
        suspicion=(1 - own).clip(0, 1),
        flagged=flagged,
        suggested_labels=np.where(other, best, -1),
        suggestion_confidence=np.where(other, most.clip(0, 1), np.nan),
        noise_rate=float(flagged.mean()),
    )


class Prototypes(Detector):
    """Flags images unlike those of their class whose text fits the class's definition.

    For queries that bring several senses of a word: of the images for "drumstick", those whose
    titles are about drums say what a drumstick looks like. Reads the columns `text_features` and
    `caption_class_similarity`, which an enricher of images and titles writes. The finding is
    agreement with the images whose text fits, and nothing about truth.
    """

    requires: ClassVar[tuple[str, ...]] = ("features", "neighbors")
    optional_columns: ClassVar[tuple[str, ...]] = ("probabilities",)

    k: Count = Field(
        default=_K, description="neighbors that smooth a text, the sample not among them"
    )
    seeds: Count = Field(default=_SEEDS, description="samples of a class, at most, that define it")
    self_weight: Annotated[float, Ge(0)] = Field(
        default=_SELF,
        description="of a sample's own text beside its neighbors'; 0 in the official code",
    )
    alpha: Share = Field(
        default=_ALPHA, description="weight of the dataset's probabilities, if any"
    )
    temperature: Positive = Field(default=_TEMPERATURE, description="of the softmax of cosines")
    min_confidence: Share = Field(
        default=_MIN_CONFIDENCE, description="least chance of a class that is suggested"
    )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The features, and the graph that smooths texts."""
        return ("features", Column("neighbors", k=self.k))

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the seeds of all classes.

        Raises:
            InputError: the columns of texts are missing, or the probabilities are in sample.
        """
        for name in (TEXT, FIT):
            if name not in dataset.columns:
                raise InputError(
                    f'the dataset has no column "{name}": the enricher image-text adds it'
                )
        fit = as_array(dataset.columns[FIT], FIT)
        if fit.shape != (len(dataset), len(dataset.classes)):
            raise InputError(f"{FIT} is {fit.shape}: expected a column for each class")
        text = np.nan_to_num(as_array(dataset.columns[TEXT], TEXT))
        return prototypes(
            dataset.labels,
            needed(dataset.features, "features", "an encoder"),
            text,
            np.nan_to_num(fit),
            neighbors=needed(dataset.neighbors, "neighbors", "the enricher neighbors"),
            probabilities=dataset.probabilities if self.alpha > 0 else None,
            k=self.k,
            seeds=self.seeds,
            self_weight=self.self_weight,
            alpha=self.alpha,
            temperature=self.temperature,
            min_confidence=self.min_confidence,
            ids=dataset.ids,
        )
