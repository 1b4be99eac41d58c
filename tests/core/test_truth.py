"""True labels: how they are matched, and how they say that no class is right."""

import numpy as np
import pyarrow as pa
import pytest

from adc_core import Dataset, ImageFiles, InputError
from adc_core.storage.truth import NO_CLASS, UNKNOWN, read_truth, truth_table

CLASSES = ("cat", "dog")


def dataset(**columns):
    return Dataset(labels=[0, 1, 0, 1], ids=list("abcd"), classes=CLASSES, **columns)


def truth(table, data=None):
    return read_truth(pa.table(table), data or dataset()).tolist()


def test_by_id():
    assert truth({"id": ["c", "a", "x"], "label": ["dog", "cat", "cat"]}) == (
        [0, UNKNOWN, 1, UNKNOWN]
    )


def test_by_path(tmp_path):
    files = dataset(images=ImageFiles(tmp_path, [f"{name}.png" for name in "abcd"]))
    assert truth({"path": ["b.png"], "label": ["cat"]}, files) == [-1, 0, -1, -1]
    ids = {"id": ["17"], "path": ["b.png"], "label": ["cat"]}  # ids of somebody else's
    assert truth(ids, files) == [-1, 0, -1, -1]
    assert truth({"path": ["b"], "label": ["cat"]}) == [-1, 0, -1, -1]


def test_by_url():
    found = dataset(sources=pa.table({"url": ["u1", "u2", "u3", None]}))
    assert truth({"url": ["u3"], "label": ["dog"]}, found) == [-1, -1, 1, -1]
    with pytest.raises(InputError) as caught:
        truth({"url": ["u3"], "label": ["dog"]})
    assert str(caught.value) == (
        "the truth is by url but the dataset has no url for its samples: use id"
    )


def test_none_of_the_classes():
    assert truth({"id": ["a", "b"], "label": ["none", "dog"]}) == [NO_CLASS, 1, -1, -1]


def test_a_class_called_none_is_a_class():
    data = Dataset(labels=[0, 1], ids=["a", "b"], classes=("cat", "none"))
    assert truth({"id": ["a"], "label": ["none"]}, data) == [1, -1]


def test_an_empty_label_is_none_with_a_word():
    with pytest.warns(UserWarning) as told:
        found = truth({"id": ["a", "b", "c"], "label": ["", "dog", None]})
    assert found == [NO_CLASS, 1, NO_CLASS, UNKNOWN]
    assert [str(one.message) for one in told] == [
        "truth: 2 rows have an empty label, read as none of the classes: write 'none' there to "
        "say so, or leave out rows that nobody has judged"
    ]


@pytest.mark.parametrize(
    "wrong", [[True, False, None], ["true", "False", ""], ["1", "0", None], [1, 0, None]]
)
def test_wrong_without_a_label(wrong):
    assert truth({"id": ["a", "b", "c"], "wrong": wrong}) == [NO_CLASS, 1, UNKNOWN, UNKNOWN]


def test_wrong_beside_labels():
    table = {
        "id": ["a", "b", "c", "d"],
        "label": ["dog", "", "", "none"],
        "wrong": [None, False, True, True],
    }
    assert truth(table) == [1, 1, NO_CLASS, NO_CLASS]
    assert truth(table | {"wrong": [True, None, None, None]}) == [1, -1, -1, NO_CLASS]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": ["a"], "label": ["dgo"]},
         "truth: label 'dgo' is not a class: cat, dog, or none of them"),
        ({"id": ["a"], "label": [2]}, "truth: label 2 is not a class: 0…1"),
        ({"id": ["x"], "label": ["dog"]},
         "the truth names none of the dataset's samples: check its ids, paths or urls"),
        ({"id": ["a"], "wrong": ["maybe"]},
         "truth: wrong is 'maybe': write true or false, or leave it empty"),
        ({"id": ["a"], "label": ["dog"], "wrong": [False]},
         "truth: a is wrong: false, but its label is not the given one: correct one of the two"),
        ({"id": ["a"], "label": ["cat"], "wrong": [True]},
         "truth: a is wrong: true, but its label is the given one: correct one of the two"),
    ],
)  # fmt: skip
def test_what_is_refused(table, message):
    with pytest.raises(InputError) as caught:
        truth(table)
    assert str(caught.value) == message


def test_numbers_are_class_numbers():
    assert truth({"id": ["a", "b"], "label": [1, 0]}) == [1, 0, -1, -1]


def test_what_the_table_needs(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,label\na,b\n")
    with pytest.raises(InputError) as caught:
        truth_table(path)
    assert str(caught.value) == (
        f"{path}: the truth needs the columns label or wrong, and id, path or url; "
        "it has name, label"
    )
    path.write_text("path,wrong\na,true\nb,\n")
    assert np.array_equal(read_truth(truth_table(path), dataset()), [NO_CLASS, -1, -1, -1])
