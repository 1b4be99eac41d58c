"""What pandas and probes give is taken as it is meant: names, rows, columns, records."""

import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.evidence import Probabilities
from adc_plugins_detect import confident_learning, noise_rate, self_confidence


def noisy_names():
    """Names of five classes in no sorted order, noisy labels, good probabilities in that order."""
    rng = np.random.default_rng(0)
    names = np.array(["zero", "one", "two", "three", "four"])
    truth = np.arange(400) % 5
    probabilities = np.full((400, 5), 0.02) + np.eye(5)[truth] * 0.9
    labels = np.where(rng.random(400) < 0.1, (truth + 1) % 5, truth)
    return names, labels, probabilities


def test_columns_of_a_data_frame_are_matched_by_name():
    pandas = pytest.importorskip("pandas")
    names, labels, probabilities = noisy_names()
    plain = confident_learning(labels, probabilities)
    frame = pandas.DataFrame(probabilities, columns=names)
    found = confident_learning(names[labels], frame)
    assert np.array_equal(found.flagged, plain.flagged)
    assert found.classes == tuple(names)
    plain = self_confidence(labels, probabilities)
    for order in (names, names.tolist()):
        told = self_confidence(names[labels], probabilities, classes=order)
        assert np.array_equal(told.flagged, plain.flagged)
    with pytest.raises(InputError) as raised:
        confident_learning(names[labels], frame.rename(columns={"four": "fuor"}))
    assert str(raised.value) == ('labels: row 3: there is no class "four": did you mean "fuor"?')


def test_findings_join_the_data_frame_that_labels_came_from():
    pandas = pytest.importorskip("pandas")
    _, labels, probabilities = noisy_names()
    frame = pandas.DataFrame({"label": labels}).sample(frac=1, random_state=0)
    found = confident_learning(frame.label, probabilities[frame.index])
    flagged = frame.join(found.to_pandas())["flagged"].sort_index().to_numpy()
    assert np.array_equal(flagged, confident_learning(labels, probabilities).flagged)
    given = confident_learning(labels, probabilities, ids=2 * np.arange(400))
    assert given.to_pandas().index.tolist() == list(range(0, 800, 2))
    texts = confident_learning(labels, probabilities, ids=[f"{row:04}" for row in range(400)])
    assert texts.to_pandas().index[7] == "0007"


def test_predictions_that_agree_with_every_label_are_doubted():
    _, labels, _ = noisy_names()
    seen = np.full((400, 5), 0.02) + np.eye(5)[labels] * 0.9
    assert noise_rate(labels, probabilities=seen).warnings[0] == (
        "predictions agree with all but 0 of the 400 labels: if the model was trained on these "
        "very labels, that means nothing; predict every sample by a model that has not seen it "
        "(scikit-learn's cross_val_predict)"
    )


def test_probabilities_are_an_array():
    *_, probabilities = noisy_names()
    made = Probabilities(values=probabilities, origin="out of sample")
    assert np.asarray(made).shape == (400, 5)
    assert len(made) == 400
    assert np.array_equal(np.argmax(made, axis=1), probabilities.argmax(axis=1))
