"""Labeling functions: rules of the user's own vote on labels as people do."""

import inspect
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, ClassVar, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from adc_core import Dataset, Enricher, InputError, Votes, status
from adc_core.arrays import Array
from adc_core.components import load_own

NOTHING = -1
"""What a function answers of a sample of which it does not know."""

LabelingFunction = Callable[[Dataset], Array]
"""A dataset to N answers: names of classes, or "" for nothing; or class numbers, or -1."""


def class_in_title(dataset: Dataset) -> NDArray[np.int64]:
    """Answer the class whose name is in the title, in any case, where it is the only one.

    Trap: a search engine matched the words of the query, so that titles name the class that was
    searched for, whatever the image shows.

    Raises:
        InputError: the dataset's sources have no column `title`.
    """
    if dataset.sources is None or "title" not in dataset.sources.column_names:
        raise InputError("class_in_title reads the column title of the sources: collect them")
    titles = dataset.sources["title"].cast(pa.string()).fill_null("")
    named = np.stack(
        [
            np.asarray(pc.match_substring(titles, name, ignore_case=True), np.bool_)
            for name in dataset.classes
        ],
        axis=1,
    )
    answers: NDArray[np.int64] = np.where(
        named.sum(axis=1) == 1, named.argmax(axis=1), NOTHING
    ).astype(np.int64)
    return answers


def votes_by_functions(dataset: Dataset, functions: Sequence[LabelingFunction]) -> Votes:
    """Make votes of what functions answer: each is a rater, each answer a vote.

    Args:
        dataset: what the functions are called with.
        functions: each returns N answers.

    Raises:
        InputError: a function fails, or answers something else than one class or nothing for each
            sample.
    """
    parts = [_answers(one, dataset) for one in functions]
    rows = [np.flatnonzero(answers != NOTHING) for answers in parts]
    sizes = [len(one) for one in rows]
    if not parts:
        raise InputError("there is no labeling function: give at least one")
    return Votes(
        item=np.concatenate(rows),
        rater=np.repeat(np.arange(len(parts)), sizes),
        label=np.concatenate([a[r] for a, r in zip(parts, rows, strict=True)]),
        names=tuple(_name_of(one) for one in functions),
    )


def _name_of(function: LabelingFunction) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _answers(function: LabelingFunction, dataset: Dataset) -> NDArray[np.int64]:
    name = _name_of(function)
    try:
        answers = np.asarray(function(dataset))
    except InputError:
        raise
    except Exception as error:  # whatever the user's function raises
        reason = str(error).split("\n")[0]
        raise InputError(f"{name} failed ({type(error).__name__}: {reason}): mend it") from error
    if answers.shape != (len(dataset),):
        raise InputError(
            f"{name} answers {answers.shape}: it must answer a class or nothing for each of "
            f"{len(dataset)} samples"
        )
    K = len(dataset.classes)
    if answers.dtype.kind in "iu":
        numbers = answers.astype(np.int64)
        strange = (numbers < NOTHING) | (numbers >= K)
    else:
        texts = np.where(answers == None, "", answers).astype(np.str_)  # noqa: E711
        found, place = np.unique(texts, return_inverse=True)
        known = {"": NOTHING} | {one: k for k, one in enumerate(dataset.classes)}
        numbers = np.array([known.get(one, K) for one in found.tolist()], np.int64)[place]
        strange = numbers == K
    if strange.any():
        row = int(strange.argmax())
        raise InputError(
            f"{name} answers {answers[row].item()!r} of row {row}, which is no class: "
            f"{', '.join(dataset.classes)}, or nothing ('' or {NOTHING})"
        )
    return numbers


class LabelingFunctions(Enricher):
    """Lets functions of the user's own vote on the labels, each as a rater.

    A function takes the dataset and returns, for all samples at once, names of classes or "" where
    it knows nothing (or class numbers and -1). Detectors of votes are then the label model:
    `majority-votes`, `dawid-skene`, which learns how far each function is to be believed, and the
    others. It is called if it is annotated as a function of a `Dataset` that returns a
    `numpy.ndarray`.

    Traps: a function that reads the given labels votes for them. Functions that read the same
    words err alike, which Dawid and Skene's method takes for two opinions.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"functions": ["adc_plugins_review.enrichers.labeling_functions:class_in_title"]}
            ]
        }
    )

    provides: ClassVar[tuple[str, ...]] = ("votes",)
    optional_columns: ClassVar[tuple[str, ...]] = ("features", "neighbors", "probabilities")

    functions: tuple[str, ...] = Field(min_length=1, description="module:function of each")

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the result: the functions as they are written, too."""
        sources = [_source_of(name) for name in self.functions]
        return super().identity | {"functions_source": sources}

    def enrich(self, dataset: Dataset) -> Dataset:
        """Add the votes of the functions.

        Raises:
            InputError: the dataset has votes already, or a function cannot be called.
        """
        if dataset.votes is not None:
            raise InputError(
                "the dataset has votes already, of which labeling-functions would make one table "
                "with its own: judge by the one or the other"
            )
        functions = [_loaded(name) for name in self.functions]
        votes = votes_by_functions(dataset, functions).replace(names=self.functions)
        counts = np.bincount(votes.rater, minlength=len(functions))
        for name, number in zip(self.functions, counts.tolist(), strict=True):
            status(f"{name} knows of {number:,} of {len(dataset):,} samples")
        return dataset.replace(votes=votes)


def _loaded(name: str) -> LabelingFunction:
    """Import a function, if it is declared to judge a dataset; a pipeline may be a stranger's."""
    how = "numpy.ndarray, and its argument : adc_core.Dataset"
    function: LabelingFunction = load_own(name, np.ndarray, "label samples", how)
    takes = [kind for key, kind in get_type_hints(function).items() if key != "return"]
    if isinstance(function, type) or takes != [Dataset]:
        raise InputError(f"{name} is not declared to label samples: annotate it with -> {how}")
    return function


def _source_of(name: str) -> str | None:
    try:
        return sha256(inspect.getsource(_loaded(name)).encode()).hexdigest()
    except (InputError, OSError, TypeError):
        return None  # enriching says what is wrong
