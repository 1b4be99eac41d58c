"""How records look in a terminal and in a notebook."""

import sys

import numpy as np
import pyarrow as pa
import pytest

import adc_core
from adc_core import Curation, Dataset, Estimate, Findings, Neighbors, NoiseRate, Run
from adc_core.records.curation import CHANGES

DATASET = Dataset(
    labels=["cat", "dog", "cat", "cat"],
    features=np.eye(4),
    ids=["a", "b", "<i>c</i>", "d"],
)
FINDINGS = Findings(
    ids=DATASET.ids,
    suspicion=[0.1, np.nan, 0.9, 0.5],
    flagged=[False, False, True, False],
    covered=[True, False, True, True],
    suggested_labels=[-1, -1, 1, -1],
    noise_rate=0.25,
)
CHANGED = pa.table(
    {
        "id": ["b", "d"],
        "action": ["drop", "relabel"],
        "old_label": [1, 0],
        "new_label": [-1, 1],
        "reason": ["", "<b>sure</b>"],
    },
    schema=CHANGES,
)
CURATION = Curation.apply(DATASET, CHANGED)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (DATASET, "<Dataset: 4 samples, 2 classes; with features>"),
        (Dataset(labels=[0, 1]), "<Dataset: 2 samples, 2 classes>"),
        (FINDINGS, "<Findings: 4 samples, 1 flagged (33.3 %), 1 not judged, about 25.0 % wrong>"),
        (
            FINDINGS.replace(noise_range=NoiseRate(low=0.1, point=0.2, high=0.3)),
            "<Findings: 4 samples, 1 flagged (33.3 %), 1 not judged, wrong: 20 % (10 to 30 %)>",
        ),
        (CURATION, "<Curation: 3 samples left, 1 dropped, 1 relabelled>"),
        (
            Run(collected=DATASET, findings={"mine": FINDINGS}, curations={"it": CURATION}),
            "<Run: 4 samples, 1 detector, 1 curator>",
        ),
        (
            Neighbors(indices=[[1], [0]], similarities=[[0.5], [0.5]]),
            "Neighbors(indices=int64 2 × 1, similarities=float32 2 × 1, recall=1.0)",
        ),
        (Estimate(low=0.1, point=0.2, high=0.3), "Estimate(low=0.1, point=0.2, high=0.3)"),
    ],
)
def test_a_record_is_one_line(record, shown):
    assert repr(record) == shown


def test_printing_shows_the_same_line():
    assert str(FINDINGS) == repr(FINDINGS)
    assert str(Estimate(low=0.1, point=0.2, high=0.3)) == "20 % (10 to 30 %)"


def test_notebooks_show_the_most_suspicious_and_escape_what_they_show():
    html = FINDINGS._repr_html_()
    assert html.count("<tr>") == 1 + 4
    first = html.index("&lt;i&gt;c&lt;/i&gt;")
    assert first < html.index("<td>d</td>") < html.index("<td>a</td>") < html.index("<td>b</td>")
    assert "<i>" not in html
    named = FINDINGS.replace(classes=("cat", "dog"))._repr_html_()
    assert "<td>dog</td>" in named
    assert "&lt;b&gt;sure&lt;/b&gt;" in CURATION._repr_html_()
    assert "<td>cat</td><td>3</td>" in DATASET._repr_html_()
    run = Run(collected=DATASET, findings={"mine": FINDINGS})
    assert "<td>mine</td><td>Findings: 4 samples, 1 flagged" in run._repr_html_()


def test_a_long_text_is_cut():
    shown = repr(NoiseRate(low=0, point=0, high=0, warnings=("a" * 500,)))
    assert len(shown) < 200
    assert "aaa…" in shown


def test_findings_are_drawn_without_touching_other_figures():
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")
    figure = FINDINGS.plot()
    assert pyplot.get_fignums() == []
    assert figure._repr_png_().startswith(b"\x89PNG")
    (axes,) = figure.axes
    heights = [polygon.get_xy()[:, 1].max() for polygon in axes.patches]
    assert sorted(heights) == [1, 1]
    names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert names == ["not flagged (2)", "flagged (1)"]


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError) as caught:
        FINDINGS.plot()
    assert str(caught.value) == "a figure needs matplotlib: pip install matplotlib"


def test_completion_offers_what_there_is():
    assert sorted(dir(adc_core)) == sorted(adc_core.__all__)
    for names in (dir(Dataset), dir(DATASET)):
        assert {"take", "relabeled", "replace", "fingerprint"} <= {*names}
        assert not {"copy", "dict", "json", "parse_raw", "parse_obj", "construct"} & {*names}
