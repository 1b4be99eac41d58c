"""Records: what they accept, what they refuse and how they say it."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc_core import Curation, Dataset, Findings, ImageArray, Neighbors, Probabilities
from adc_core.errors import InputError, InputErrors
from adc_core.records.curation import CHANGES
from adc_core.testing.toys import toy_dataset

TWO = {"labels": [0, 1], "classes": ("a", "b")}


def fault_of(record, **fields):
    with pytest.raises(InputErrors) as caught:
        record(**fields)
    (line,) = caught.value.faults
    return line


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"labels": [0, 5], "classes": ("a", "b")},
            "labels: row 1 (id 1) is 5, expected 0…1",
        ),
        ({"labels": [0, -1], "classes": ("a", "b")}, "labels: row 1 (id 1) is -1, expected 0…1"),
        ({"labels": [0, 0], "classes": ("a",)}, "only 1 class (a): give at least two"),
        (
            {"labels": [], "classes": ("a", "b")},
            "the dataset is empty: it needs at least one sample",
        ),
        (
            {**TWO, "ids": ["x", "x"]},
            "ids: duplicate id x in row 1: make ids distinct",
        ),
        ({**TWO, "ids": ["x"]}, "labels has 2 rows but ids have 1"),
        (
            {**TWO, "features": np.zeros((3, 2), np.float32)},
            "features has 3 rows but ids have 2",
        ),
        (
            {**TWO, "features": np.array([[0.0], [np.nan]])},
            "features: row 1 is not finite (NaN or infinity): expected finite float32",
        ),
        (
            {**TWO, "features": np.zeros(2)},
            "features: expected N × D float32, got shape (2,)",
        ),
        (
            {**TWO, "labels": [0.5, 1.0]},
            "labels: row 0 is 0.5, expected a whole number or a class name",
        ),
        (
            {"labels": [0, 20240101]},
            "labels go up to 20240101 for 2 samples: are they ids? write names, or numbers from 0",
        ),
        (
            {"labels": ["cat", "dgo"], "classes": ("cat", "dog")},
            'labels: row 1: there is no class "dgo": did you mean "dog"?',
        ),
        (
            {**TWO, "feature": np.zeros((2, 2))},
            'feature: there is no key "feature": did you mean "features"?',
        ),
        (
            {**TWO, "classes": ("a", "../../x")},
            "classes.1: '../../x' cannot be a class name: it becomes a folder, so use no slashes, "
            "control characters or bare dots",
        ),
        *(
            (
                {**TWO, "classes": ("a", f"x{odd}y")},
                f"classes.1: {f'x{odd}y'!r} cannot be a class name: it becomes a folder, so use "
                "no slashes, control characters or bare dots",
            )
            for odd in "\x1b\x85\u2028\u202e"
        ),
        (
            {**TWO, "classes": ("a", "é" * 101)},
            f"classes.1: '{'é' * 40}…' cannot be a class name: it becomes a folder, so use at most "
            "200 bytes",
        ),
        ({**TWO, "classes": ("a", "a")}, "duplicate class 'a': keep one"),
        (
            {**TWO, "probabilities": np.array([[0.5, 0.5], [0.9, 0.9]])},
            "probabilities: row 1 sums to 1.8, not 1: pass softmax outputs",
        ),
        (
            {**TWO, "probabilities": np.full((2, 3), 1 / 3)},
            "probabilities have 3 columns but there are 2 classes",
        ),
        (
            {**TWO, "images": np.zeros((2, 4, 4), np.float32)},
            "images: images: expected uint8 of N × height × width (× 3), got float32 (2, 4, 4)",
        ),
        (
            {**TWO, "features": np.array([[0.0], [1e300]])},
            "features: row 1 holds 1e+300, which does not fit float32: scale it",
        ),
        ({**TWO, "columns": {"mine": 3}}, "columns: mine is one value: give one per sample"),
        ({**TWO, "attributes": {"colour": ["red"]}}, "attribute colour has 1 rows but ids have 2"),
    ],
)
def test_a_dataset_names_its_fault(fields, message):
    assert fault_of(Dataset, **fields) == message


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([[1], [1], [0]], "row 1 is its own neighbor: leave it out"),
        ([[1], [3], [0]], "row 1 names a row outside 0…2"),
        ([[1], [0]], "indices are (2, 1) but similarities (3, 1)"),
    ],
)
def test_a_graph_names_its_fault(indices, message):
    assert fault_of(Neighbors, indices=indices, similarities=np.zeros((3, 1))) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"suspicion": [0.2, 1.5]}, "suspicion: row 1 is 1.5, expected 0…1"),
        ({"flagged": [True]}, "flagged has 1 rows but ids have 2"),
        (
            {"covered": [True, False], "suspicion": [0.2, np.nan], "flagged": [False, True]},
            "flagged: row 1 is flagged but not covered",
        ),
        ({"transition": [[0.5, 0.5], [0.5, 0.6]]}, "transition: row 1 sums to 1.1, expected 1"),
    ],
)
def test_findings_name_their_fault(changes, message):
    fields = {"ids": ["a", "b"], "suspicion": [0.1, 0.9], "flagged": [False, True]} | changes
    fields.setdefault("covered", [True] * len(fields["flagged"]))
    assert fault_of(Findings, **fields) == message


def test_columns_are_read_only_and_owners_keep_theirs():
    features = np.zeros((2, 3), np.float32)
    dataset = Dataset(**TWO, features=features)
    with pytest.raises(ValueError, match="read-only"):
        dataset.features[0, 0] = 1
    features[0, 0] = 1


def test_class_names_of_every_script():
    classes = ("dog", "naïve", "क्\u200dष", "👩\u200d🚀", "x" * 200)
    assert Dataset(ids=list("abcde"), labels=range(5), classes=classes).classes == classes


def test_defaults_number_rows_and_classes():
    dataset = Dataset(labels=[2, 0, 1])
    assert dataset.ids.tolist() == ["0", "1", "2"]
    assert dataset.classes == ("0", "1", "2")
    assert dataset.class_counts.tolist() == [1, 1, 1]


def test_equality_is_by_content_not_by_place_or_width():
    one = Dataset(**TWO, ids=np.array(["a", "b"], "<U9"), features=np.ones((2, 2)))
    other = Dataset(**TWO, ids=["a", "b"], features=np.ones((2, 2), np.float32, order="F"))
    assert one == other
    assert hash(one) == hash(other)
    assert one != one.replace(labels=[1, 1])
    assert one.fingerprint_of("features") == one.replace(labels=[1, 1]).fingerprint_of("features")


def test_long_columns_are_told_apart():
    labels = np.zeros(5000, np.int64)
    changed = labels.copy()
    changed[2500] = 1
    one = Dataset(labels=labels, classes=("a", "b"))
    assert one != Dataset(labels=changed, classes=("a", "b"))


def test_take_and_relabel_leave_out_what_became_void():
    dataset = toy_dataset()
    taken = dataset.take(np.array([3, 1]))
    assert taken.ids.tolist() == [dataset.ids[3], dataset.ids[1]]
    assert np.array_equal(taken.features, dataset.features[[3, 1]])
    assert np.array_equal(taken.images[0], dataset.images[3])
    assert taken.neighbors is None
    relabeled = dataset.relabeled(1 - np.minimum(dataset.labels, 1))
    assert relabeled.probabilities is None
    assert relabeled.dynamics is None
    assert relabeled.neighbors == dataset.neighbors


def test_half_precision_probabilities_are_accepted():
    values = np.random.default_rng(0).dirichlet(np.ones(10), 50).astype(np.float16)
    assert Probabilities(values=values, origin="out of sample").values.dtype == np.float32


def test_a_bare_image_array_becomes_images():
    dataset = Dataset(**TWO, images=np.full((2, 4, 5), 7, np.uint8))
    assert isinstance(dataset.images, ImageArray)
    assert dataset.images[0].shape == (4, 5, 3)


def changes(*rows):
    return pa.Table.from_pylist(
        [dict(zip(CHANGES.names, row, strict=True)) for row in rows], CHANGES
    )


def test_a_curation_carries_out_its_changes():
    dataset = Dataset(labels=[0, 1, 1], classes=("a", "b"), ids=["x", "y", "z"])
    curation = Curation.apply(
        dataset, changes(("x", "relabel", 0, 1, "because"), ("y", "drop", 1, -1, "because"))
    )
    assert curation.dataset.ids.tolist() == ["x", "z"]
    assert curation.dataset.labels.tolist() == [1, 1]
    assert (curation.count("relabel"), curation.count("drop")) == (1, 1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("q", "drop", 0, -1, "r")], "no sample q to change"),
        ([("x", "relabel", 1, 0, "r")], "sample x has label 0, not 1 as the change says"),
        (
            [("x", "drop", 0, -1, "r"), ("y", "drop", 1, -1, "r")],
            "every sample would be dropped: raise the curator's threshold",
        ),
    ],
)
def test_a_curation_refuses_what_cannot_be(rows, message):
    dataset = Dataset(labels=[0, 1], classes=("a", "b"), ids=["x", "y"])
    with pytest.raises(ValueError) as caught:
        Curation.apply(dataset, changes(*rows))
    assert str(caught.value) == message


def test_a_curation_is_undone_from_its_record():
    dataset = Dataset(labels=[0, 1, 1], classes=("a", "b"), ids=["x", "y", "z"])
    table = changes(("x", "relabel", 0, 1, "because"), ("y", "drop", 1, -1, "because"))
    curation = Curation.apply(dataset, table, notes=("said",))
    assert curation.undone(dataset).dataset == dataset
    half = curation.undone(dataset, ["y"])
    assert half.dataset.ids.tolist() == ["x", "y", "z"]
    assert half.dataset.labels.tolist() == [1, 1, 1]
    assert half.changes.to_pylist() == table.slice(0, 1).to_pylist()
    assert half.notes == ("said",)
    with pytest.raises(ValueError) as caught:
        curation.undone(dataset, ["z"])
    assert str(caught.value) == "the sample z was not changed"


def test_findings_follow_a_smaller_dataset():
    dataset = toy_dataset()
    findings = Findings(
        ids=dataset.ids,
        suspicion=np.linspace(0, 1, len(dataset)),
        flagged=np.arange(len(dataset)) > 100,
    )
    part = dataset.take(np.array([120, 5]))
    assert findings.for_ids(part).flagged.tolist() == [True, False]
    stranger = part.replace(ids=["unknown", "5"])
    with pytest.raises(ValueError, match="there are no findings for the sample unknown"):
        findings.for_ids(stranger)


@given(st.lists(st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"))))
def test_texts_survive_arrow(texts):
    from adc_core.arrays.strings import from_arrow, to_arrow

    column = np.array(texts, dtype=np.str_)
    assert np.array_equal(from_arrow(to_arrow(column)), column)


def test_a_curation_is_made_from_rows_in_any_order():
    dataset = Dataset(labels=[0, 1, 0, 1], classes=("a", "b"))
    made = Curation.of(dataset, drop=[3], relabel=[2, 0], labels=[1, 1], reasons=["x", "y", "z"])
    assert made.dataset.ids.tolist() == ["0", "1", "2"]
    assert made.dataset.labels.tolist() == [1, 1, 1]
    rows = [tuple(change.values()) for change in made.changes.to_pylist()]
    assert rows == [
        ("0", "relabel", 0, 1, "x"),
        ("2", "relabel", 0, 1, "y"),
        ("3", "drop", 1, -1, "z"),
    ]
    assert made.undone(dataset).dataset == dataset


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"drop": [1, 1], "reasons": ["x", "y"]}, "row 1 is changed twice: change it once"),
        ({"drop": [4], "reasons": ["x"]}, "row 4 is not in the dataset: give rows in 0…3"),
        ({"drop": [-1], "reasons": ["x"]}, "row -1 is not in the dataset: give rows in 0…3"),
        ({"drop": [1]}, "0 reasons for 1 changes: give one each"),
        ({"relabel": [1], "reasons": ["x"]}, "0 labels for 1 rows to relabel: give one each"),
    ],
)
def test_rows_that_make_no_curation(rows, message):
    with pytest.raises(InputError) as caught:
        Curation.of(Dataset(labels=[0, 1, 0, 1]), **rows)
    assert str(caught.value) == message
