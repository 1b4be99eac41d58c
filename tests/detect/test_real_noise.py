"""Confident learning on CIFAR-10N: probabilities of five networks, labels that people got wrong."""

import os
from pathlib import Path

import numpy as np
import pytest

from adc_plugins_detect import confident_learning
from adc_plugins_detect.metrics.detection import flag_figures, rank_figures

pytestmark = pytest.mark.shared_data

DATA = Path(os.environ.get("ADC_DATA") or Path(__file__).parents[2] / "../shared/data")
PUBLISHED = {
    "resnet18": (0.8493, 0.7742, 0.8844, 0.9634, 0.9668),
    "resnet50d": (0.8838, 0.8289, 0.9167, 0.9758, 0.9798),
    "efficientnet_b1": (0.8578, 0.7848, 0.8965, 0.9650, 0.9708),
    "twins_pcpvt_base": (0.9092, 0.8690, 0.9379, 0.9847, 0.9869),
    "swin_base_patch4_window7_224": (0.9236, 0.8917, 0.9527, 0.9905, 0.9921),
}
"""F1 of three rules, then ROC AUC of two scores, as cleanlab 2.9 gives on the same arrays."""


@pytest.fixture(scope="module")
def labels():
    path = DATA / "cifar10n" / "cifar10n.npz"
    if not path.exists():
        pytest.skip(f"{path} is not there: set ADC_DATA to the folder of the real data")
    with np.load(path) as arrays:
        return arrays["worse_label"].astype(np.int64), arrays["clean_label"]


@pytest.mark.parametrize("network", PUBLISHED)
def test_published_figures(labels, network):
    given, truth = labels
    wrong = given != truth
    with np.load(DATA / "probabilities" / "cifar10n_worse_label.npz") as arrays:
        probabilities = arrays[network]
    found = [
        flag_figures(wrong, confident_learning(given, probabilities, rule=rule).flagged).f1
        for rule in ("prune_by_noise_rate", "confident_learning", "predicted_neq_given")
    ]
    found += [
        rank_figures(wrong, confident_learning(given, probabilities, score=score).suspicion).roc_auc
        for score in ("self_confidence", "normalized_margin")
    ]
    assert [round(figure, 4) for figure in found] == list(PUBLISHED[network])
