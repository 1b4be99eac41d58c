"""Out-of-sample probabilities from features: cross-validated logistic regression."""

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from adc_core import Dataset, Enricher, InputError, Probabilities, progress
from adc_core.arrays import stratified_folds
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_features, as_labels, needed, same_length
from adc_plugins_detect.options import ClassCount, Positive, WholeNumber
from adc_plugins_detect.resampling.oversample import OversampleRule, oversample

Folds = Annotated[int, Ge(2)]


@array_function
def linear_probe(
    labels: ArrayLike,
    features: ArrayLike,
    *,
    n_classes: ClassCount | None = None,
    folds: Folds = 5,
    C: Positive = 0.01,
    oversampling: OversampleRule | None = None,
    seed: WholeNumber = 0,
) -> Probabilities:
    """Predict each sample with a linear model that has not seen it.

    Features are standardised and classified by multinomial logistic regression, once per fold
    without the fold's samples. Folds are stratified by label. The only sample of a class is in
    every training set, or nothing would know its class; its own label is then taken to be sure.
    The same seed gives the same bytes whatever the number of threads.

    Args:
        labels: N given labels.
        features: N × D finite numbers.
        n_classes: K; by default the largest label says.
        folds: how many models.
        C: inverse strength of the L2 penalty. Wrong labels ask for a strong one.
        oversampling: how a fold's model gets as many rows of every class; None: as they are.
        seed: of the folds and of the oversampling.

    Returns:
        N × K out-of-sample probabilities; zero for classes that no sample is labelled with.

    Raises:
        InputError: arrays of other shapes, features that are not finite, labels of one class; or
            oversampling without imbalanced-learn.
    """
    given = as_labels(labels, n_classes)
    rows = as_features(features)
    same_length(given, rows, "features")
    counts = np.bincount(given, minlength=n_classes or number_of_classes(given))
    if np.count_nonzero(counts) < 2:
        raise InputError(
            f"all {len(given)} samples are labelled {given[0]}: a probe needs at least two classes"
        )
    folds = min(folds, len(given))  # more of them would be empty
    fold = stratified_folds(given, folds, seed)
    single = counts[given] == 1
    values = np.zeros((len(given), len(counts)), np.float32)
    values[single, given[single]] = 1

    def predict(number: int) -> None:
        held_out = (fold == number) & ~single
        if not held_out.any():
            return
        training, own = rows[~held_out], given[~held_out]
        scaler = StandardScaler(copy=False).fit(training)
        training = scaler.transform(training)
        if oversampling is not None:
            training, own = oversample(training, own, oversampling, seed)
        model = LogisticRegression(C=C, max_iter=1000)
        model.fit(training, own)
        values[np.ix_(held_out, model.classes_)] = model.predict_proba(
            scaler.transform(rows[held_out])
        )

    # One thread per fold rather than several per product: sums then have one order.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as threads:
        waiting = [threads.submit(predict, number) for number in range(folds)]
        for done, future in enumerate(as_completed(waiting), 1):
            future.result()
            progress(done, folds, "fold")
    return Probabilities(values=values, origin="out of sample")


class LinearProbe(Enricher):
    """Predicts every sample from its features with models that have not seen it.

    Each model may be taught as many rows of every class, by imbalanced-learn's rules: repeated, or
    invented between neighbors of a class (SMOTE and kin). The rows are made within a fold, of what
    its model may see, and no sample of the dataset is added.

    Traps: rows between two wrong labels bear witness for both, and a class of few right labels and
    many wrong ones is grown by the wrong ones (measured on CIFAR-10N with a tail: F1 of
    `self-confidence` .39 to .53 where labels are wrong in all classes alike, .72 to .69 where
    mostly those of small ones are). SMOTE and kin search neighbors, at the square of the samples.
    """

    requires: ClassVar[tuple[str, ...]] = ("features",)
    provides: ClassVar[tuple[str, ...]] = ("probabilities",)

    folds: Folds = Field(
        default=5, description="models, each trained without one part of the samples"
    )
    C: Positive = Field(
        default=0.01,
        description="inverse strength of the L2 penalty; wrong labels ask for a strong one",
    )
    oversampling: OversampleRule | None = Field(
        default=None, description="how rows are added until every class is as large as the largest"
    )
    seed: WholeNumber = Field(default=0, description="of the folds and the oversampling")

    def enrich(self, dataset: Dataset) -> Dataset:
        """Return the dataset with the column `probabilities`."""
        return dataset.replace(
            probabilities=linear_probe(
                dataset.labels,
                needed(dataset.features, "features", "an encoder"),
                n_classes=len(dataset.classes),
                folds=self.folds,
                C=self.C,
                oversampling=self.oversampling,
                seed=self.seed,
            )
        )
