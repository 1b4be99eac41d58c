"""Each learner against cross-entropy, on 600 images whose labels are wrong in four of ten.

Four patterns of 8 × 8 pixels under noise, without augmentation and weight decay: cross-entropy
learns them in two epochs and then memorises the labels, so that it names 0.63 to 0.76 of the test
images; with a layer instead of convolutions, which takes a third of the time, it learns them in
one. The noise is symmetric at 40 %, or to the next class at 35 %; accuracy is that of the last
epoch on 1000 images with right labels. Gains measured with the seeds 0 and 1 stand beside each
case; the test takes seed 0 and asks for about half of the smaller one.
"""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from adc_core.components.interfaces import Learner
from adc_core.components.registry import registry
from adc_core.images.sequence import ImageArray
from adc_core.records.dataset import Dataset

sys.path.insert(0, str(Path(__file__).parent))  # finds quick_networks, as PYTHONPATH would

SEED = 0
NEXT = tuple(
    tuple({0: 0.65, 1: 0.35}.get((there - here) % 4, 0) for there in range(4)) for here in range(4)
)
MEDIUM = {"epochs": 9, "backbone": "tiny-cnn"}
SHORT = {"epochs": 6, "backbone": "tiny-cnn"}
SLOW = {"epochs": 10, "learning_rate": 0.003, "backbone": "tiny-cnn"}
MLP_LONG, MLP_MEDIUM = (
    {"epochs": epochs, "backbone": "quick_networks:quick_mlp"} for epochs in (16, 9)
)
FORGETTING = {"forget_rate": 0.4, "gradual_epochs": 5}
REWEIGHTED = {"warm_up": 0.25, "source": "composed"}
MATCHED = {"warm_up": 0.3, "refine_epochs": (2, 1), "refine_learning_rate": 0.01}
MATCHED |= {"semi_supervised": True}
# Grown from 10⁻⁸ within three epochs, since there are only ten.
MODELED = {"u_learning_rate": 1000, "v_learning_rate": 1000}

CASES = [  # method, its options, noise, training, margin; gains of seeds 0 and 1
    ("co-teaching", FORGETTING, "symmetric", MLP_MEDIUM, 0.11),  # 0.28, 0.24
    ("cores", {}, "symmetric", MEDIUM, 0.11),  # 0.29, 0.23
    ("cores", {"beta": 0.5, "second_phase": 0.5}, "symmetric", MEDIUM, 0.07),  # 0.16, 0.17
    ("dividemix", {}, "symmetric", MLP_LONG, 0.13),  # 0.28, 0.26
    ("elr", {}, "symmetric", MEDIUM, 0.02),  # 0.08, 0.04
    ("elr-plus", {}, "symmetric", MLP_MEDIUM, 0.06),  # 0.14, 0.12
    ("f-divergence", {"warm_up": 0.125}, "symmetric", MLP_MEDIUM, 0.1),  # 0.21, 0.20
    ("generalized-cross-entropy", {"q": 0.9}, "symmetric", MLP_MEDIUM, 0.11),  # 0.27, 0.24
    ("jocor", FORGETTING, "symmetric", MLP_MEDIUM, 0.12),  # 0.27, 0.24
    ("label-distributionally-robust", {"adaptive": True}, "symmetric", MEDIUM, 0.05),  # 0.19, 0.10
    ("learning-to-reweight", {}, "symmetric", MEDIUM, 0.08),  # 0.17, 0.21
    # Estimated once it gains nothing here, where the network memorizes within three epochs.
    ("loss-reweighting", REWEIGHTED, "symmetric", MEDIUM, 0.02),  # 0.05, 0.04
    ("mentormix", {"percentile": 60}, "symmetric", MLP_MEDIUM, 0.08),  # 0.17, 0.18
    ("mentornet", {"percentile": 60, "falloff": 0.5}, "symmetric", MEDIUM, 0.11),  # 0.29, 0.23
    ("negative-label-smoothing", {"warm_up": 0.125}, "symmetric", MLP_LONG, 0.04),  # 0.08, 0.11
    ("pes", {"refine_learning_rate": 0.003}, "symmetric", MEDIUM, 0.11),  # 0.29, 0.24
    ("pes", MATCHED, "symmetric", MEDIUM, 0.1),  # 0.22, 0.19
    ("nested-dropout", {"spread": 10}, "symmetric", MLP_MEDIUM, 0.05),  # 0.11, 0.15
    ("peer-loss", {"warm_up": 0.125}, "symmetric", MLP_LONG, 0.05),  # 0.10, 0.12
    ("pls-lsa", {}, "symmetric", SHORT, 0.07),  # 0.23, 0.15
    ("symmetric-cross-entropy", {"alpha": 0.01}, "symmetric", MLP_LONG, 0.1),  # 0.27, 0.20
    ("active-passive", {}, "symmetric", MLP_LONG, 0.09),  # 0.27, 0.19
    ("taylor-cross-entropy", {}, "symmetric", MLP_LONG, 0.07),  # 0.16, 0.14
    ("positive-label-smoothing", {"rate": 0.6}, "symmetric", SHORT, 0.05),  # 0.16, 0.11
    ("rcal", {}, "symmetric", SHORT, 0.06),  # 0.16, 0.13
    ("sop", MODELED, "symmetric", SLOW, 0.05),  # 0.12, 0.11
    ("sop", MODELED | {"consistency": 0.9}, "symmetric", SLOW, 0.09),  # 0.18, 0.21
    ("tailr", {"gamma": 0.9}, "symmetric", MLP_MEDIUM, 0.05),  # 0.12, 0.11
    ("mixup", {}, "symmetric", SHORT, 0.06),  # 0.20, 0.13
    ("loss-reweighting", {"transition": NEXT, "warm_up": 0.125}, "next", SHORT, 0.04),  # 0.11, 0.09
    ("forward-correction", {"transition": NEXT, "warm_up": 0}, "next", SLOW, 0.1),  # 0.21, 0.24
]

HERE_NOT = {
    "backward-correction": "memorises as fast as cross-entropy, even with the true matrix",
    "balanced-meta": "learns class rates, and here all classes are as large",
    "bootstrap": "believes what it has memorised",
    "cross-entropy": "is the baseline",
    "logit-clip": "memorises within its bound; of two seeds one gains in short trainings",
    "mc-softmax": "absorbs noise that depends on the image; this does not",
    "nmtune": "is for networks that were pretrained on wrong labels",
    "pseudo-labels": "is cross-entropy where no label is set aside",
    "uda": "is cross-entropy where no label is set aside; test_uda.py judges it where some are",
}
"""Learners that do not beat cross-entropy on this problem, and why."""


def made(count, seed):
    patterns = np.random.default_rng(5).normal(size=(4, 8, 8, 3))
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % 4
    values = 128 + 22 * patterns[truth] + 45 * rng.normal(size=(count, 8, 8, 3))
    return np.clip(values, 0, 255).astype(np.uint8), truth


@cache
def noisy(kind):
    images, truth = made(600, SEED)
    rng = np.random.default_rng(SEED + 100)
    wrong = rng.permutation(600)[: {"symmetric": 240, "next": 210}[kind]]
    labels = truth.copy()
    labels[wrong] += rng.integers(1, 4, len(wrong)) if kind == "symmetric" else 1
    features = images.reshape(600, -1).astype(np.float32) / 255
    return Dataset(labels=labels % 4, classes=tuple("abcd"), images=images, features=features)


def accuracy(name, kind, **options):
    plain = {
        "image_size": 8,
        "batch_size": 32,
        "max_translation": 0,
        "horizontal_flip": False,
        "weight_decay": 0,
    }
    learner = registry.load(Learner, name)(**plain, seed=SEED, **options)
    images, truth = made(1000, SEED + 50)
    return np.mean(learner.learn(noisy(kind)).predict(ImageArray(images)).labels == truth)


@pytest.fixture(scope="module")
def baseline():
    """Cross-entropy's accuracy under a noise and a training, computed once."""
    return cache(lambda kind, training: accuracy("cross-entropy", kind, **dict(training)))


@pytest.mark.parametrize(("name", "options", "kind", "training", "margin"), CASES)
def test_beats_cross_entropy(baseline, name, options, kind, training, margin):
    gain = accuracy(name, kind, **training | options) - baseline(kind, tuple(training.items()))
    assert gain >= margin


def test_every_learner_is_judged():
    judged = {name for name, *_ in CASES} | set(HERE_NOT)
    assert judged == {entry.name for entry in registry.entries("learners")}
