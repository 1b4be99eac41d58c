"""What every function on arrays does for its caller: options, names, progress, signatures."""

import inspect
import subprocess
import sys
from typing import get_type_hints

import numpy as np
import pytest
from pydantic import TypeAdapter

import adc_plugins_detect
from adc_core.components.interfaces import Detector, Enricher
from adc_core.components.registry import registry
from adc_core.errors import InputError
from adc_plugins_detect import (
    aum,
    confident_learning,
    cores,
    deep_knn,
    hoc,
    linear_probe,
    nearest_neighbors,
    noise_rate,
    simifeat,
    small_loss,
    transition_from_votes,
)
from adc_plugins_detect.array_function import _options_of

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
PROBABILITIES = np.eye(3)[LABELS] * 0.7 + 0.1
FEATURES = np.eye(8, 4) + 1.0
MARGINS = np.ones((8, 3))

FUNCTIONS = [
    name
    for name in adc_plugins_detect.__all__
    if inspect.isfunction(getattr(adc_plugins_detect, name))
]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: confident_learning(LABELS, PROBABILITIES, rule="prune_by_clas"),
            "rule: Input should be 'prune_by_noise_rate', 'prune_by_class', 'both', "
            "'confident_learning', 'predicted_neq_given', 'low_self_confidence' or "
            "'low_normalized_margin': did you mean 'prune_by_class'?",
        ),
        (
            lambda: confident_learning(LABELS, PROBABILITIES, score="margin"),
            "score: Input should be 'self_confidence', 'normalized_margin' or "
            "'confidence_weighted_entropy'",
        ),
        (
            lambda: confident_learning(LABELS, PROBABILITIES, frac_noise=-1, score=None),
            "score: Input should be 'self_confidence', 'normalized_margin' or "
            "'confidence_weighted_entropy'; "
            "frac_noise: Input should be greater than or equal to 0",
        ),
        (
            lambda: confident_learning(LABELS, PROBABILITIES, frac_noise=2.0),
            "frac_noise: Input should be less than or equal to 1",
        ),
        (
            lambda: simifeat(LABELS, FEATURES, k=3, rule="votes"),
            "rule: Input should be 'rank' or 'vote': did you mean 'vote'?",
        ),
        (
            lambda: simifeat(LABELS, FEATURES, min_rate=3),
            "min_rate: Input should be less than 0.95",
        ),
        (
            lambda: simifeat(LABELS, FEATURES, k=5.5),
            "k: Input should be a valid integer, got a number with a fractional part",
        ),
        (
            lambda: cores(LABELS, PROBABILITIES, kind="logit"),
            "kind: Input should be 'probabilities' or 'logits': did you mean 'logits'?",
        ),
        (
            lambda: nearest_neighbors(FEATURES, 2, method="exakt"),
            "method: Input should be 'auto', 'exact' or 'index': did you mean 'exact'?",
        ),
        (
            lambda: nearest_neighbors(FEATURES, 0),
            "k: Input should be greater than or equal to 1",
        ),
        (
            lambda: deep_knn(LABELS, FEATURES, k=2, alpha=5),
            "alpha: Input should be less than or equal to 1",
        ),
        (
            lambda: hoc(LABELS, nearest_neighbors(FEATURES, 3), steps=0),
            "steps: Input should be greater than or equal to 1",
        ),
        (
            lambda: linear_probe(LABELS, FEATURES, folds=1),
            "folds: Input should be greater than or equal to 2",
        ),
        (lambda: linear_probe(LABELS, FEATURES, C=-1), "C: Input should be greater than 0"),
        (
            lambda: aum(LABELS, MARGINS, flag_rate=float("nan")),
            "flag_rate: Input should be less than or equal to 1",
        ),
        (
            lambda: small_loss(LABELS, MARGINS, last_epochs=0),
            "last_epochs: Input should be greater than or equal to 1",
        ),
    ],
)
def test_an_option_that_is_not_allowed_is_refused(call, message):
    with pytest.raises(InputError) as raised:
        call()
    assert str(raised.value) == message


def test_numbers_of_other_types_are_options():
    given = simifeat(LABELS, FEATURES, k=np.float64(4.0), rule="vote", min_rate=np.float32(0.5))
    assert given == simifeat(LABELS, FEATURES, k=4, rule="vote", min_rate=0.5)


def test_wrong_arguments_are_told_as_python_does():
    with pytest.raises(TypeError, match="unexpected keyword argument 'kk'"):
        simifeat(LABELS, FEATURES, kk=3)
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3"):
        simifeat(LABELS, FEATURES, 3)
    with pytest.raises(TypeError, match="multiple values for argument 'labels'"):
        simifeat(LABELS, FEATURES, labels=LABELS)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        simifeat(LABELS)


def of_components():
    """Functions with the component that is built around each."""
    for interface in (Detector, Enricher):
        for entry in registry.entries(interface.kind):
            function = getattr(adc_plugins_detect, entry.name.replace("-", "_"), None)
            if entry.package == "adc-plugins-detect" and function is not None:
                component = registry.load(interface, entry.full_name)
                yield pytest.param(function, component, id=entry.name)


@pytest.mark.parametrize(("function", "component"), list(of_components()))
def test_a_function_and_its_component_allow_the_same(function, component):
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters
    of_component = get_type_hints(component, include_extras=True)
    for name in _options_of(function.__wrapped__).model_fields:
        if name in component.model_fields:
            assert hints[name] == of_component[name], name
            assert parameters[name].default in (
                inspect.Parameter.empty,
                component.model_fields[name].default,
            )
            TypeAdapter(hints[name]).validate_python(component.model_fields[name].default)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_shows_a_signature_that_can_be_read(name):
    shown = str(inspect.signature(getattr(adc_plugins_detect, name)))
    assert len(shown) < 700
    assert "_Nested" not in shown


def test_a_signature_is_shown_as_it_was_written():
    assert str(inspect.signature(simifeat)) == (
        "(labels: ArrayLike, evidence: ArrayLike | Neighbors, *, k: int = 10, "
        "rule: Literal['rank', 'vote'] = 'rank', min_rate: float = 0.0, "
        "transition: TransitionEstimate | None = None, duplicate_similarity: float = 0.999999, "
        "n_classes: int | None = None, classes: Sequence[str] = (), "
        "ids: ArrayLike | None = None) -> Findings"
    )


NAMES = np.array(["cat", "dog", "eel"])[LABELS]


def test_labels_may_be_names():
    by_number = confident_learning(LABELS, PROBABILITIES)
    by_name = confident_learning(NAMES.tolist(), PROBABILITIES)
    assert by_name.classes == ("cat", "dog", "eel")
    assert by_name.replace(classes=None) == by_number
    assert by_number.classes is None


def test_names_and_columns_must_be_as_many():
    with pytest.raises(InputError) as raised:
        confident_learning(NAMES[:2], PROBABILITIES[:2])
    assert str(raised.value) == ("labels: 2 names but 3 classes: give the classes as numbers 0…2")


def test_warnings_call_classes_by_their_names():
    votes = np.array([[0, 1, 1]] * 40 + [[1, 0, 0]] * 40 + [[0, 1, 0]] * 4)
    with pytest.warns(UserWarning, match="class dog is labelled cat more often than dog"):
        transition_from_votes(votes, classes=["cat", "dog"])
    with pytest.raises(InputError) as raised:
        transition_from_votes(votes, classes=["cat"])
    assert str(raised.value) == "classes: 1 names for 2 classes: give one each"


def test_functions_take_what_functions_make():
    probed = linear_probe(LABELS, FEATURES, folds=2)
    assert confident_learning(LABELS, probed) == confident_learning(LABELS, probed.values)
    assert noise_rate(LABELS, probabilities=probed) == noise_rate(
        LABELS, probabilities=probed.values
    )
    seen = probed.replace(origin="in sample")
    cores(LABELS, seen)
    with pytest.raises(InputError) as raised:
        confident_learning(LABELS, seen)
    assert str(raised.value) == (
        "the probabilities are in sample, and a model agrees with the wrong labels that it has "
        "seen: use out-of-sample ones, or pass their values"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: hoc(LABELS, FEATURES),
            "neighbors: expected Neighbors, got ndarray: nearest_neighbors(features, k) makes them",
        ),
        (
            lambda: adc_plugins_detect.ensemble(LABELS, [LABELS]),
            "evidence: expected Findings, got ndarray: a detector makes them",
        ),
        (
            lambda: adc_plugins_detect.ensemble(LABELS, 3),
            "evidence: expected a list of Findings, one of each detector, got int",
        ),
        (
            lambda: adc_plugins_detect.average_models(LABELS, linear_probe(LABELS, FEATURES)),
            "probabilities: expected a list of N × K matrices, one of each model, "
            "got Probabilities",
        ),
        (
            lambda: confident_learning(LABELS, np.zeros((0, 8, 3))),
            "there are no probabilities: give those of at least one model",
        ),
        (
            lambda: adc_plugins_detect.self_confidence(LABELS, PROBABILITIES, neighbors=FEATURES),
            "neighbors: expected Neighbors, got ndarray: nearest_neighbors(features, k) makes them",
        ),
        (
            lambda: simifeat(LABELS, FEATURES, k=3, transition=[1]),
            "transition: expected TransitionEstimate, got list: hoc makes them",
        ),
        (
            lambda: adc_plugins_detect.lstm_dynamics(LABELS, MARGINS, weights=3),
            "weights: expected a path, got int",
        ),
        (
            lambda: adc_plugins_detect.overlap([LABELS]),
            "flags: expected the N booleans of each filter by its name",
        ),
        (
            lambda: adc_plugins_detect.overlap({"a": [True, False], "b": [True]}),
            "flags b: expected as many booleans as every other filter has, got bool (1,)",
        ),
        (
            lambda: linear_probe(LABELS, FEATURES, n_classes=10**9),
            "n_classes: Input should be less than or equal to 100000",
        ),
        (
            lambda: transition_from_votes([[0, 1, 2]], n_classes=30_000),
            "30,000 classes need a transition matrix of 7 GB: estimate it for 20,000 at most",
        ),
        (
            lambda: confident_learning([0, -np.inf], PROBABILITIES[:2]),
            "labels: row 1 is -inf, expected a whole number or a class name",
        ),
        (
            lambda: confident_learning(LABELS, PROBABILITIES, ids=["a"] * 8),
            "ids: duplicate id a in row 1: make ids distinct",
        ),
        (
            lambda: confident_learning(LABELS, PROBABILITIES, ids=["a"]),
            "ids have 1 rows but there are 8 labels: give one each",
        ),
        (
            lambda: confident_learning(LABELS, PROBABILITIES, ids=np.eye(8)),
            "ids: expected one text per row, got shape (8, 8)",
        ),
        (
            lambda: linear_probe(LABELS, FEATURES * 1e300),
            "features: row 0 holds 2e+300, whose square overflows: scale the features",
        ),
        (
            lambda: simifeat([0, 1_000_001], FEATURES[:2], k=3),
            "labels go up to 1000001 for 2 samples: are they ids? write names, or numbers from 0",
        ),
        (
            lambda: linear_probe([0, 1_000_001], FEATURES[:2]),
            "labels go up to 1000001 for 2 samples: are they ids? write names, or numbers from 0",
        ),
        (
            lambda: confident_learning(LABELS, [[0.5, 0.5], [1.0]]),
            "probabilities: cannot be read as an array: setting an array element with a "
            "sequence. The requested array has an inhomogeneous shape after 1 dimensions. The "
            "detected shape was (2,) + inhomogeneous part.",
        ),
    ],
)
def test_what_cannot_be_judged_is_named(call, message):
    with pytest.raises(InputError) as raised:
        call()
    assert str(raised.value) == message


WATCHED = """
import sys
import numpy as np
from adc_core.components.context import progress
from adc_plugins_detect.array_function import array_function

class Terminal:
    def __init__(self): self.text = ""
    def write(self, text): self.text += text
    def flush(self): pass
    def isatty(self): return {isatty}

@array_function
def slow(labels: object):
    import time
    for done in range(1, 4):
        time.sleep({seconds})
        progress(done, 3, "step")

real, sys.stderr = sys.stderr, Terminal()
slow([0])
print(repr(sys.stderr.text))
"""


@pytest.mark.parametrize(
    ("isatty", "seconds", "shown"), [(True, 0.6, True), (True, 0, False), (False, 0.6, False)]
)
def test_work_of_more_than_a_second_shows_a_bar_on_a_terminal(isatty, seconds, shown):
    program = WATCHED.format(isatty=isatty, seconds=seconds)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert ("slow:" in done.stdout) is shown
    assert ("3/3" in done.stdout) is shown
