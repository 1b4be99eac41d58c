"""What votes and raters do to labels, and what the label quality model repairs.

`lqm`: simulated raters label CIFAR-10, an expert labels some samples, and a network trained on the
labels is tested on clean ones: as the raters gave them, corrected by the label quality model
(drawn, or most likely), and the true ones.
`realism`: whether simulated raters err on the images, and between the classes, on which people do.
`imbalance`, `pretraining`, `difficulty`: what noise costs a small class, a network that sees pixels
or pretrained features, and an easy or a hard task (Gu et al.).

    python benchmarks/raters.py --study lqm --data ../shared/data [--cache runs/cifar10]
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from cifar10_features import COMPONENTS, Crowd, Noise, components, crowd, fitted, noise
from impact import difficulty, imbalance, pretraining
from scipy import stats

from adc_core import Dataset, Votes
from adc_plugins_review import (
    ApplyVotes,
    LabelQualityModel,
    RaterPool,
    off_diagonal_test,
    realism,
)

TRAIN, NOISY, TEST, PEOPLE = 8000, 4000, 10_000, 4000

POOLS = ((0.3, 3), (0.35, 10), (0.5, 10))
"""Errors that are wanted and numbers of raters. Few of the candidates err so little as 30 %."""


def lqm(data: Path, cache: Path, seeds: int) -> None:
    """Print accuracies on clean images by labels, error of the raters and share of pairs."""
    train, test, truth, test_truth = components(data, cache, TRAIN, TEST)
    print(
        f"{NOISY:,} labels, one vote each; MLP on {COMPONENTS} components of "
        f"MobileNetV2, accuracy\non {TEST:,} clean test images, mean of {seeds} seeds ± standard "
        "error\n"
    )
    heads = ("raters", "drawn", "most likely", "true labels")
    print(
        f"{'raters':>6}{'error':>7}{'pairs':>7}{'alpha':>7}{'wrong':>7}{'after':>7}"
        + "".join(f"{head:>15}" for head in heads)
    )
    people = [crowd(train, truth, seed) for seed in range(seeds)]
    for error, raters in POOLS:
        given = [noise(people[seed], truth, error, seed, raters) for seed in range(seeds)]
        for pairs in (0.1, 0.3):
            figures, facts = [], []
            for seed in range(seeds):
                rows = np.sort(np.random.default_rng(seed).permutation(len(truth))[:NOISY])
                true = truth[rows]
                sampled = voted(train, truth, people[seed], given[seed], pairs, seed).take(rows)
                sampled = sampled.replace(probabilities=auxiliary(sampled, seed))
                arms = {
                    "raters": ApplyVotes(rule="trusted", wrong="relabel"),
                    "drawn": LabelQualityModel(label_choice="drawn", seed=seed),
                    "most likely": LabelQualityModel(seed=seed),
                }
                labels = {
                    name: arm.curate(sampled, ()).dataset.labels for name, arm in arms.items()
                }
                labels["true labels"] = true
                figures.append(
                    [
                        fitted(sampled.features, labels[name], seed, test, test_truth)
                        for name in heads
                    ]
                )
                facts.append(
                    [
                        given[seed].wrong,
                        1 - given[seed].spread,
                        (labels["raters"] != true).mean(),
                        (labels["most likely"] != true).mean(),
                    ]
                )
            mean, spread = np.mean(figures, axis=0), np.std(figures, axis=0, ddof=1)
            real_error, alpha, before, after = np.mean(facts, axis=0)
            print(
                f"{raters:6}{real_error:7.2f}{pairs:7.0%}{alpha:7.2f}{before:7.3f}{after:7.3f}"
                + "".join(
                    f"{f'{m:.3f} ± {s / np.sqrt(seeds):.3f}':>15}"
                    for m, s in zip(mean, spread, strict=True)
                ),
                flush=True,
            )


def voted(
    features: np.ndarray, truth: np.ndarray, people: Crowd, given: Noise, share: float, seed: int
) -> Dataset:
    """Samples with one rater's vote each, and an expert's on a share of them."""
    N, R = len(truth), len(given.chosen)
    seen = np.random.default_rng([seed, 5]).permutation(N)[: round(share * N)]
    expert = np.eye(1, people.features.shape[1], dtype=np.float32)
    votes = Votes(
        item=np.concatenate([np.arange(N), seen]),
        rater=np.concatenate([given.who, np.full(len(seen), R)]),
        label=np.concatenate([given.labels, truth[seen]]),
        trusted=np.arange(R + 1) == R,
        features=np.concatenate([people.features[given.chosen], expert]),
        feature_names=tuple(f"fact {number}" for number in range(people.features.shape[1])),
    )
    return Dataset(labels=given.labels, features=features, votes=votes)


def human(data: Path, cache: Path) -> None:
    """Print figures of realism of simulated raters beside those of people on the same images."""
    counts = np.load(data / "cifar10h" / "cifar10h.npz")["counts"][:PEOPLE].astype(np.int64)
    _, test, _, truth = components(data, cache, 4000, PEOPLE)
    error_of_people = 1 - counts[np.arange(PEOPLE), truth] / counts.sum(axis=1)
    rng = np.random.default_rng(0)
    flipped = np.stack(
        [rng.multinomial(10, np.where(np.arange(10) == k, 0.64, 0.04), PEOPLE) for k in range(10)]
    )[truth, np.arange(PEOPLE)]
    sets = {"people (CIFAR-10H)": counts, "independent flipping": flipped}
    for error in (0.35, 0.5):
        dataset = Dataset(labels=truth, features=test)
        pool = RaterPool(error=error, expert_share=0).corrupt(dataset)
        sets[f"rater-pool, error {error}"] = pool.votes.counts(PEOPLE, 10)
    people = off_diagonal_test(counts, truth).confusion
    off = ~np.eye(10, dtype=bool)
    heads = ("error", "overdispersion", "correlation", "alpha", "V", "item corr.", "Spearman")
    print(f"{PEOPLE:,} test images of CIFAR-10, 10 simulated raters on MobileNetV2 features\n")
    print(f"{'':24}" + "".join(f"{head:>16}" for head in heads))
    for name, votes in sets.items():
        found, test_of = realism(votes, truth), off_diagonal_test(votes, truth)
        item = 1 - votes[np.arange(PEOPLE), truth] / votes.sum(axis=1)
        figures = (
            found.overall_error,
            found.overdispersion,
            found.intraclass_correlation,
            found.alpha,
            test_of.cramer_v,
            np.corrcoef(item, error_of_people)[0, 1],
            stats.spearmanr(test_of.confusion[off], people[off]).statistic,
        )
        print(f"{name:24}" + "".join(f"{figure:16.3f}" for figure in figures), flush=True)


def auxiliary(dataset: Dataset, seed: int) -> np.ndarray:
    """Out-of-sample probabilities of logistic regression on the noisy labels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=0.01, max_iter=100)
        predicted = cross_val_predict(
            model, dataset.features, dataset.labels, cv=folds, method="predict_proba"
        )
    return predicted.astype(np.float32)


STUDIES = {
    "lqm": lqm,
    "imbalance": imbalance,
    "pretraining": pretraining,
    "difficulty": difficulty,
}


def main() -> None:
    """Run one study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--study",
        choices=("realism", *STUDIES),
        required=True,
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of real data")
    parser.add_argument("--cache", type=Path, default=Path("runs/cifar10"))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    begun = time.perf_counter()
    if options.study == "realism":
        human(options.data, options.cache)
    else:
        STUDIES[options.study](options.data, options.cache, options.seeds)
    print(f"\n{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
