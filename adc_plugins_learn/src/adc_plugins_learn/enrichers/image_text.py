"""What images and their titles say of the classes, by a model of images and texts."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field, model_validator

from adc_core import Dataset, Encoder, Enricher, InputError, Probabilities
from adc_core.arrays import chunks
from adc_plugins_learn.encoders.open_clip import OpenClipEncoder
from adc_plugins_learn.encoding.text_tower import TextEncoder

TEMPLATE = "a photo of a {}."


def unit(rows: ArrayLike) -> NDArray[np.float64]:
    """Scale rows to length one; rows of zeros stay."""
    values = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    scaled: NDArray[np.float64] = values / np.where(lengths > 0, lengths, 1)
    return scaled


def class_directions(texts: ArrayLike) -> NDArray[np.float64]:
    """Average the directions of the texts of each class.

    Args:
        texts: K × P × D vectors of P texts of each class.

    Returns:
        K × D of unit length: the mean of unit vectors, scaled (Radford et al. 2021).
    """
    return unit(unit(texts).mean(axis=1))


def class_similarity(features: ArrayLike, directions: ArrayLike) -> NDArray[np.float32]:
    """Compute the cosine of each image to each class.

    Args:
        features: N × D, of images or of texts.
        directions: K × D of unit length.

    Returns:
        N × K; zeros for rows of zeros.
    """
    rows, columns = np.asarray(features), np.asarray(directions, np.float64)
    found = np.empty((len(rows), len(columns)), np.float32)
    for part in chunks(len(rows), 8 * rows.shape[1]):
        found[part] = unit(rows[part]) @ columns.T
    return found


def caption_similarity(
    features: ArrayLike, captions: ArrayLike, titled: ArrayLike
) -> NDArray[np.float64]:
    """Compute the cosine of each image to its own text.

    Args:
        features: N × D of images.
        captions: N × D of texts.
        titled: N booleans: whether there is a text.

    Returns:
        N; NaN where there is no text.
    """
    rows, texts = np.asarray(features), np.asarray(captions)
    found = np.full(len(rows), np.nan)
    for part in chunks(len(rows), 16 * rows.shape[1]):
        found[part] = (unit(rows[part]) * unit(texts[part])).sum(axis=1)
    return np.where(titled, found, np.nan)


def zero_shot(similarity: ArrayLike, scale: float) -> NDArray[np.float32]:
    """Turn N × K cosines into probabilities: a softmax of them times the model's scale."""
    cosines = np.asarray(similarity)
    found = np.empty(cosines.shape, np.float32)
    for part in chunks(len(cosines), 16 * cosines.shape[1]):
        logits = cosines[part].astype(np.float64) * scale
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        found[part] = weights / weights.sum(axis=1, keepdims=True)
    return found


class ImageText(Enricher):
    """Compares images with the names of the classes, and with their titles, by a CLIP model.

    Adds `class_similarity`, N × K cosines of images to texts such as "a photo of a sweater.", and
    from them zero-shot `probabilities`: every detector that reads these works without any training
    (Radford et al. 2021). Where the dataset has titles, `caption_similarity` is the cosine of each
    image to its title, NaN where it has none, which LAION-5B filters by (Schuhmann et al. 2022;
    arXiv 2210.08402). With `text_features`, the titles' vectors and their cosines to the classes
    are added, for the detector `prototypes`.

    What it claims: agreement with this model, nothing about truth.

    Traps: names that mean several things (drumstick) need `definitions`, which take their place in
    the templates. Zero-shot probabilities are too sure of themselves, and know nothing of how
    common a class is. A title that does not fit says little of the label: site names, "image 3 of
    9". Words within an image raise its similarity. One model's thresholds mean nothing for another.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "encoder": {
                        "use": "open-clip",
                        "model": "ViT-S-32-alt",
                        "weights": "random",
                        "image_size": 64,
                    }
                }
            ]
        }
    )

    requires: ClassVar[tuple[str, ...]] = ("images",)
    optional_columns: ClassVar[tuple[str, ...]] = ("features",)
    provides: ClassVar[tuple[str, ...]] = (
        *("class_similarity", "caption_similarity", "probabilities"),
    )

    encoder: Encoder = Field(
        default=OpenClipEncoder(),
        description="whose model has a half for texts: open-clip, transformers",
    )
    templates: tuple[str, ...] = Field(
        default=(TEMPLATE,), min_length=1, description="texts about a class, with {} for its name"
    )
    definitions: dict[str, str] = Field(
        default_factory=dict, description="what is meant by a class, in place of its name"
    )
    probabilities: bool = Field(default=True, description="add zero-shot probabilities")
    text_features: bool = Field(
        default=False, description="add vectors of the titles, and their cosines to the classes"
    )
    reuse_features: bool = Field(
        default=False, description="take the dataset's features, which the same encoder has made"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not isinstance(self.encoder, TextEncoder):
            raise ValueError(
                f"encoder: {self.encoder.name} has no half for texts: take open-clip or "
                "transformers"
            )
        for template in self.templates:
            if template.count("{}") != 1:
                raise ValueError(f"templates: {template!r} must have one {{}}, for the class")
        return self

    @property
    def provided_columns(self) -> tuple[str, ...]:
        """Those that are asked for."""
        text = ("text_features", "caption_class_similarity") if self.text_features else ()
        made = ("probabilities",) if self.probabilities else ()
        return ("class_similarity", "caption_similarity", *made, *text)

    def enrich(self, dataset: Dataset) -> Dataset:
        """Return the dataset with the columns.

        Raises:
            InputError: no images, no such model, or no titles where their vectors are asked for.
            WorkError: official weights cannot be downloaded, or memory runs out.
        """
        for name in self.definitions:
            if name not in dataset.classes:
                raise InputError(f"definitions: {name!r} is no class of the dataset")
        titles = titles_of(dataset)
        if self.text_features and not any(titles):
            raise InputError("text_features: no sample of the dataset has a title")
        features = self._features(dataset)
        directions, scale = self._directions(dataset.classes, features.shape[1])
        similarity = class_similarity(features, directions)
        columns = {**dataset.columns, "class_similarity": similarity}
        if any(titles):
            columns |= self._of_titles(titles, features, directions)
        else:
            columns["caption_similarity"] = np.full(len(dataset), np.nan)
        added = dataset.replace(columns=columns)
        if not self.probabilities:
            return added
        values = zero_shot(similarity, scale)
        return added.replace(probabilities=Probabilities(values=values, origin="out of sample"))

    def _features(self, dataset: Dataset) -> NDArray[np.float32]:
        if self.reuse_features:
            if dataset.features is None:
                raise InputError("reuse_features: the dataset has none: name the encoder before")
            return dataset.features
        if dataset.images is None:
            raise InputError("image-text looks at images, but the dataset has none")
        return self.encoder.encode(dataset.images)

    def _texts(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], float]:
        assert isinstance(self.encoder, TextEncoder)
        return self.encoder.encode_texts(texts)

    def _directions(
        self, classes: Sequence[str], dimensions: int
    ) -> tuple[NDArray[np.float64], float]:
        meant = [self.definitions.get(name, name) for name in classes]
        texts = [template.replace("{}", name) for name in meant for template in self.templates]
        vectors, scale = self._texts(texts)
        if vectors.shape[1] != dimensions:
            raise InputError(
                f"reuse_features: the dataset's have {dimensions} dimensions, but texts of the "
                f"encoder {vectors.shape[1]}: they are another model's"
            )
        return class_directions(vectors.reshape(len(classes), len(self.templates), -1)), scale

    def _of_titles(
        self,
        titles: Sequence[str],
        features: NDArray[np.float32],
        directions: NDArray[np.float64],
    ) -> dict[str, NDArray[np.floating]]:
        titled = np.array([bool(title) for title in titles])
        captions = np.zeros((len(titles), features.shape[1]), np.float32)
        captions[titled], _ = self._texts([title for title in titles if title])
        found: dict[str, NDArray[np.floating]] = {
            "caption_similarity": caption_similarity(features, captions, titled)
        }
        if self.text_features:
            found["text_features"] = captions
            found["caption_class_similarity"] = class_similarity(captions, directions)
        return found


def titles_of(dataset: Dataset) -> list[str]:
    """Return the title of each sample; empty where there is none."""
    if dataset.sources is None or "title" not in dataset.sources.column_names:
        return [""] * len(dataset)
    given = dataset.sources.column("title").to_pylist()
    return [" ".join(title.split()) if isinstance(title, str) else "" for title in given]
