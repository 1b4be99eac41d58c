from adc_core.records.run import Measurement
from adc_core.reporting.measurement_tables import measurement_tables


def measured(metric, subject, value, *, detail=False):
    return Measurement(metric=metric, subject=subject, value=value, better="higher", detail=detail)


MEASUREMENTS = (
    measured("noise rate", "labels", 0.2),
    measured("F1", "everything", 0.5),
    measured("F1", "one", 0.7),
    measured("AUC", "one", None),
    measured("noise rate", "says one", 0.3),
    measured("F1 of cat", "one", 0.6, detail=True),
    measured("AUC", "other", 0.9),
)


def test_subjects_that_share_a_metric_share_a_table():
    rates, figures = measurement_tables(MEASUREMENTS)
    assert rates.columns == ("noise rate",)
    assert rates.rows == (("labels", {"noise rate": 0.2}), ("says one", {"noise rate": 0.3}))
    assert figures.columns == ("F1", "AUC")
    assert figures.rows == (
        ("everything", {"F1": 0.5}),
        ("one", {"F1": 0.7, "AUC": None}),
        ("other", {"AUC": 0.9}),
    )


def test_details_stand_apart():
    assert measurement_tables(MEASUREMENTS, details=True) == [
        (("F1 of cat",), (("one", {"F1 of cat": 0.6}),))
    ]


def test_a_late_subject_joins_two_tables():
    tables = measurement_tables(
        [measured("A", "x", 1), measured("B", "y", 2), measured("A", "z", 3), measured("B", "z", 4)]
    )
    assert tables == [(("A", "B"), (("x", {"A": 1}), ("y", {"B": 2}), ("z", {"A": 3, "B": 4})))]


def test_nothing_measured_no_table():
    assert measurement_tables([]) == []
