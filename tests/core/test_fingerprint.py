import pyarrow as pa

from adc_core.arrays.hashing import fingerprint


def of_column(*values):
    return fingerprint(pa.table({"a": pa.array(values)}))


def test_columns_of_lists():
    assert of_column([1, 2], [3]) == of_column([1, 2], [3])
    assert len({of_column([1, 2], [3]), of_column([1], [2, 3]), of_column([1, 2], None)}) == 3
    assert of_column([1], None) != of_column([1], [])


def test_columns_of_nothing():
    assert of_column(None, None) == of_column(None, None)
    assert of_column(None, None) != of_column(None)


def test_missing_values_count():
    assert of_column(0, 1) != of_column(None, 1)
    assert of_column("", "a") != of_column(None, "a")
