"""Conformal p-values: the promise, and what is found by it."""

import numpy as np
import pytest

from adc_core import Dataset, InputError, Probabilities
from adc_plugins_detect import Conformal, conformal, conformal_p_values


def test_worked_example(vectors):
    example = vectors["conformal"]
    found = conformal_p_values(example["calibration"], example["probabilities"])
    np.testing.assert_allclose(found, example["p_values"], atol=1e-12)
    for error, sets in example["sets"].items():
        np.testing.assert_array_equal(found > float(error), sets)
    labels = np.array(example["labels"])
    np.testing.assert_allclose(1 - found[range(4), labels], example["suspicion"], atol=1e-12)
    np.testing.assert_array_equal(found[range(4), labels] <= 0.2, example["flagged_at_02"])


def test_worked_example_by_class(vectors):
    example = vectors["conformal_by_class"]
    found = conformal_p_values(example["calibration"], example["probabilities"], example["labels"])
    np.testing.assert_allclose(found, example["p_values"], atol=1e-12)


@pytest.fixture(scope="module")
def planted():
    """3,000 samples of four classes, a quarter of the labels wrong, and a fair model's opinion."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 3000)
    logits = 2.5 * np.eye(4)[truth] + rng.normal(size=(3000, 4))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.where(rng.random(3000) < 0.25, (truth + rng.integers(1, 4, 3000)) % 4, truth)
    trusted = np.where(np.arange(3000) < 500, truth, -1)
    return truth, labels, probabilities, trusted


@pytest.mark.parametrize("error", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("by_class", [False, True])
def test_sets_hold_the_true_label_as_often_as_promised(planted, error, by_class):
    truth, _, probabilities, trusted = planted
    known = trusted[:500]
    scores = 1 - probabilities[:500][range(500), known]
    found = conformal_p_values(scores, probabilities[500:], known if by_class else None)
    covered = (found > error)[range(2500), truth[500:]]
    groups = [truth[500:] == k for k in range(4)] if by_class else [slice(None)]
    for group in groups:
        # Four standard deviations of the calibration part and of the judged one.
        count = 500 / len(groups)
        assert covered[group].mean() > 1 - error - 4 * np.sqrt(error * (1 - error) / count)


def test_wrong_labels_are_found_by_trusted_ones_and_not_without(planted):
    truth, labels, probabilities, trusted = planted
    judged = slice(500, None)
    wrong = (labels != truth)[judged]
    found = conformal(labels, probabilities, trusted)
    recall = found.flagged[judged][wrong].mean()
    assert recall > 0.8
    assert found.flagged[judged][~wrong].mean() < 0.15
    assert found.noise_rate == pytest.approx(0.25, abs=0.06)
    alone = conformal(labels, probabilities)
    assert alone.flagged[judged][wrong].mean() < recall / 2
    assert alone.noise_rate is None
    assert alone.flagged.mean() <= 0.1


def test_trusted_samples_are_judged_by_their_labels(planted):
    truth, labels, probabilities, trusted = planted
    found = conformal(labels, probabilities, trusted)
    np.testing.assert_array_equal(found.flagged[:500], (labels != truth)[:500])
    wrong = np.flatnonzero((labels != truth)[:500])
    np.testing.assert_array_equal(found.suggested_labels[wrong], truth[wrong])


def test_suggestions_are_the_only_class_of_a_set(planted):
    _, labels, probabilities, trusted = planted
    found = conformal(labels, probabilities, trusted)
    suggested = found.suggested_labels[500:]
    assert (suggested != labels[500:]).all()
    assert (suggested >= 0).sum() > 300
    assert (suggested[suggested >= 0] == planted[0][500:][suggested >= 0]).mean() > 0.7


def test_few_trusted_labels_say_that_they_find_nothing(planted):
    _, labels, probabilities, trusted = planted
    few = np.where(np.arange(3000) < 8, trusted, -1)
    with pytest.warns(UserWarning, match=r"takes 9 trusted labels .* there are fewer"):
        assert not conformal(labels, probabilities, few).flagged[8:].any()
    with pytest.warns(UserWarning, match="classes have fewer"):
        conformal(labels, probabilities, few, within_classes=True)


def test_wrong_input_is_refused(planted):
    _, labels, probabilities, trusted = planted
    with pytest.raises(InputError, match=r"trusted: expected 3000 classes 0…3, or -1"):
        conformal(labels, probabilities, np.where(trusted >= 0, 4, -1))
    with pytest.raises(InputError, match="no label is known"):
        conformal(labels, probabilities, np.full(3000, -1))
    with pytest.raises(InputError, match="miscoverage"):
        conformal(labels, probabilities, trusted, miscoverage=1)


@pytest.mark.parametrize("kind", ["csv", "txt"])
def test_the_component_reads_trusted_samples(planted, tmp_path, kind):
    truth, labels, probabilities, trusted = planted
    ids = np.array([f"s{row}" for row in range(3000)])
    dataset = Dataset(
        ids=ids,
        labels=labels,
        classes=tuple("abcd"),
        probabilities=Probabilities(
            values=probabilities.astype(np.float32), origin="out of sample"
        ),
    )
    path = tmp_path / f"trusted.{kind}"
    if kind == "csv":
        rows = [f"{one},{'abcd'[label]}" for one, label in zip(ids[:500], truth, strict=False)]
        path.write_text("id,label\n" + "\n".join(rows) + "\n")
        expected = trusted
    else:
        right = np.flatnonzero(labels[:500] == truth[:500])
        path.write_text("\n".join(ids[right]) + "\n")
        expected = np.where(np.isin(ids, ids[right]), labels, -1)
    found = Conformal(trusted_samples=path).detect(dataset)
    same = conformal(labels, dataset.probabilities, expected, ids=ids)
    np.testing.assert_array_equal(found.flagged, same.flagged)
    path.write_text("id,label\nnobody,a\n" if kind == "csv" else "nobody\n")
    with pytest.raises(InputError):
        Conformal(trusted_samples=path).detect(dataset)


def test_the_noise_rate_has_an_exact_range():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1, 1], 200)
    labels = probabilities.argmax(axis=1)
    trusted = np.full(200, -1)
    trusted[:50] = labels[:50]
    trusted[:5] = (labels[:5] + 1) % 3
    found = conformal(labels, probabilities, trusted=trusted)
    rate = found.noise_range
    # Clopper and Pearson's interval of 5 of 50.
    assert (round(rate.low, 4), rate.point, round(rate.high, 4)) == (0.0333, 0.1, 0.2181)
    assert "50 trusted samples" in rate.warnings[0]
    assert conformal(labels, probabilities).noise_range is None
