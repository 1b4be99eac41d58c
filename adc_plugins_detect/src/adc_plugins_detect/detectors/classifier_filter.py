"""Classifier filter: unlike classifiers that have not seen a label do not predict it."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field
from sklearn.base import ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from adc_core import Dataset, Detector, Findings, InputError, progress
from adc_core.arrays import Array, stratified_folds
from adc_core.components import load_own
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.enrichers.linear_probe import Folds
from adc_plugins_detect.inputs import as_features, as_ids, as_labels, as_list, needed, same_length
from adc_plugins_detect.options import ClassCount, WholeNumber

Rule = Literal["majority", "consensus"]


@array_function
def classifier_filter(
    labels: ArrayLike,
    features: ArrayLike,
    *,
    classifiers: Sequence[ClassifierMixin] | None = None,
    rule: Rule = "majority",
    folds: Folds = 5,
    n_classes: ClassCount | None = None,
    seed: WholeNumber = 0,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find labels that several classifiers do not predict (Brodley and Friedl, JAIR 1999).

    Each learns from all folds but one and predicts that one. Suspicion is the share of the
    classifiers that predict another label; `majority` flags where more than half do, `consensus`
    where all do, which keeps more right labels and more wrong ones. Features are brought to mean 0
    and deviation 1. The only sample of a class is never held out, and so never suspect.

    Traps: classifiers that err alike agree on wrong labels: take unlike ones. A class that is hard
    for all of them is flagged as a whole. There are as many levels of suspicion as classifiers,
    and one.

    Args:
        labels: N given labels.
        features: N × D.
        classifiers: of scikit-learn, not fitted; by default ten nearest neighbors, a linear model
            and a Gaussian of each class. What has a `random_state` of None gets `seed`.
        rule: who must agree.
        folds: models of each classifier.
        n_classes: K; by default the largest label says.
        seed: of the folds, and of classifiers.
        ids: N texts; by default the row numbers.

    Returns:
        Findings that suggest the class that most predict, where it is another, with their share as
        confidence; the share of flagged samples as noise rate.

    Raises:
        InputError: arrays of other shapes, labels of one class, or a classifier that fails.
    """
    given = as_labels(labels, n_classes)
    rows = as_features(features)
    same_length(given, rows, "features")
    if (given == given[0]).all():
        raise InputError(
            f"all {len(given)} samples are labelled {given[0]}: a filter needs at least two classes"
        )
    kinds = _default_classifiers() if classifiers is None else classifiers
    kinds = as_list(kinds, "classifiers", "classifiers of scikit-learn")
    if not kinds:
        raise InputError("there is no classifier: give at least one")
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    fold = stratified_folds(given, min(folds, len(given)), seed, keep_lone=True)
    predicted = np.empty((len(kinds), len(given)), np.int64)
    for n, one in enumerate(kinds):
        predicted[n] = _held_out(_seeded(one, seed), scaled, given, fold)
        progress(n + 1, len(kinds), "classifier")
    against = (predicted != given).sum(axis=0)
    flagged = against >= (len(kinds) if rule == "consensus" else len(kinds) // 2 + 1)
    best, votes = _plurality(predicted)
    other = flagged & (best != given)
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=against / len(kinds),
        flagged=flagged,
        suggested_labels=np.where(other, best, -1),
        suggestion_confidence=np.where(other, votes / len(kinds), np.nan),
        noise_rate=float(flagged.mean()),
    )


def _default_classifiers() -> list[ClassifierMixin]:
    return [
        KNeighborsClassifier(n_neighbors=10),
        LogisticRegression(C=0.01, max_iter=1000),
        GaussianNB(),
    ]


def _seeded(classifier: Any, seed: int) -> Any:
    fresh = clone(classifier)
    if "random_state" in (options := fresh.get_params()) and options["random_state"] is None:
        fresh.set_params(random_state=seed)
    return fresh


def _held_out(
    classifier: Any, features: Array, labels: NDArray[np.int64], fold: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Predict each sample by a model that has not seen it; one that none leaves out is itself."""
    predicted = labels.copy()
    for number in range(fold.max() + 1):
        held_out = fold == number
        model = clone(classifier)
        try:
            with threadpool_limits(1, "blas"):
                model.fit(features[~held_out], labels[~held_out])
                predicted[held_out] = model.predict(features[held_out])
        except (ValueError, TypeError, ArithmeticError) as error:
            reason = str(error).split("\n")[0]
            raise InputError(
                f"{type(model).__name__} cannot learn from these features ({reason}): give it "
                "other options, or leave it out"
            ) from error
    return predicted


def _plurality(
    predicted: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the class that most classifiers predict of each sample, and how many do."""
    agreeing = (predicted[:, None] == predicted[None]).sum(axis=1)
    ordered = np.lexsort((predicted, -agreeing), axis=0)[:1]
    best = np.take_along_axis(predicted, ordered, axis=0)[0]
    return best, np.take_along_axis(agreeing, ordered, axis=0)[0]


class ClassifierChoice(BaseModel):
    """A classifier and its options, as a pipeline file names it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    use: str = Field(description="module:class of a classifier of scikit-learn, or like one")

    def build(self) -> ClassifierMixin:
        """Make the classifier.

        Raises:
            InputError: it cannot be imported, is none, or does not take the options.
        """
        kind = load_own(self.use, ClassifierMixin, "classify", "sklearn.base.ClassifierMixin")
        try:
            made: ClassifierMixin = kind(**(self.model_extra or {}))
        except TypeError as error:
            raise InputError(f"{self.use} does not take these options: {error}") from error
        return made


class ClassifierFilter(Detector):
    """Flags labels that most, or all, of several classifiers on features do not predict.

    Any classifiers of scikit-learn, each trained without the samples that it judges. Take unlike
    ones: those that err alike agree on wrong labels.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "classifiers": [
                        {"use": "sklearn.neighbors:KNeighborsClassifier", "n_neighbors": 5},
                        {"use": "sklearn.naive_bayes:GaussianNB"},
                        {"use": "sklearn.linear_model:RidgeClassifier", "alpha": 10},
                    ]
                }
            ]
        }
    )

    requires: ClassVar[tuple[str, ...]] = ("features",)

    classifiers: tuple[ClassifierChoice, ...] | None = Field(
        default=None,
        min_length=1,
        description="module:class of classifiers of scikit-learn as `use`, and their options; by "
        "default ten nearest neighbors, a linear model and a Gaussian of each class",
    )
    rule: Rule = Field(
        default="majority", description="more than half must predict otherwise, or all"
    )
    folds: Folds = Field(
        default=5, description="models of each, trained without one part of the samples"
    )
    seed: WholeNumber = Field(default=0, description="of the folds, and of classifiers")

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's features."""
        chosen = self.classifiers
        return classifier_filter(
            dataset.labels,
            needed(dataset.features, "features", "an encoder"),
            classifiers=None if chosen is None else [one.build() for one in chosen],
            rule=self.rule,
            folds=self.folds,
            n_classes=len(dataset.classes),
            seed=self.seed,
            ids=dataset.ids,
        )
