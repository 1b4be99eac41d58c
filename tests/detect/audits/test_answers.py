"""Lists that people filled in, as spreadsheets save them."""

import numpy as np
import pytest

from adc_core.errors import InputError, lines_of
from adc_plugins_detect.audits.answers import Look, read_answers, table_to_fill_in

GIVEN = ["cat", "dog", "cat", "dog"]
HEAD = "number,id,path,given,wrong,true_label\n"


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "audit.csv"
    path.write_bytes(text.encode(encoding))
    return read_answers(path, GIVEN, ("cat", "dog"))


def test_the_empty_list_reads_as_no_answers(tmp_path):
    looks = [Look("=1+1", "a, b.png", "cat"), *[Look("b", "", "dog")] * 3]
    text = table_to_fill_in(looks)
    assert text.startswith(f'{HEAD}1,\'=1+1,"a, b.png",cat,,\n2,b,,dog,,\n')
    assert np.isnan(read(tmp_path, text)).all()


def test_words_and_labels(tmp_path):
    text = HEAD + "1,a,,cat, Yes ,\n2,b,,dog,NO,\n3,c,,cat,not sure,dog\n4,d,,dog,,none\n"
    assert read(tmp_path, text).tolist() == [1, 0, 0.5, 1]


def test_a_true_label_that_is_the_given_one_says_right(tmp_path):
    assert read(tmp_path, HEAD + "1,a,,cat,,cat\n")[0] == 0


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_sorted_shortened_and_saved_by_a_spreadsheet(tmp_path, delimiter):
    text = "wrong,number\r\nyes,4\r\n,,\r\nno,1\r\n".replace(",", delimiter)
    answers = read(tmp_path, text, "utf-8-sig")
    assert answers[[0, 3]].tolist() == [0, 1]
    assert np.isnan(answers[[1, 2]]).all()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "1,a,,cat,maybe,",
            "line 2: wrong is 'maybe': write yes, no or not sure, or leave it empty",
        ),
        ("9,a,,cat,yes,", "line 2: number is '9': the audit has the numbers 1…4"),
        ("x,a,,cat,yes,", "line 2: number is 'x': the audit has the numbers 1…4"),
        ("1,a,,cat,yes,\n1,a,,cat,no,", "line 3: duplicate number 1, also in line 2: remove one"),
        ("1,a,,cat,,cow", "line 2: true_label 'cow' is not a class: cat, dog, or none of them"),
        (
            "1,a,,cat,no,dog",
            "line 2: wrong is no, but true_label is not the given cat: correct one of the two",
        ),
        (
            "1,a,,cat,yes,cat",
            "line 2: wrong is yes, but true_label is the given cat: correct one of the two",
        ),
    ],
)  # fmt: skip
def test_every_bad_line_is_told(tmp_path, lines, message):
    with pytest.raises(InputError) as error:
        read(tmp_path, HEAD + lines + "\n4,d,,dog,hm,\n")
    last = lines.count("\n") + 3
    path = tmp_path / "audit.csv"
    assert lines_of(error.value) == [
        f"{path}, {message}",
        f"{path}, line {last}: wrong is 'hm': write yes, no or not sure, or leave it empty",
    ]


def test_files_that_are_no_list(tmp_path):
    with pytest.raises(InputError, match=r"audit.csv has no column number and no wrong: it has \["):
        read(tmp_path, "a,b\n1,2\n")
    with pytest.raises(InputError, match=r"audit\.csv is not UTF-8 text: save it as CSV UTF-8$"):
        read(tmp_path, HEAD + "1,é,,cat,yes,\n", "latin-1")
    with pytest.raises(
        InputError, match=r"nothing\.csv cannot be read: No such file or directory$"
    ):
        read_answers(tmp_path / "nothing.csv", GIVEN, ("cat", "dog"))
