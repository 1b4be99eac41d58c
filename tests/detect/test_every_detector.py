"""What every detector function promises, whatever evidence it reads."""

from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from adc_core.records.evidence import Dynamics, Neighbors
from adc_plugins_detect import (
    aum,
    confident_learning,
    cores,
    data_maps,
    deep_knn,
    early_stop_ce,
    ensemble,
    forgetting,
    label_propagation,
    lstm_dynamics,
    nearest_neighbors,
    neighbor_credibility,
    predicted_differs,
    simifeat,
    small_loss,
)

BY_NEIGHBORS = {
    "simifeat, rank": simifeat,
    "simifeat, vote": partial(simifeat, rule="vote"),
    "deep-knn": partial(deep_knn, k=20),
    "neighbor-credibility": neighbor_credibility,
    "label-propagation": label_propagation,
}
BY_PROBABILITIES = {
    "confident-learning": confident_learning,
    "predicted-differs": predicted_differs,
    "cores": cores,
}
BY_DYNAMICS = {
    "aum": aum,
    "data-maps": data_maps,
    "early-stop-ce": early_stop_ce,
    "forgetting": forgetting,
    "lstm-dynamics": lstm_dynamics,
    "small-loss": small_loss,
}
EVERY = BY_NEIGHBORS | BY_PROBABILITIES | BY_DYNAMICS

JUDGES_FOR_ITSELF = [
    "simifeat, rank",
    "simifeat, vote",
    "deep-knn",
    "confident-learning",
    "predicted-differs",
    "cores",
]
"""These say how many labels are wrong; the others rank, or find two groups in any data."""

K = 4


class Evidence:
    """Three kinds of evidence about clusters, as a good encoder and a good network give it."""

    def __init__(self, truth, labels, seed=0):
        random = np.random.default_rng(seed)
        self.labels = labels
        features = 6 * np.eye(K, 8)[truth] + 0.6 * random.normal(size=(len(truth), 8))
        self.graph = nearest_neighbors(features, 25)
        logits = 3 * np.eye(K)[truth] + random.normal(0, 0.4, (len(truth), K))
        powers = np.exp(logits)
        self.probabilities = powers / powers.sum(axis=1, keepdims=True)
        own = logits[np.arange(len(truth)), labels]
        others = np.where(np.arange(K) == labels[:, None], -np.inf, logits).max(axis=1)
        margin = (own - others)[:, None] * np.linspace(0.2, 1, 8) + random.normal(
            0, 0.2, (len(truth), 8)
        )
        self.dynamics = dynamics_of(margin)

    def of(self, name):
        if name in BY_NEIGHBORS:
            return self.graph
        return self.probabilities if name in BY_PROBABILITIES else self.dynamics

    def judge(self, name, **options):
        return EVERY[name](self.labels, self.of(name), **options)


def dynamics_of(margin):
    return Dynamics(
        epochs=np.arange(1, margin.shape[1] + 1),
        given_probability=1 / (1 + np.exp(-margin)),
        margin=margin,
        loss=np.log1p(np.exp(-margin)),
        correct=margin > 0,
    )


@pytest.fixture(scope="module")
def truth():
    return np.arange(1200) % K


@pytest.fixture(scope="module")
def noisy(truth):
    random = np.random.default_rng(1)
    wrong = random.random(len(truth)) < 0.2
    return Evidence(truth, np.where(wrong, (truth + random.integers(1, K, len(truth))) % K, truth))


@pytest.fixture(scope="module")
def clean(truth):
    return Evidence(truth, truth)


@pytest.mark.parametrize("name", EVERY)
def test_wrong_labels_are_more_suspicious(noisy, truth, name):
    found = noisy.judge(name)
    wrong = noisy.labels != truth
    higher = (found.suspicion[wrong][:, None] > found.suspicion[~wrong][None, :]).mean()
    assert higher > 0.95
    assert found.suspicion.min() >= 0
    assert found.suspicion.max() <= 1


@pytest.mark.parametrize("name", EVERY)
def test_samples_in_another_order_are_judged_alike(noisy, name):
    order = np.random.default_rng(2).permutation(len(noisy.labels))
    evidence = noisy.of(name)
    if isinstance(evidence, Neighbors):
        place = np.argsort(order)
        turned = Neighbors(
            indices=place[evidence.indices[order]], similarities=evidence.similarities[order]
        )
    elif isinstance(evidence, Dynamics):
        turned = dynamics_of(evidence.margin[order])
        evidence = dynamics_of(evidence.margin)
    else:
        turned = evidence[order]
    found = EVERY[name](noisy.labels, evidence)
    again = EVERY[name](noisy.labels[order], turned)
    # Single precision, in which the network of lstm-dynamics adds in another order.
    single = 1e-6 if name == "lstm-dynamics" else 1e-7
    np.testing.assert_allclose(again.suspicion, found.suspicion[order], rtol=single, atol=1e-12)
    # Where a share is flagged, of equals the first are: which these are is a matter of order.
    flagged, expected = again.suspicion[again.flagged], found.suspicion[found.flagged]
    np.testing.assert_allclose(np.sort(flagged), np.sort(expected), rtol=single, atol=1e-12)
    if name in JUDGES_FOR_ITSELF:
        np.testing.assert_array_equal(again.flagged, found.flagged[order])


@pytest.mark.parametrize("name", EVERY)
def test_classes_by_other_names_are_judged_alike(noisy, name):
    names = np.array([2, 0, 3, 1])
    evidence = noisy.of(name)
    if name in BY_PROBABILITIES:
        evidence = evidence[:, np.argsort(names)]
    found, renamed = noisy.judge(name), EVERY[name](names[noisy.labels], evidence)
    np.testing.assert_allclose(renamed.suspicion, found.suspicion, atol=1e-12)
    np.testing.assert_array_equal(renamed.flagged, found.flagged)
    if found.suggested_labels is not None:
        suggested = found.suggested_labels
        expected = np.where(suggested < 0, -1, names[suggested])
        np.testing.assert_array_equal(renamed.suggested_labels, expected)
    if found.transition is not None:
        np.testing.assert_allclose(
            renamed.transition[np.ix_(names, names)], found.transition, atol=1e-12
        )


@pytest.mark.parametrize("name", [*BY_PROBABILITIES, *BY_DYNAMICS])
def test_the_same_data_twice_have_the_same_noise(noisy, name):
    evidence, labels = noisy.of(name), np.tile(noisy.labels, 2)
    if isinstance(evidence, Dynamics):
        twice = EVERY[name](labels, dynamics_of(np.tile(evidence.margin, (2, 1))))
        found = EVERY[name](noisy.labels, dynamics_of(evidence.margin))
    else:
        twice, found = EVERY[name](labels, np.tile(evidence, (2, 1))), noisy.judge(name)
    np.testing.assert_allclose(twice.suspicion, np.tile(found.suspicion, 2), atol=1e-6)
    assert twice.flagged.mean() == pytest.approx(found.flagged.mean(), abs=K / 1200)
    if found.noise_rate is not None:
        assert twice.noise_rate == pytest.approx(found.noise_rate, abs=K / 1200)


@pytest.mark.parametrize("name", JUDGES_FOR_ITSELF)
def test_clean_labels_are_not_flagged(clean, name):
    found = clean.judge(name)
    assert found.flagged.mean() < 0.002
    if found.noise_rate is not None:
        assert found.noise_rate < 0.002


@pytest.mark.filterwarnings("ignore:HOC estimates that class")
@pytest.mark.parametrize("name", EVERY)
def test_labels_that_are_all_wrong_break_nothing(truth, name):
    evidence = Evidence(truth, (truth + 1 + truth % 2) % K)
    found = evidence.judge(name)
    assert found.covered.all()
    assert np.isfinite(found.suspicion).all()


@pytest.mark.filterwarnings("ignore:HOC estimates that class")
@pytest.mark.parametrize("name", EVERY)
def test_random_labels_break_nothing(truth, name):
    labels = np.random.default_rng(3).integers(0, K, len(truth))
    found = Evidence(truth, labels).judge(name)
    assert np.isfinite(found.suspicion).all()


@pytest.mark.parametrize("name", EVERY)
def test_any_number_of_threads_gives_the_same_bytes(noisy, name):
    with threadpool_limits(1):
        one = noisy.judge(name)
    with threadpool_limits(2):
        two = noisy.judge(name)
    assert one == two
    assert one.suspicion.tobytes() == two.suspicion.tobytes()


@pytest.mark.parametrize("name", EVERY)
def test_labels_and_evidence_stay_as_they_were(noisy, name):
    labels, evidence = noisy.labels.copy(), noisy.of(name)
    labels.flags.writeable = False
    if isinstance(evidence, np.ndarray):
        evidence = evidence.copy()
        evidence.flags.writeable = False
    assert EVERY[name](labels, evidence) == noisy.judge(name)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", [*BY_PROBABILITIES, *BY_DYNAMICS])
def test_arrays_of_any_precision_will_do(noisy, truth, name, dtype):
    column = {"small-loss": "loss", "aum": "margin", "forgetting": "correct"}
    evidence = noisy.of(name)
    if isinstance(evidence, Dynamics):
        evidence = getattr(evidence, column.get(name, "given_probability"))
    found = EVERY[name](noisy.labels, np.asarray(evidence, dtype))
    wrong = noisy.labels != truth
    assert found.suspicion[wrong].mean() > found.suspicion[~wrong].mean() + 0.1


@pytest.mark.parametrize("name", EVERY)
def test_memory_maps_will_do(noisy, name, tmp_path):
    evidence = noisy.of(name)
    if isinstance(evidence, np.ndarray):
        np.save(tmp_path / "evidence.npy", evidence)
        mapped = np.load(tmp_path / "evidence.npy", mmap_mode="r")
    else:
        fields = {}
        for field in type(evidence).model_fields:
            value = getattr(evidence, field)
            if isinstance(value, np.ndarray):
                np.save(tmp_path / f"{field}.npy", value)
                value = np.load(tmp_path / f"{field}.npy", mmap_mode="r")
            fields[field] = value
        mapped = type(evidence)(**fields)
    assert EVERY[name](noisy.labels, mapped) == noisy.judge(name)


@pytest.mark.parametrize("name", EVERY)
def test_two_classes_are_enough(name):
    truth = np.arange(200) % 2
    labels = np.where(np.arange(200) % 9 == 0, 1 - truth, truth)
    evidence = Evidence(truth, labels)
    if name in BY_PROBABILITIES:
        two = evidence.probabilities[:, :2]
        evidence.probabilities = two / two.sum(axis=1, keepdims=True)
    found = evidence.judge(name)
    wrong = labels != truth
    assert found.suspicion[wrong].mean() > found.suspicion[~wrong].mean()


def test_together_they_find_more_than_most_alone(noisy, truth):
    found = [noisy.judge(name) for name in JUDGES_FOR_ITSELF]
    flagged = ensemble(noisy.labels, found).flagged
    wrong = noisy.labels != truth
    share = [(one.flagged == wrong).mean() for one in found]
    assert (flagged == wrong).mean() >= np.median(share)
