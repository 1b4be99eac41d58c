"""Tables on the terminal: cells hold anybody's texts."""

from adc_core.reporting.text_tables import table


def test_columns_stand_below_each_other():
    assert table(["a", "n"], [["long", "1"], ["x", "200"]]) == "a       n\nlong    1\nx     200"


def test_a_cell_is_one_short_line_without_controls():
    odd = ["\x1b]0;title\x07by", "two\nlines\u202e", "x" * 5000]
    lines = table(["license"], [[text] for text in odd]).splitlines()
    assert lines == ["license", "]0;titleby", "two lines", "x" * 59 + "…"]
