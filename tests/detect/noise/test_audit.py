"""Audits of labels whose truth is known: the draw, the answer, and how often it is right."""

import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.estimates import EvidenceQuality, NoiseRate
from adc_core.records.findings import Findings
from adc_plugins_detect.noise.audit import Audit, audit_sample, audited

FAIR = EvidenceQuality(chance=0.1, separation=0.93, verdict="fair", advice="look")


def planted(n=2000, rate=0.1, shift=2.0, flags=0.1, *, fair=True, seed=0):
    """Findings whose suspicion is normal, shifted by `shift` where the label is wrong."""
    random = np.random.default_rng(seed)
    wrong = random.random(n) < rate
    order = (random.normal(size=n) + shift * wrong).argsort().argsort()
    findings = Findings(
        ids=np.arange(n),
        suspicion=order / n,
        flagged=order >= round((1 - flags) * n),
        noise_range=NoiseRate(low=0, point=flags, high=1),
        evidence=FAIR if fair else None,
    )
    return findings, wrong


@pytest.mark.parametrize("fair", [True, False])
def test_every_label_of_a_group_has_the_same_chance(fair):
    findings, _ = planted(n=400, fair=fair)
    drawn = np.zeros(400)
    for seed in range(600):
        sample = audit_sample(findings, 80, seed)
        assert len(np.unique(sample.rows)) == 80
        drawn[sample.rows] += 1 / 600
    where = np.empty(400, int)
    ends = np.cumsum(np.bincount(sample.groups, sample.sizes, minlength=3)).astype(int)
    order = np.argsort(-findings.suspicion)
    where[order] = np.searchsorted(ends, np.arange(400), side="right")
    assert set(where) == ({0, 1, 2} if fair else {0, 2})
    looks = np.bincount(sample.groups[sample.strata], minlength=3)
    for group in set(where):
        mine = drawn[where == group]
        chance = looks[group] / len(mine)
        assert looks[group] >= 16
        assert abs(mine - chance).max() < 0.05 + 4.5 * np.sqrt(chance * (1 - chance) / 600)


def test_strata_are_of_suspicion_and_their_sizes_are_told():
    findings, _ = planted()
    sample = audit_sample(findings)
    assert len(sample.rows) == 200
    assert sample.sizes.sum() == 2000
    assert len(sample.sizes) >= 10
    means = [findings.suspicion[sample.rows[sample.strata == s]].mean() for s in
             range(len(sample.sizes))]  # fmt: skip
    assert (np.diff(means) < 0).all()
    assert findings.flagged[sample.rows].tolist() == (sample.groups[sample.strata] == 0).tolist()


def test_the_order_of_looking_tells_nothing():
    sample = audit_sample(planted()[0])
    first = np.bincount(sample.groups[sample.strata[:100]], minlength=3)
    second = np.bincount(sample.groups[sample.strata[100:]], minlength=3)
    assert abs(first - second).max() < 30


def test_the_same_seed_draws_the_same():
    findings, _ = planted()
    assert audit_sample(findings, seed=3) == audit_sample(findings, seed=3)
    assert audit_sample(findings, seed=3) != audit_sample(findings, seed=4)


@pytest.mark.parametrize(
    ("n", "rate", "shift", "flags", "fair"),
    [
        (500, 0.1, 2.0, 0.1, True),
        (2000, 0.02, 2.0, 0.03, True),
        (2000, 0.1, 0.0, 0.1, True),
        (2000, 0.3, -1.0, 0.2, True),
        (2000, 0.1, 2.0, 0.0, False),
        (5000, 0.01, 1.0, 0.02, False),
    ],
)
def test_the_intervals_hold_the_truth_whatever_the_detector_is_worth(n, rate, shift, flags, fair):
    findings, wrong = planted(n, rate, shift, flags, fair=fair)
    found = (wrong & findings.flagged).sum()
    truth = {"noise_rate": wrong.mean(), "recall": found / wrong.sum()}
    if flags:
        truth["precision"] = found / findings.flagged.sum()
    held = {name: [] for name in truth}
    points = []
    for seed in range(100):
        sample = audit_sample(findings, 120, seed)
        audit = audited(sample, wrong[sample.rows])
        points.append(audit.noise_rate.point)
        for name, true in truth.items():
            if (told := getattr(audit, name)) is not None:
                held[name].append(told.low - 1e-9 <= true <= told.high + 1e-9)
    # 100 draws that hold with probability .95 hold fewer than 88 times once in 700.
    for name, every in held.items():
        assert np.mean(every) >= 0.88, name
    error = np.std(points) / np.sqrt(100)
    assert abs(np.mean(points) - truth["noise_rate"]) < 4 * error


def test_good_evidence_makes_the_interval_narrower_than_a_plain_draw():
    findings, wrong = planted(5000, 0.1, 4.0, 0.1)
    sample = audit_sample(findings)
    told = audited(sample, wrong[sample.rows]).noise_rate
    assert told.high - told.low < 0.06  # 200 at random: 0.09


def test_a_look_at_every_label_leaves_no_doubt():
    findings, wrong = planted(n=300)
    sample = audit_sample(findings, 1000)
    assert sorted(sample.rows.tolist()) == list(range(300))
    audit = audited(sample, wrong[sample.rows])
    assert audit.noise_rate.low == audit.noise_rate.high == pytest.approx(wrong.mean())
    found = (wrong & findings.flagged).sum()
    assert audit.precision.low == audit.precision.high == found / findings.flagged.sum()
    assert audit.recall.low == audit.recall.high == found / wrong.sum()
    assert audit.wrong == wrong.sum()


def answers(edit=None):
    findings, wrong = planted()
    sample = audit_sample(findings)
    given = wrong[sample.rows].astype(float)
    if edit is not None:
        edit(given)
    return audited(sample, given)


def test_doubts_widen_the_interval_to_both_sides():
    def doubt(given):
        given[:20] = 0.5

    def all_right(given):
        given[:20] = 0

    def all_wrong(given):
        given[:20] = 1

    doubtful, low, high = answers(doubt), answers(all_right), answers(all_wrong)
    assert doubtful.unsure == 20
    assert doubtful.judged == 180
    assert doubtful.noise_rate.low == low.noise_rate.low
    assert doubtful.noise_rate.high == high.noise_rate.high
    assert low.noise_rate.point < doubtful.noise_rate.point < high.noise_rate.point


def test_what_is_skipped_counts_as_a_doubt_and_what_is_not_reached_does_not():
    def skip(given):
        given[:20] = np.nan

    def doubt(given):
        given[:20] = 0.5

    def stop(given):
        given[150:] = np.nan

    assert answers(skip).noise_rate == answers(doubt).noise_rate
    assert answers(skip).skipped == 20
    stopped = answers(stop)
    assert (stopped.unreached, stopped.judged, stopped.skipped) == (50, 150, 0)
    assert stopped.noise_rate.low < answers().noise_rate.point < stopped.noise_rate.high


def test_whoever_stops_early_is_still_right():
    findings, wrong = planted(1000, 0.2, 1.0, 0.2)
    held = 0
    for seed in range(100):
        sample = audit_sample(findings, 120, seed)
        given = np.where(np.arange(120) < 30, wrong[sample.rows], np.nan)
        told = audited(sample, given).noise_rate
        held += told.low <= wrong.mean() <= told.high
    assert held >= 88


def test_a_higher_confidence_is_wider():
    findings, wrong = planted()
    sample = audit_sample(findings)
    wide, narrow = (audited(sample, wrong[sample.rows], c).noise_rate for c in (0.99, 0.8))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_without_flags_or_errors_there_is_no_precision_or_recall():
    findings, wrong = planted(rate=0, flags=0)
    sample = audit_sample(findings)
    audit = audited(sample, wrong[sample.rows])
    assert isinstance(audit, Audit)
    assert audit.precision is None
    assert audit.recall is None
    assert audit.noise_rate.low == audit.noise_rate.point == 0
    assert 0.01 < audit.noise_rate.high < 0.02


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 0], "there are 2 answers for 30 labels: give one for each"),
        ([2] * 30, r"an answer is 1 \(wrong\), 0 \(right\), 0.5 \(not sure\) or NaN \(none\)"),
        ([0.5] * 30, "no label is judged yet: look at some and say whether each is wrong"),
    ],
)
def test_answers_that_cannot_be(given, message):
    sample = audit_sample(planted()[0], 30)
    with pytest.raises(InputError, match=f"^{message}$"):
        audited(sample, given)


def test_draws_that_cannot_be():
    with pytest.raises(InputError, match=r"^n is 0: an audit looks at 1 label or more$"):
        audit_sample(planted()[0], 0)
    with pytest.raises(
        InputError, match=r"needs the findings of at least one detector: give some$"
    ):
        audit_sample(())
