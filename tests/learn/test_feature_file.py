import numpy as np
import pytest

from adc_core.errors import WorkError
from adc_plugins_learn.encoding.feature_file import FeatureFile

ROWS = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32)


def written(path, stops, rows=10):
    file = FeatureFile(path, rows)
    for stop in stops:
        file.append(ROWS[file.done : stop])
    return file


def test_rows_are_read_as_they_were_written(tmp_path):
    features = written(tmp_path / "features.npy", [4, 8, 10]).read()
    np.testing.assert_array_equal(features, ROWS)
    assert isinstance(features, np.memmap)
    np.testing.assert_array_equal(np.load(tmp_path / "features.npy"), ROWS)


@pytest.mark.parametrize("stops", [[4], [4, 8], [1, 2, 3], [4, 8, 10]])
def test_it_is_taken_up_where_it_ended(tmp_path, stops):
    written(tmp_path / "features.npy", stops)
    again = FeatureFile(tmp_path / "features.npy", 10)
    assert again.done == stops[-1]
    assert again.last == stops[-1] - ([0, *stops][-2])
    if again.done < 10:
        again.append(ROWS[again.done :])
    np.testing.assert_array_equal(again.read(), ROWS)


def damaged_journal(path):
    journal = path.with_suffix(".journal")
    journal.write_text(journal.read_text()[:-10])


def flipped_bit(path):
    content = bytearray(path.read_bytes())
    content[-10] ^= 1  # in the second batch
    path.write_bytes(content)


def lost_end(path):
    path.write_bytes(path.read_bytes()[:-30])


def half_a_batch_more(path):
    with path.open("ab") as file:
        file.write(b"half a row")


def nonsense(path):
    path.with_suffix(".journal").write_text(f"4 {'0' * 64}\nnonsense\n")


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        (damaged_journal, 4),
        (flipped_bit, 4),
        (lost_end, 4),
        (half_a_batch_more, 8),
        (nonsense, 0),
        (lambda path: path.write_bytes(b"no array"), 0),
        (lambda path: path.unlink(), 0),
        (lambda path: path.with_suffix(".journal").unlink(), 0),
        (lambda path: path.with_suffix(".journal").write_text("999999999999999999 x\n"), 0),
    ],
)
def test_what_does_not_agree_with_the_journal_is_written_again(tmp_path, damage, kept):
    path = tmp_path / "features.npy"
    written(path, [4, 8])
    damage(path)
    again = FeatureFile(path, 10)
    assert again.done == kept
    again.append(ROWS[kept:])
    np.testing.assert_array_equal(again.read(), ROWS)
    np.testing.assert_array_equal(FeatureFile(path, 10).read(), ROWS)
    assert FeatureFile(path, 10).done == 10


def test_a_place_that_refuses(tmp_path):
    with pytest.raises(WorkError) as error:
        FeatureFile(tmp_path / "no" / "features.npy", 10).append(ROWS[:4])
    assert str(error.value) == (
        f"{tmp_path}/no/features.npy: No such file or directory: fix it and run again"
    )
