"""Whether anything but an answer or one clear line comes of odd arrays and options.

    python benchmarks/fuzz_functions.py --minutes 10 --seed 0

Every function of adc_plugins_detect and every record of adc_core that holds arrays is called at
random: most arguments are sound, some are of another type, shape, order or length, hold NaN,
infinity or huge numbers, or are no arrays at all. An answer must be shown in full without an error,
a refusal must be an InputError of one line. Whatever else comes, a numpy warning or a call of more
than a minute too, is printed with its number and makes the exit code 1; `--call N` repeats one.
"""

import argparse
import inspect
import os
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np

import adc_core
import adc_plugins_detect
from adc_core import InputError
from adc_core.record import Record
from adc_core.signatures import Words

Value = Any
MINUTE = 60
RECORDS = ("Dataset", "Dynamics", "Estimate", "Findings", "Neighbours", "NoiseRate")
RECORDS += ("Predictions", "Probabilities", "Votes")
FUNCTIONS = tuple(
    name
    for name in adc_plugins_detect.__all__
    if inspect.isfunction(getattr(adc_plugins_detect, name))
)


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

    def neighbours(self) -> Value:
        """A graph, or features."""
        return self.record("Neighbours") if self.n > 1 else self.matrix(4)

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
    "Neighbours": lambda draw: {
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
        draw.curves, draw.neighbours, draw.probabilities, lambda: draw.matrix(4),
        lambda: draw.record("Dynamics"), lambda: [draw.record("Findings")] * 3,
    )(),
    "probabilities": lambda draw: draw.among(
        draw.probabilities, lambda: [draw.probabilities()] * 2,
        lambda: draw.record("Probabilities") if draw.k > 1 else None,
    )(),
    "neighbours": Draw.neighbours,
    "neighbors": Draw.neighbours,
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

ODD_OPTIONS = ("", "rank", "vote", "max", "both", "logits", -1, 0, 1, 2, 0.5, 1e9, True, None)

AMOUNTS = ("steps", "bootstrap")
"""Options that say how much work to do: whoever asks for a billion steps waits for them."""


def draw_call(number: int, seed: int) -> tuple[str, dict[str, Value]]:
    """The name and the arguments of a call, the same for the same number and seed."""
    draw = Draw(np.random.default_rng([seed, number]))
    name = draw.among(*FUNCTIONS, *RECORDS)
    if name in RECORDS:
        fields = RECORD_FIELDS[name](draw)
        return name, {
            field: draw.odd(value) if draw.random.random() < 0.2 else value
            for field, value in fields.items()
            if draw.random.random() < 0.9
        }
    return name, dict(_arguments(draw, name))


def _arguments(draw: Draw, name: str) -> Iterator[tuple[str, Value]]:
    for parameter in inspect.signature(getattr(adc_plugins_detect, name)).parameters.values():
        required = parameter.default is inspect.Parameter.empty
        if not required and draw.random.random() < 0.7:
            continue
        odd = draw.random.random() < (0.15 if required else 0.3)
        if parameter.name not in ARGUMENTS:
            yield parameter.name, draw.among(*ODD_OPTIONS)
        elif odd and parameter.name not in AMOUNTS:
            yield parameter.name, draw.odd(ARGUMENTS[parameter.name](draw))
        else:
            yield parameter.name, ARGUMENTS[parameter.name](draw)


def outcome_of(name: str, arguments: dict[str, Value]) -> str:
    """`answer` or `refusal`.

    Raises:
        Exception: anything else that came of it.
    """
    target = getattr(adc_core, name) if name in RECORDS else getattr(adc_plugins_detect, name)
    try:
        answer = target(**arguments)
    except InputError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1, f"a refusal of {len(lines)} lines: {error}"
        assert not {"validation error", "pydantic", "<function"} & {str(error)}, str(error)
        return "refusal"
    shown = repr(answer)
    assert not isinstance(answer, Record) or len(shown) < 2000, "an answer that fills the screen"
    for method in ("_repr_html_", "to_pandas"):
        if hasattr(answer, method):
            getattr(answer, method)()
    return "answer"


def _too_long(_: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {MINUTE} seconds")


def told(arguments: dict[str, Value]) -> str:
    """Arguments on one line, arrays by type, shape and first numbers."""

    def short(value: Value) -> str:
        if isinstance(value, np.ndarray):
            return f"{value.dtype}{list(value.shape)} {value.ravel()[:4].tolist()}"
        return " ".join(repr(value)[:120].split())

    return ", ".join(f"{name}={short(value)}" for name, value in arguments.items())


def main() -> int:
    """Call until the time is over; 1 where something else came than answers and refusals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--call", type=int, help="repeat the call of this number alone")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", RuntimeWarning)
    signal.signal(signal.SIGALRM, _too_long)
    counts: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    end = time.monotonic() + 60 * options.minutes
    number = options.call or 0
    while options.call in (None, number) and (options.call is not None or time.monotonic() < end):
        name, arguments = draw_call(number, options.seed)
        signal.alarm(MINUTE)
        try:
            came = outcome_of(name, arguments)
        except Exception as error:
            came = "fault"
            last = traceback.extract_tb(error.__traceback__)[-1]
            print(f"call {number} (seed {options.seed}): {name}({told(arguments)})")
            print(f"  {type(error).__name__}: {str(error)[:300]}  {last.filename}:{last.lineno}")
        signal.alarm(0)
        counts[came] += 1
        answered[name] += came == "answer"
        number += 1
    print(", ".join(f"{count:,} {came}s" for came, count in counts.most_common()))
    never = [name for name in (*FUNCTIONS, *RECORDS) if not answered[name]]
    if options.call is None and never:
        print(f"never answered: {', '.join(never)}")
    return int(counts["fault"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
