"""The report's figures show names of classes as they are."""

import html

import numpy as np
import pytest

from adc_core.records.dataset import Dataset

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
