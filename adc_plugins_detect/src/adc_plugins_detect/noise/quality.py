"""How good evidence is: whether wrong labels would stand out from right ones at all."""

import numpy as np
from numpy.typing import NDArray

from adc_core import EvidenceQuality, Neighbors
from adc_core.records import Verdict
from adc_plugins_detect.noise.counterfactual import Counterfactual
from adc_plugins_detect.noise.rate import verdict_of

_ADVICE: dict[Verdict, str] = {
    "good": "wrong labels stand out; look at the most suspicious ones first",
    "fair": "the most suspicious labels are mostly wrong, the others a guess: look at them before "
    "anything is changed, or give a pretrained encoder",
    "poor": "wrong labels hardly stand out, so trust no figure here: give a pretrained encoder "
    "(--encoder), or look at 200 labels (adc audit)",
}


def evidence_quality(
    labels: NDArray[np.int64],
    expected: Counterfactual,
    neighbors: Neighbors | None = None,
) -> EvidenceQuality:
    """Judge evidence by how surely wrong labels would look more suspicious than right ones.

    That measure hardly depends on how many labels are wrong, which the accuracy does: half of the
    labels of a perfect model's predictions may differ from labels of which half are wrong.

    Args:
        labels: N given labels.
        expected: suspicion of these labels and of wrong ones.
        neighbors: k-NN graph, or None.
    """
    separation = expected.separation
    verdict = verdict_of(expected)
    agreement = None
    if neighbors is not None:
        agreement = float((labels[neighbors.indices] == labels[:, None]).mean())
    return EvidenceQuality(
        accuracy=1 - expected.differs,
        chance=float(np.bincount(labels).max() / len(labels)),
        neighbor_agreement=agreement,
        separation=separation,
        verdict=verdict,
        advice=_ADVICE[verdict],
    )
