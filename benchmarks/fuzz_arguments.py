"""Sound and odd arguments for `fuzz_functions.py`, by the names of parameters and fields."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import adc_core
from adc_core.records import Record, Words

Value = Any


class Draw:
    """Sound arguments of one call, and what makes them odd.

    Args:
        random: where all chance comes from.
    """

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.n = int(random.choice([1, 2, 3, 8, 30, 120]))
        self.k = int(random.choice([1, 2, 3, 7]))
        self.epochs = int(random.choice([1, 2, 5]))

    def among(self, *values: Value) -> Value:
        """One of some values."""
        return values[self.random.integers(len(values))]

    def numbers(self) -> np.ndarray:
        """N sound labels as numbers."""
        return self.random.integers(0, self.k, self.n)

    def labels(self) -> Value:
        """N sound labels of any kind."""
        labels = self.numbers()
        names = np.array([f"class {k}" for k in range(self.k)])
        return self.among(labels, labels.astype(float), names[labels], labels.tolist())

    def matrix(self, columns: int) -> np.ndarray:
        """N rows of normal numbers, on any scale."""
        return self.random.normal(size=(self.n, columns)) * self.among(1, 1e-9, 1e30)

    def probabilities(self) -> np.ndarray:
        """N × K rows that sum to one, some of them of zeros and a one."""
        rows = self.random.dirichlet(np.full(self.k, self.among(0.01, 1.0)), self.n)
        return rows.astype(self.among(np.float64, np.float32, np.float16))

    def curves(self) -> np.ndarray:
        """N × E numbers in 0…1, or zeros and ones."""
        curves = self.random.random((self.n, self.epochs))
        return self.among(curves, curves.round(), (curves > 0.5))

    def record(self, name: str) -> Record:
        """A sound record, made from sound fields only."""
        fields = RECORD_FIELDS[name](self)
        return getattr(adc_core, name)(**fields)

    def neighbors(self) -> Value:
        """A graph, or features."""
        return self.record("Neighbors") if self.n > 1 else self.matrix(4)

    def odd(self, value: Value) -> Value:
        """Something that resembles a sound value, or does not."""
        if self.random.random() < 0.3 or not isinstance(value, np.ndarray | list):
            return self.strange()
        array = np.array(value)
        if self.random.random() < 0.5:
            return self.otherwise(array)
        number = self.among(
            np.nan, np.inf, -np.inf, -1, 1e300, -1e300, 2**62, 0.5, 10**6, None, "x"
        )
        changed = array.astype(object) if isinstance(number, str | None) else array
        if changed.dtype.kind in "iub":
            changed = changed.astype(float)
        if not changed.size or changed.dtype.kind == "U":
            return changed
        changed = changed.copy()
        with np.errstate(over="ignore"):
            changed.flat[self.random.integers(changed.size)] = number
        return changed

    def otherwise(self, array: np.ndarray) -> Value:
        """The same numbers in another type, order, shape or length."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return self.among(
                lambda: array[:-1],
                lambda: array[:0],
                lambda: np.concatenate([array, array]),
                lambda: array[::-1],
                lambda: array.T,
                lambda: array[..., None],
                lambda: array.ravel(),
                lambda: np.asfortranarray(array),
                lambda: array.astype(array.dtype.newbyteorder()),
                lambda: array.astype(object),
                lambda: array.astype(str),
                lambda: array.astype("S"),
                lambda: array.tolist(),
                lambda: tuple(array.tolist()),
                lambda: array.astype(np.longdouble) if array.dtype.kind in "fiub" else array,
                lambda: array.astype(complex) if array.dtype.kind in "fiub" else array,
                lambda: array.astype(np.int8) if array.dtype.kind in "iub" else array,
                lambda: array.astype(np.uint64) if array.dtype.kind in "iub" else array,
                lambda: np.zeros_like(array),
                lambda: np.ma.masked_array(array),
                lambda: np.broadcast_to(array[:1], array.shape),
            )()

    def strange(self) -> Value:
        """Something that is no sound argument of anything."""
        return self.among(
            None, "", "x", b"x", 0, -1, 1.5, np.nan, np.inf, 10**30, True, [], {}, {"a": 1}, set(),
            object(), [[]], [None], [[1], [1, 2]], ["a", 1], 3j, np.array(3), np.zeros((0, 0)),
            np.zeros((2, 2, 2)), np.datetime64("2026-01-01"), np.array(["2026"], "datetime64[D]"),
            range(3), lambda: 3, int, Words("x"), np.array([2**64 - 1], np.uint64), [10**30],
        )  # fmt: skip


RECORD_FIELDS: dict[str, Callable[[Draw], dict[str, Value]]] = {
    "Dataset": lambda draw: {
        "labels": draw.numbers(),
        "classes": tuple(f"class {k}" for k in range(draw.k)),
        "features": draw.random.normal(size=(draw.n, 4)),
        "probabilities": draw.probabilities(),
        "ids": [f"id {row}" for row in range(draw.n)],
        "images": np.zeros((draw.n, 3, 3, 3), np.uint8),
        "columns": {"mine": np.arange(draw.n)},
        "attributes": {"color": ["red"] * draw.n},
    },
    "Dynamics": lambda draw: {
        "epochs": np.arange(1, draw.epochs + 1),
        "given_probability": draw.random.random((draw.n, draw.epochs)),
        "margin": draw.random.normal(size=(draw.n, draw.epochs)),
        "loss": draw.random.random((draw.n, draw.epochs)),
        "correct": draw.random.random((draw.n, draw.epochs)).round(),
    },
    "Estimate": lambda _: {"low": 0.1, "point": 0.2, "high": 0.3},
    "Findings": lambda draw: {
        "ids": np.arange(draw.n).astype(str),
        "suspicion": draw.random.random(draw.n),
        "flagged": draw.random.random(draw.n) > 0.5,
        "suggested_labels": draw.random.integers(-1, draw.k, draw.n),
        "suggestion_confidence": draw.random.random(draw.n),
        "transition": np.eye(draw.k),
        "noise_rate": 0.5,
        "classes": tuple(f"class {k}" for k in range(draw.k)),
    },
    "Neighbors": lambda draw: {
        "indices": (np.arange(draw.n)[:, None] + 1 + np.arange(max(1, min(9, draw.n - 1))))
        % draw.n,
        "similarities": np.sort(draw.random.random((draw.n, max(1, min(9, draw.n - 1)))))[:, ::-1],
    },
    "NoiseRate": lambda _: {"low": 0.1, "point": 0.2, "high": 0.3, "estimators": {"HOC": 0.2}},
    "Predictions": lambda draw: {"probabilities": draw.probabilities(), "classes": ("a", "b")},
    "Probabilities": lambda draw: {"values": draw.probabilities(), "origin": "out of sample"},
    "Votes": lambda draw: {name: draw.numbers() for name in ("item", "rater", "label")},
}

ARGUMENTS: dict[str, Callable[[Draw], Value]] = {
    "labels": Draw.labels,
    "features": lambda draw: draw.matrix(4),
    "evidence": lambda draw: draw.among(
        draw.curves, draw.neighbors, draw.probabilities, lambda: draw.matrix(4),
        lambda: draw.record("Dynamics"), lambda: [draw.record("Findings")] * 3,
    )(),
    "probabilities": lambda draw: draw.among(
        draw.probabilities, lambda: [draw.probabilities()] * 2,
        lambda: draw.record("Probabilities") if draw.k > 1 else None,
    )(),
    "neighbors": Draw.neighbors,
    "findings": lambda draw: draw.record("Findings"),
    "dynamics": lambda draw: draw.record("Dynamics"),
    "votes": lambda draw: draw.random.integers(0, draw.k, (draw.n, 3)),
    "flags": lambda draw: {"one": draw.curves()[:, 0] > 0.5, "other": draw.curves()[:, 0] > 0.5},
    "ids": lambda draw: [f"id {row}" for row in range(draw.n)],
    "classes": lambda draw: [f"class {k}" for k in range(draw.k)],
    "n_classes": lambda draw: draw.k,
    "k": lambda draw: draw.among(1, 3, 5),
    "rates": lambda draw: draw.random.random(draw.k),
    "rate": lambda draw: draw.random.random(),
    "value": lambda draw: draw.random.random(),
    "trusted": lambda draw: draw.random.random(draw.n) > 0.5,
    "threshold_samples": lambda draw: draw.random.random(draw.n) > 0.5,
    "thresholds": lambda draw: draw.random.random(draw.k),
    "joint": lambda draw: draw.random.integers(0, 9, (draw.k, draw.k)),
    "num_to_remove_per_class": lambda draw: draw.random.integers(0, 3, draw.k),
    "steps": lambda draw: draw.among(1, 20),
    "bootstrap": lambda draw: draw.among(0, 2),
    "folds": lambda draw: draw.among(2, 3),
    "C": lambda draw: draw.among(0.01, 1.0),
    "weights": lambda _: None,
    "transition": lambda _: None,
}  # fmt: skip
"""Sound values by the name of the parameter; others are left at their default, or odd."""
