"""How good evidence is called, and what is advised."""

import numpy as np
import pytest

from adc_core.records.evidence import Neighbors
from adc_plugins_detect.noise.counterfactual import Counterfactual
from adc_plugins_detect.noise.quality import evidence_quality

ADVICE = {
    "good": "wrong labels stand out; look at the most suspicious ones first",
    "fair": "the most suspicious labels are mostly wrong, the others a guess: look at them before "
    "anything is changed, or give a pretrained encoder",
    "poor": "wrong labels hardly stand out, so trust no figure here: give a pretrained encoder "
    "(--encoder), or look at 200 labels (adc audit)",
}


def judged(spread, share=0.1):
    random = np.random.default_rng(0)
    truth = random.integers(0, 5, 4000)
    wrong = random.random(4000) < share
    labels = np.where(wrong, (truth + random.integers(1, 5, 4000)) % 5, truth)
    scores = np.exp(3 * (np.eye(5)[truth] + random.normal(0, spread, (4000, 5))))
    values = scores / scores.sum(axis=1, keepdims=True)
    expected = Counterfactual(labels, values)
    return labels, values, expected


@pytest.mark.parametrize(("spread", "verdict"), [(0.2, "good"), (0.7, "fair"), (3, "poor")])
def test_verdicts_and_their_advice(spread, verdict):
    labels, values, expected = judged(spread)
    quality = evidence_quality(labels, expected)
    assert (quality.verdict, quality.advice) == (verdict, ADVICE[verdict])
    assert quality.separation == expected.separation
    assert quality.accuracy == pytest.approx((values.argmax(axis=1) == labels).mean())
    assert quality.chance == np.bincount(labels).max() / 4000
    assert quality.neighbor_agreement is None


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_many_wrong_labels_do_not_make_good_evidence_poor(share):
    assert evidence_quality(judged(0.2, share)[0], judged(0.2, share)[2]).verdict == "good"


def test_neighbors_that_carry_the_label_are_counted():
    labels, _, expected = judged(0.2)
    others = np.random.default_rng(1).integers(1, 4000, (4000, 3))
    indices = (np.arange(4000)[:, None] + others) % 4000
    graph = Neighbors(indices=indices, similarities=np.zeros((4000, 3), np.float32))
    agree = [labels[other] == labels[row] for row in range(4000) for other in indices[row]]
    found = evidence_quality(labels, expected, graph).neighbor_agreement
    assert found == pytest.approx(np.mean(agree))
