"""The report's figures show names of classes as they are."""

import html

import numpy as np
import pytest

from adc_core.records.dataset import Dataset
from adc_core.records.run import Measurement

figures = pytest.importorskip("adc_plugins_publish.html_report.figures", reason="needs matplotlib")
ODD = ("${$", "a $^$ b", "$x$ y", "5 $", "plain")


def test_no_class_is_a_formula():
    dataset = Dataset(ids=list("abcde"), labels=range(5), classes=ODD)
    for svg in (
        figures.class_counts(dataset, "images"),
        figures.transition(np.eye(5), ODD, "hoc"),
    ):
        shown = html.unescape(svg)
        assert all(f">{name}</text>" in shown for name in ODD)


def measured(metric, subject, value, *, detail=False):
    return Measurement(metric=metric, subject=subject, value=value, better="higher", detail=detail)


def test_delta_curves_have_a_line_a_training_and_infinity_at_the_end():
    found = [
        measured(f"δ-worst accuracy, δ = {delta}{how}", f"{name} on raw", value)
        for name, how in (("one", ""), ("two", ""), ("two", ", reverse KL"))
        for delta, value in (("0", 0.9), ("0.5", 0.7), ("∞", 0.2))
    ]
    svg = html.unescape(figures.delta_curves(found))
    for text in ("one on raw", "two on raw", "two on raw, reverse KL", "0.5", "∞"):
        assert f">{text}</text>" in svg
    assert svg.count("stroke-dasharray") == 3  # from the last distance to infinity


def test_what_was_not_measured_is_not_drawn():
    found = [measured("accuracy", "one on raw", 0.9), measured("accuracy of cat", "x", 0.9)]
    assert figures.delta_curves(found) == ""
    dataset = Dataset(labels=[0, 1], classes=("cat", "dog"))
    assert figures.classes_by_size(dataset, found, "images") == ""  # it is no detail


def test_classes_stand_in_the_order_of_their_size():
    dataset = Dataset(labels=[0, 1, 1, 1, 2, 2], classes=ODD[:3])
    found = [
        measured(f"accuracy of {name}", subject, value, detail=True)
        for subject in ("one on raw", "$two$ on raw")
        for name, value in zip(ODD, (0.5, None, 0.7), strict=False)
    ]
    svg = html.unescape(figures.classes_by_size(dataset, found, "images"))
    places = [svg.index(f">{ODD[k]}</text>") for k in (1, 2, 0)]
    assert places == sorted(places)
    for text in ("one on raw", "$two$ on raw", "images", "accuracy on the test set"):
        assert f">{text}</text>" in svg
