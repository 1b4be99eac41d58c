"""The long tail: profiles of the literature, nesting, totals, attributes, and errors in full."""

import re
import warnings

import numpy as np
import pytest

from adc_core import Dataset, InputError, work_context
from adc_plugins_detect import LongTail, SymmetricNoise, Tiny, TrustedSplit
from adc_plugins_detect.simulators.long_tail import largest_for_total, profile_counts

DATASET = Dataset(labels=np.arange(1000) % 10)
UNEVEN = Dataset(labels=np.repeat([0, 1, 2, 3], [40, 100, 30, 2]), classes=("a", "b", "c", "d"))


def counts_of(simulator, dataset=DATASET):
    return simulator.corrupt(dataset).applied_to(dataset).class_counts


def test_profiles_of_the_paper(vectors):
    profile = vectors["longtail_profile"]
    for ratio in (10, 50, 100):
        counts = profile_counts(39297, 12, ratio)
        assert counts.tolist() == profile[f"adc_rho{ratio}"]
    for ratio, total in profile["adc_totals"].items():
        assert profile_counts(39297, 12, int(ratio)).sum() == total


@pytest.mark.parametrize(("name", "size", "classes"), [("10", 5000, 10), ("100", 500, 100)])
def test_totals_of_the_literature(vectors, name, size, classes):
    for ratio, total in vectors["longtail_profile"][f"cifar{name}_totals"].items():
        assert profile_counts(size, classes, int(ratio)).sum() == total


def test_cifar_by_the_simulator(vectors):
    labels = Dataset(labels=np.arange(50_000) % 10)
    for ratio, total in vectors["longtail_profile"]["cifar10_totals"].items():
        assert counts_of(LongTail(ratio=int(ratio)), labels).sum() == total


def test_a_step_has_two_levels():
    assert profile_counts(100, 5, 8, "step").tolist() == [100, 100, 12, 12, 12]
    assert counts_of(LongTail(profile="step", ratio=4)).tolist() == [100] * 5 + [25] * 5


def test_a_ratio_of_one_keeps_all():
    assert LongTail(ratio=1).corrupt(DATASET).kept.all()


def test_no_label_changes_and_no_sample_moves():
    corruption = LongTail().corrupt(DATASET)
    assert not corruption.mask.any()
    np.testing.assert_array_equal(corruption.labels, DATASET.labels)
    left = corruption.applied_to(DATASET)
    assert left.ids.tolist() == [str(row) for row in np.flatnonzero(corruption.kept)]
    np.testing.assert_array_equal(left.labels, left.ids.astype(int) % 10)


def test_samples_of_a_larger_ratio_are_among_those_of_a_smaller():
    small, large = (LongTail(ratio=ratio, seed=3).corrupt(DATASET).kept for ratio in (5, 50))
    assert (small | ~large).all()
    assert large.sum() < small.sum()
    other = LongTail(ratio=50, seed=4).corrupt(DATASET).kept
    assert (other != large).any()
    assert other.sum() == large.sum()


@pytest.mark.parametrize("profile", ["exponential", "step"])
@pytest.mark.parametrize("total", [60, 171, 333])
def test_a_total_is_kept_to_the_sample(profile, total):
    tail = counts_of(LongTail(ratio=5, total=total, profile=profile))
    # Half the classes of a step grow at once.
    assert total - (5 if profile == "step" else 1) < tail.sum() <= total
    assert (np.diff(tail) <= 0).all()


def test_the_largest_total_is_named_and_possible():
    with pytest.raises(InputError) as error:
        LongTail(ratio=10, total=999).corrupt(DATASET)
    most = int(re.search(r"has (\d+) samples at most", str(error.value)).group(1))
    assert str(error.value) == (
        f"total is 999 but a tail of ratio 10 has {most} samples at most, for no class has more "
        "than it has: lower total or ratio"
    )
    assert counts_of(LongTail(ratio=10, total=most)).sum() == most
    with pytest.raises(InputError, match=f"has {most} samples"):
        LongTail(ratio=10, total=most + 1).corrupt(DATASET)


def test_the_size_for_a_total_never_asks_for_what_is_not_there():
    random = np.random.default_rng(0)
    for _ in range(50):
        available = random.integers(1, 60, 7)
        ratio = random.uniform(1, 30)
        with pytest.raises(InputError) as error:
            largest_for_total(10**6, available, ratio)
        most = int(re.search(r"has ([\d,]+) samples", str(error.value)).group(1))
        counts = profile_counts(largest_for_total(most, available, ratio), 7, ratio)
        assert (counts <= available).all()
        assert counts.sum() == most


def test_small_classes_keep_all_and_the_real_ratio_is_said():
    with pytest.warns(UserWarning) as caught:
        tail = counts_of(LongTail(ratio=8), UNEVEN)  # the head: 172 / 4 = 43
    assert tail.tolist() == [40, 21, 10, 2]
    assert str(caught[0].message) == (
        "2 of 4 classes have fewer samples than their share and keep all: a (40 of 43), "
        "d (2 of 5); the ratio of the largest to the smallest is 20"
    )


def test_by_the_values_of_an_attribute():
    color = np.array(["blue", "grey", "red", "white"])[np.arange(1000) // 10 % 4]
    dataset = DATASET.replace(attributes={"color": color})
    left = LongTail(by="color", ratio=27).corrupt(dataset).applied_to(dataset)
    values, counts = np.unique(left.attributes["color"].astype(str), return_counts=True)
    assert dict(zip(values, counts, strict=True)) == {
        "blue": 250, "grey": 83, "red": 27, "white": 9
    }  # fmt: skip
    assert left.class_counts.min() > 25


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "colour"}, 'by: there is no attribute "colour"; there is none'),
        (
            {"ratio": 200},
            "2 of 10 classes would have no sample: the head has 100, so lower ratio from 200 to "
            "that at most",
        ),
        (
            {"ratio": 50, "total": 30},
            "4 of 10 classes would have no sample: the head has 12, so lower ratio from 50 to "
            "that at most",
        ),
    ],
)
def test_what_cannot_be(options, message):
    with warnings.catch_warnings(), pytest.raises(InputError) as error:
        warnings.simplefilter("error")
        LongTail(**options).corrupt(DATASET)
    assert str(error.value) == message


@pytest.mark.parametrize("chooser", [LongTail(ratio=4), Tiny(total=4000)])
def test_noise_of_the_same_seed_is_not_what_is_chosen(chooser):
    """Nor what is left out: as large a share is wrong of what is kept as of all."""
    clean = Dataset(labels=np.arange(10_000) % 10)
    noise = SymmetricNoise(rate=0.3).corrupt(clean)
    noisy = noise.applied_to(clean)
    assert chooser.seed == SymmetricNoise().seed
    kept = chooser.corrupt(noisy).kept
    assert abs(noise.mask[kept].mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / kept.sum())


def test_noise_of_the_same_seed_is_not_what_is_trusted(tmp_path):
    clean = Dataset(labels=np.arange(10_000) % 10)
    noise = SymmetricNoise(rate=0.3)
    with work_context(tmp_path):
        split = TrustedSplit(simulator=noise, per_class=300).corrupt(clean)
    # 3,000 of 10,000 labels were drawn to be wrong, and 30 % of those, as of all, are trusted.
    assert abs(split.mask.mean() - 0.3 * 0.7) < 0.02
