import numpy as np
import pytest
from pydantic import ValidationError

from adc_core.errors import InputError
from adc_core.records.findings import Findings
from adc_core.testing.toys import toy_dataset
from adc_plugins_detect import at_value, by_class_rate, by_rate
from adc_plugins_detect.detectors.aum import Aum
from adc_plugins_detect.detectors.threshold import Threshold

FOUND = Findings(
    ids=["a", "b", "c", "d", "e"],
    suspicion=np.array([0.2, 0.9, np.nan, 0.9, 0.4]),
    flagged=np.array([True, False, False, False, False]),
    covered=np.array([True, True, False, True, True]),
)


def test_by_rate_flags_a_share_of_the_judged():
    assert by_rate(FOUND, 0.25).flagged.tolist() == [False, True, False, False, False]
    assert by_rate(FOUND, 0.75).flagged.tolist() == [False, True, False, True, True]
    assert by_rate(FOUND, 1).flagged.tolist() == FOUND.covered.tolist()
    assert not by_rate(FOUND, 0).flagged.any()


def test_by_class_rate_flags_a_share_of_each_label():
    flagged = by_class_rate(FOUND, [0, 1, 1, 1, 0], [0.5, 1]).flagged
    assert flagged.tolist() == [False, True, False, True, True]


def test_at_value_flags_from_there_on():
    assert at_value(FOUND, 0.4).flagged.tolist() == [False, True, False, True, True]
    assert at_value(FOUND, 0).flagged.tolist() == FOUND.covered.tolist()


def test_all_else_stays():
    assert by_rate(FOUND, 0.5).replace(flagged=FOUND.flagged) == FOUND


@pytest.mark.parametrize(
    ("options", "function"),
    [
        ({"flag_rate": 0.2}, lambda found, _: by_rate(found, 0.2)),
        ({"value": 0.5}, lambda found, _: at_value(found, 0.5)),
        (
            {"class_rates": {"green": 0.3}},
            lambda found, labels: by_class_rate(found, labels, [0, 0.3, 0]),
        ),
    ],
)
def test_the_component_chooses_the_rule(options, function):
    dataset = toy_dataset()
    detector = Threshold(detector=Aum(), **options)
    assert detector.required_columns == ("dynamics",)
    assert detector.detect(dataset) == function(Aum().detect(dataset), dataset.labels)


def test_detectors_compare_at_an_equal_budget():
    dataset = toy_dataset()
    for name in ("aum", "simifeat", "confident-learning"):
        found = Threshold(detector=name, flag_rate=0.1).detect(dataset)
        assert found.flagged.sum() == 15


def test_bad_input_is_named():
    for options in ({}, {"flag_rate": 0.1, "value": 0.5}):
        with pytest.raises(ValidationError) as invalid:
            Threshold(detector="aum", **options)
        assert [error["msg"] for error in invalid.value.errors()] == [
            "Value error, give one of flag_rate, class_rates and value, or within_classes"
        ]
    with pytest.raises(InputError) as raised:
        Threshold(detector="aum", class_rates={"pink": 0.1}).detect(toy_dataset())
    assert str(raised.value) == ('class_rates: there is no class "pink"; there is red, green, blue')
    with pytest.raises(InputError) as raised:
        by_class_rate(FOUND, [0, 1], [0.1, 0.1])
    assert str(raised.value) == (
        "findings have 5 rows but there are 2 labels: give one row per sample"
    )
    with pytest.raises(InputError) as raised:
        by_rate(FOUND, 1.5)
    assert str(raised.value) == "flag_rate: Input should be less than or equal to 1"


@pytest.mark.parametrize("rate", [None, 0.2])
def test_the_same_share_of_each_label(rate):
    dataset = toy_dataset()
    own = Aum().detect(dataset)
    found = Threshold(detector=Aum(), within_classes=True, flag_rate=rate).detect(dataset)
    share = own.flagged.mean() if rate is None else rate
    for label in range(3):
        of_label = dataset.labels == label
        assert found.flagged[of_label].sum() == int(share * of_label.sum())
        bound = found.suspicion[of_label & found.flagged].min()
        assert (found.suspicion[of_label & ~found.flagged] <= bound).all()


def test_a_share_of_each_label_is_no_value():
    with pytest.raises(ValidationError) as invalid:
        Threshold(detector="aum", within_classes=True, value=0.5)
    assert [error["msg"] for error in invalid.value.errors()] == [
        "Value error, within_classes goes with flag_rate, or alone: leave out the rest"
    ]
