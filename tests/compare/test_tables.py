"""From the figures of cells to tables, and to their forms."""

import csv
import io

import pytest

from adc_core import InputError
from adc_plugins_compare import (
    Cell,
    Comparison,
    Figure,
    Outcome,
    as_csv,
    as_latex,
    as_markdown,
    as_text,
    caption,
    tables_of,
)

VALUES = {
    ("CE", "10"): [0.50, 0.51, 0.52],
    ("CE", "50"): [0.30, 0.31, 0.32],
    ("focal_2", "10"): [0.70, 0.72, 0.71],
    ("focal_2", "50"): [0.30, 0.33, 0.32],
}


def planned(layout, seeds=(0, 1, 2), values=VALUES):
    """A comparison of methods at ratios, and its cells."""
    axes = {
        "method": {name: {} for name, _ in values},
        "ratio": {name: {} for _, name in values},
    }
    comparison = Comparison(axes=axes, seeds=seeds, table=layout)
    cells = [
        Cell({"method": method, "ratio": ratio}, seed, None)
        for seed in seeds
        for method, ratio in values
    ]
    return comparison, cells


def measured(cells, values=VALUES, metric="accuracy", better="higher", subject=""):
    return [
        Outcome(cell.name, 1.0, (Figure(metric, subject, values[key][cell.seed], better),))
        for cell in cells
        if (key := tuple(cell.levels.values()))
    ]


def failed(outcomes, place):
    return [
        one._replace(figures=(), error="no") if number == place else one
        for number, one in enumerate(outcomes)
    ]


def test_columns_make_a_table_of_each_metric():
    comparison, cells = planned({"columns": ["ratio"]})
    (table,) = tables_of(comparison, cells, measured(cells))
    assert (table.title, table.heads, table.columns) == ("accuracy", ("method",), ("10", "50"))
    assert [name for name, _ in table.rows] == [("CE",), ("focal_2",)]
    (_, (first, second)), (_, (third, fourth)) = table.rows
    assert first.mean == pytest.approx(0.51)
    assert first.spread == pytest.approx(0.01)
    assert (first.best, first.tied, third.best) == (False, False, True)
    assert (second.tied, fourth.best) == (True, True)
    assert "t-test" in caption(len(comparison.seeds), [table])


def test_without_columns_metrics_are_columns_and_blocks_are_compared_within():
    comparison, cells = planned({"rows": ["ratio", "method"]})
    outcomes = measured(cells)
    loss = measured(cells, metric="error", better="lower")
    both = [one._replace(figures=one.figures + two.figures) for one, two in zip(
        outcomes, loss, strict=True)]  # fmt: skip
    (table,) = tables_of(comparison, cells, both)
    assert (table.title, table.heads, table.block) == ("", ("ratio", "method"), 1)
    assert table.columns == ("accuracy", "error")
    best = {name: [one.best for one in entries] for name, entries in table.rows}
    assert best == {
        ("10", "CE"): [False, True],
        ("50", "CE"): [False, True],
        ("10", "focal_2"): [True, False],
        ("50", "focal_2"): [True, False],
    }


def test_rows_of_a_block_follow_each_other():
    comparison, cells = planned({"rows": ["ratio", "method"]})
    (table,) = tables_of(comparison, cells, measured(cells))
    assert [name for name, _ in table.rows] == [
        ("10", "CE"), ("10", "focal_2"), ("50", "CE"), ("50", "focal_2"),
    ]  # fmt: skip


def test_failed_cells_are_counted_and_shown():
    comparison, cells = planned({"columns": ["ratio"]})
    outcomes = failed(measured(cells), 0)
    (table,) = tables_of(comparison, cells, outcomes)
    entry = table.rows[0][1][0]
    assert entry.missing == 1
    assert entry.mean == pytest.approx(0.515)
    assert "0.515 ± 0.007 (1 failed)" in as_text([table])
    for place in (4, 8):
        outcomes = failed(outcomes, place)
    (table,) = tables_of(comparison, cells, outcomes)
    assert table.rows[0][0] == ("CE",)
    assert "failed" in as_text([table]).splitlines()[2]


def test_one_run_shows_no_spread_and_says_what_that_means():
    comparison, cells = planned({"columns": ["ratio"]}, seeds=(0,))
    tables = tables_of(comparison, cells, measured(cells))
    assert "±" not in as_text(tables)
    assert caption(len(comparison.seeds), tables).startswith("One run each")


def test_two_seeds_mark_the_best_and_tell_no_ties():
    comparison, cells = planned({"columns": ["ratio"]}, seeds=(0, 1))
    tables = tables_of(comparison, cells, measured(cells))
    assert "takes 3 seeds" in caption(len(comparison.seeds), tables)
    assert not any(one.tied for _, entries in tables[0].rows for one in entries)


def test_a_figure_that_no_seed_changes_is_compared_with_each_seed_of_the_others():
    comparison, cells = planned({"columns": ["ratio"]})
    fixed = [cell for cell in cells if cell.levels["method"] != "CE" or cell.seed == 0]
    fixed = [cell._replace(seed=None) if cell.levels["method"] == "CE" else cell for cell in fixed]
    outcomes = [
        Outcome(cell.name, 1.0, (Figure("accuracy", "", VALUES[tuple(cell.levels.values())][
            cell.seed or 0], "higher"),))
        for cell in fixed
    ]  # fmt: skip
    (table,) = tables_of(comparison, fixed, outcomes)
    first = table.rows[0][1][0]
    assert (first.values, first.spread, first.tied) == ((0.50,), None, False)
    assert table.rows[1][1][0].best
    assert "  0.500  " in as_text([table])


def test_a_subject_that_is_the_same_for_all_has_one_row():
    comparison, cells = planned({"columns": ["ratio"]})
    chance = {key: [0.1 * int(key[1][0])] * 3 for key in VALUES}
    outcomes = [
        one._replace(figures=one.figures + two.figures)
        for one, two in zip(measured(cells), measured(cells, chance, subject="by chance"),
                            strict=True)
    ]  # fmt: skip
    (table,) = tables_of(comparison, cells, outcomes)
    assert table.heads == ("method",)
    assert [name for name, _ in table.rows] == [("CE",), ("focal_2",), ("by chance",)]
    other = {key: [number, number, number] for number, key in enumerate(VALUES)}
    outcomes = measured(cells, other, subject="on curated")
    (table,) = tables_of(comparison, cells, outcomes)
    assert table.heads == ("method", "subject")
    assert table.rows[0][0] == ("CE", "on curated")


def test_details_are_left_out_unless_named():
    comparison, cells = planned({"columns": ["ratio"]})
    outcomes = measured(cells)
    for number, one in enumerate(outcomes):
        detail = Figure("accuracy of cats", "", 0.5, "higher", detail=True)
        outcomes[number] = one._replace(figures=(*one.figures, detail))
    assert [table.title for table in tables_of(comparison, cells, outcomes)] == ["accuracy"]
    named, _ = planned({"columns": ["ratio"], "metrics": ["accuracy of cats"]})
    assert [table.title for table in tables_of(named, cells, outcomes)] == ["accuracy of cats"]


def test_a_metric_that_nothing_measured_is_refused_with_the_near_one():
    comparison, cells = planned({"metrics": ["acuracy"]})
    with pytest.raises(InputError, match='no metric "acuracy": did you mean "accuracy"'):
        tables_of(comparison, cells, measured(cells))


def test_undefined_figures_are_said():
    comparison, cells = planned({"columns": ["ratio"]}, seeds=(0,))
    nothing = {key: [None] for key in VALUES}
    text = as_text(tables_of(comparison, cells, measured(cells, nothing)))
    assert text.count("undefined") == 4


@pytest.fixture
def tables():
    comparison, cells = planned({"columns": ["ratio"]})
    return tables_of(comparison, cells, measured(cells))


def test_text(tables):
    assert as_text(tables).splitlines() == [
        "accuracy",
        "method               10              50",
        "CE        0.510 ± 0.010  *0.310 ± 0.010",
        "focal_2  *0.710 ± 0.010  *0.317 ± 0.015",
    ]


def test_markdown(tables):
    assert as_markdown(tables).splitlines() == [
        "**accuracy**",
        "",
        "| method | 10 | 50 |",
        "| --- | ---: | ---: |",
        "| CE | 0.510 ± 0.010 | **0.310 ± 0.010** |",
        "| focal_2 | **0.710 ± 0.010** | **0.317 ± 0.015** |",
    ]


def test_latex_escapes_names(tables):
    text = as_latex(tables)
    assert r"focal\_2 & \textbf{0.710 $\pm$ 0.010} & \textbf{0.317 $\pm$ 0.015} \\" in text
    assert text.count(r"\begin{tabular}{lrr}") == text.count(r"\end{tabular}") == 1


def test_latex_rules_off_blocks():
    comparison, cells = planned({"rows": ["ratio", "method"]})
    text = as_latex(tables_of(comparison, cells, measured(cells)))
    assert text.count(r"\midrule") == 2


def test_csv_has_a_line_per_figure(tables):
    rows = list(csv.DictReader(io.StringIO(as_csv(tables))))
    assert rows[0] == {
        "metric": "accuracy", "method": "CE", "column": "10", "mean": "0.51", "std": "0.01",
        "runs": "3", "failed": "0", "mark": "",
    }  # fmt: skip
    assert [row["mark"] for row in rows] == ["", "tied", "best", "best"]
