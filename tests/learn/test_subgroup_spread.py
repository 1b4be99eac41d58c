"""Accuracy of the subgroups of each class: vectors, small cells and a run."""

import numpy as np
import pytest

from adc_core import Dataset, InputError, Predictions, Run, Training
from adc_plugins_learn import SubgroupSpread, subgroup_spread


@pytest.mark.parametrize(("key", "unbiased"), [("", False), ("_unbiased", True)])
def test_as_in_the_vectors(numbers, key, unbiased):
    known = numbers["subgroup_spread"]
    found = subgroup_spread(
        known["labels"], known["groups"], known["right"], 3, min_count=1, unbiased=unbiased
    )
    cells = {
        f"{k}/{value}": [int(found.counts[k, g]), found.accuracy[k, g]]
        for k in range(3)
        for g, value in enumerate(found.values)
        if found.counts[k, g]
    }
    assert cells == known["cells"]
    expected = [known[f"spread{key}"]["0"], known[f"spread{key}"]["1"], np.nan]
    np.testing.assert_allclose(found.spread, expected)
    assert found.macro == pytest.approx(known[f"macro{key}"])


def test_small_subgroups_count_nowhere(numbers):
    known = numbers["subgroup_spread"]
    found = subgroup_spread(known["labels"], known["groups"], known["right"], 3, min_count=4)
    # Of class 0 red (5 of 6) and blue (2 of 4) are left, of class 1 blue alone.
    spread = np.sqrt((6 * (5 / 6 - 0.7) ** 2 + 4 * (0.5 - 0.7) ** 2) / 10)
    np.testing.assert_allclose(found.spread, [spread, np.nan, np.nan])
    assert found.macro == pytest.approx(spread)
    none = subgroup_spread(known["labels"], known["groups"], known["right"], 3, min_count=7)
    assert none.macro is None
    assert np.isnan(none.accuracy).all()


def test_equal_subgroups_have_no_spread():
    found = subgroup_spread([0] * 8, list("aabbccdd"), [True, False] * 4, 2, min_count=2)
    assert found.macro == 0


def test_arrays_of_different_lengths():
    with pytest.raises(InputError) as error:
        subgroup_spread([0, 1], ["a"], [True, True], 2)
    assert str(error.value) == "2 labels, 1 groups and 2 right: give one of each"


def test_a_run(numbers):
    known = numbers["subgroup_spread"]
    labels, right = np.array(known["labels"]), np.array(known["right"])
    predicted = np.where(right, labels, (labels + 1) % 3)
    test = Dataset(
        labels=labels, classes=("hat", "bag", "tie"), attributes={"color": known["groups"]}
    )
    predictions = Predictions(
        probabilities=np.eye(3, dtype=np.float32)[predicted], classes=test.classes
    )
    trainings = (
        Training(learner="one", trained_on="raw", predictions=predictions),
        Training(learner="no", trained_on="raw"),
    )
    run = Run(collected=test, trainings=trainings, test=test)
    found = SubgroupSpread(min_count=4).measure(run)
    assert {m.metric: m.value for m in found if m.detail} == {
        "accuracy of hat, color blue (4 samples)": 0.5,
        "accuracy of hat, color red (6 samples)": 5 / 6,
        "accuracy of bag, color blue (4 samples)": 0.75,
        "accuracy of tie, color red (4 samples)": 0.75,
    }
    assert {m.metric: (m.value, m.better) for m in found if not m.detail} == {
        "spread over color": (pytest.approx(np.sqrt(4 / 150)), "lower"),
        "worst subgroup by color": (0.5, "higher"),
        "gap of subgroups by color": (pytest.approx(5 / 6 - 0.5), "lower"),
    }
    assert {m.subject for m in found} == {"one on raw"}
    assert SubgroupSpread().measure(run.replace(test=None)) == ()
    few = SubgroupSpread(min_count=50).measure(run)
    assert [(m.metric, m.value) for m in few] == [
        ("spread over color", None),
        ("worst subgroup by color", None),
        ("gap of subgroups by color", None),
    ]
