"""Small data on which every promise can be checked in a moment."""

from functools import cache

import numpy as np
import pyarrow as pa

from adc_core.arrays.validation import Array, read_only
from adc_core.images.sequence import ImageArray
from adc_core.records.dataset import LABEL_SETS, Dataset
from adc_core.records.evidence import Dynamics, Neighbors, Probabilities
from adc_core.records.findings import Findings
from adc_core.records.model import Predictions
from adc_core.records.run import Run, Training
from adc_core.records.votes import Votes

CLASSES = ("red", "green", "blue")
ROWS = 150
NEIGHBORS = 30


@cache
def toy_truth() -> Array:
    """Return 150 true labels of three classes."""
    return read_only(np.arange(ROWS) % len(CLASSES))


@cache
def toy_images() -> ImageArray:
    """Draw 150 images of 16 × 16 in the color of their class, with noise."""
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 120, (ROWS, 16, 16, 3))
    pixels[np.arange(ROWS), :, :, toy_truth()] += 110
    return ImageArray(pixels.astype(np.uint8))


def toy_dataset() -> Dataset:
    """Make 150 samples with every evidence column; 22 labels are wrong."""
    rng = np.random.default_rng(7)
    truth = toy_truth()
    wrong = rng.permutation(ROWS)[:22]
    labels = truth.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, 3, len(wrong))) % len(CLASSES)
    centers = np.eye(len(CLASSES), 8) * 4
    features = (centers[truth] + rng.normal(0, 0.7, (ROWS, 8))).astype(np.float32)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBORS]
    logits = features @ centers.T.astype(np.float32) / 4
    logits -= logits.max(axis=1, keepdims=True)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    text = (centers[truth] + rng.normal(0, 1, (ROWS, 8))).astype(np.float32)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    return Dataset(
        ids=[f"toy-{row:03}" for row in range(ROWS)],
        labels=labels,
        classes=CLASSES,
        images=toy_images(),
        sources=pa.table(
            {
                "title": [f"a square, number {row}" for row in range(ROWS)],
                "bytes": np.arange(ROWS) * 100 + 4500,
                "width": [16] * ROWS,
                "height": [16] * ROWS,
            }
        ),
        features=features,
        neighbors=Neighbors(
            indices=nearest, similarities=np.take_along_axis(similarity, nearest, axis=1)
        ),
        probabilities=Probabilities(values=probabilities, origin="out of sample"),
        dynamics=_dynamics(probabilities, labels),
        votes=_votes(),
        columns={
            "text_features": text,
            "caption_class_similarity": text[:, : len(CLASSES)],
            "caption_similarity": text[np.arange(ROWS), labels].astype(np.float64),
            "class_similarity": text[:, : len(CLASSES)],
        },
    )


def _votes() -> Votes:
    """Let five people of different skill vote, and an expert on a third of the samples."""
    rng, truth = np.random.default_rng(8), toy_truth()
    skills = np.array([0.95, 0.9, 0.85, 0.8, 0.7])
    right = rng.random((ROWS, len(skills))) < skills
    other = (truth[:, None] + rng.integers(1, 3, right.shape)) % len(CLASSES)
    item, rater = np.nonzero(rng.random(right.shape) < 0.8)
    seen = np.arange(0, ROWS, 3) + np.arange(ROWS // 3) % 3
    return Votes(
        item=np.concatenate([item, seen]),
        rater=np.concatenate([rater, np.full(len(seen), len(skills))]),
        label=np.concatenate([np.where(right, truth[:, None], other)[item, rater], truth[seen]]),
        names=("ann", "ben", "cem", "dia", "eva", "expert"),
        trusted=np.arange(len(skills) + 1) == len(skills),
    )


def _dynamics(probabilities: Array, labels: Array) -> Dynamics:
    """Simulate curves of a training that learns the right labels first."""
    epochs = np.arange(1, 9)
    given = probabilities[np.arange(ROWS), labels]
    ramp = (epochs / epochs[-1])[None, :]
    rising = 1 / 3 + (given[:, None] - 1 / 3) * ramp
    other = np.delete(probabilities, 0, axis=1).max(axis=1)
    return Dynamics(
        epochs=epochs,
        given_probability=rising,
        margin=(rising - other[:, None] * ramp).astype(np.float32),
        loss=-np.log(np.clip(rising, 1e-6, 1)),
        correct=(rising > 0.5).astype(np.float32),
    )


def toy_findings() -> Findings:
    """Flag the wrong labels and a few right ones."""
    dataset = toy_dataset()
    wrong = dataset.labels != toy_truth()
    flagged = wrong | (np.arange(ROWS) % 29 == 0)
    return Findings(
        ids=dataset.ids,
        suspicion=np.where(wrong, 0.9, np.where(flagged, 0.6, 0.1)),
        flagged=flagged,
        suggested_labels=np.where(wrong, toy_truth(), -1),
        suggestion_confidence=np.where(wrong, 0.8, np.nan),
        transition=np.full((3, 3), 0.1) + np.eye(3) * 0.7,
        noise_rate=0.2,
    )


def toy_run(*, good: bool = True) -> Run:
    """Make a run whose detector and learner are nearly right, or hopelessly wrong."""
    dataset, findings, truth = toy_dataset(), toy_findings(), toy_truth()
    if not good:
        findings = findings.replace(suspicion=1 - findings.suspicion, flagged=~findings.flagged)
    guesses = truth if good else (truth + 1) % len(CLASSES)
    probabilities = np.full((ROWS, len(CLASSES)), 0.1, np.float32)
    probabilities[np.arange(ROWS), guesses] = 0.8
    engines = np.array(["first", "second"])[np.arange(ROWS) % 2]
    shades = {"shade": np.array(["light", "dark"])[np.arange(ROWS) // 3 % 2]}
    return Run(
        collected=dataset.replace(sources=pa.table({"engine": engines}), attributes=shades),
        findings={"toy": findings},
        trainings=(
            Training(
                learner="toy",
                trained_on="raw",
                predictions=Predictions(probabilities=probabilities, classes=CLASSES),
            ),
        ),
        truth=truth,
        test=Dataset(
            labels=truth,
            classes=CLASSES,
            images=toy_images(),
            attributes=shades,
            columns={LABEL_SETS: np.eye(len(CLASSES), dtype=np.int8)[truth]},
        ),
    )
