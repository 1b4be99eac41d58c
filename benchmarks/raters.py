"""What votes and raters do to labels, and what the label quality model repairs.

`lqm`: simulated raters label CIFAR-10, an expert labels some samples, and a network trained on the
labels is tested on clean ones: as the raters gave them, corrected by the label quality model
(drawn, or most likely), and the true ones.
`realism`: whether simulated raters err on the images, and between the classes, on which people do.
`imbalance`, `pretraining`, `difficulty`: what noise costs a small class, a network that sees pixels
or pretrained features, and an easy or a hard task (Gu et al.).

    python benchmarks/raters.py --study lqm --data ../shared/data [--cache runs/cifar10]
    python benchmarks/raters.py --study realism --data ../shared/data [--cache runs/cifar10]
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from scipy import stats

from adc_core import Dataset
from adc_plugins_review import (
    ApplyVotes,
    LabelQualityModel,
    RaterPool,
    krippendorff_alpha,
    off_diagonal_test,
    realism,
)

TRAIN, NOISY, TEST, COMPONENTS = 4000, 2000, 4000, 256

POOLS = ((0.3, 3), (0.35, 10), (0.5, 10))
"""Errors that are wanted and numbers of raters. Few of the candidates err so little as 30 %."""


def lqm(data: Path, cache: Path, seeds: int) -> None:
    """Print accuracies on clean images by labels, error of the raters and share of pairs."""
    train, test, truth, test_truth = components(data, cache)
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
    for error, raters in POOLS:
        for pairs in (0.1, 0.3):
            figures, facts = [], []
            for seed in range(seeds):
                dataset = Dataset(labels=truth, features=train, ids=np.arange(len(truth)))
                pool = RaterPool(
                    raters=raters, error=error, expert_share=pairs, votes_per_sample=1, seed=seed
                )
                noisy = pool.corrupt(dataset).applied_to(dataset)
                rows = np.random.default_rng(seed).permutation(len(truth))[:NOISY]
                sampled = noisy.take(np.sort(rows))
                true = truth[np.sort(rows)]
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
                everyone = noisy.votes.take(~noisy.votes.trusted[noisy.votes.rater])
                all_votes = RaterPool(raters=raters, error=error, seed=seed).corrupt(dataset).votes
                alpha = krippendorff_alpha(all_votes.counts(len(truth), 10)) if not seed else np.nan
                facts.append(
                    [
                        (everyone.label != truth[everyone.item]).mean(),
                        alpha,
                        (labels["raters"] != true).mean(),
                        (labels["most likely"] != true).mean(),
                    ]
                )
            mean, spread = np.mean(figures, axis=0), np.std(figures, axis=0, ddof=1)
            real_error, alpha, before, after = np.nanmean(facts, axis=0)
            print(
                f"{raters:6}{real_error:7.2f}{pairs:7.0%}{alpha:7.2f}{before:7.3f}{after:7.3f}"
                + "".join(
                    f"{f'{m:.3f} ± {s / np.sqrt(seeds):.3f}':>15}"
                    for m, s in zip(mean, spread, strict=True)
                ),
                flush=True,
            )


def human(data: Path, cache: Path) -> None:
    """Print figures of realism of simulated raters beside those of people on the same images."""
    counts = np.load(data / "cifar10h" / "cifar10h.npz")["counts"][:TEST].astype(np.int64)
    _, test, _, truth = components(data, cache)
    error_of_people = 1 - counts[np.arange(TEST), truth] / counts.sum(axis=1)
    rng = np.random.default_rng(0)
    flipped = np.stack(
        [rng.multinomial(10, np.where(np.arange(10) == k, 0.64, 0.04), TEST) for k in range(10)]
    )[truth, np.arange(TEST)]
    sets = {"people (CIFAR-10H)": counts, "independent flipping": flipped}
    for error in (0.35, 0.5):
        dataset = Dataset(labels=truth, features=test)
        pool = RaterPool(error=error, expert_share=0).corrupt(dataset)
        sets[f"rater-pool, error {error}"] = pool.votes.counts(TEST, 10)
    people = off_diagonal_test(counts, truth).confusion
    off = ~np.eye(10, dtype=bool)
    heads = ("error", "overdispersion", "correlation", "alpha", "V", "item corr.", "Spearman")
    print(f"{TEST:,} test images of CIFAR-10, 10 simulated raters on MobileNetV2 features\n")
    print(f"{'':24}" + "".join(f"{head:>16}" for head in heads))
    for name, votes in sets.items():
        found, test_of = realism(votes, truth), off_diagonal_test(votes, truth)
        item = 1 - votes[np.arange(TEST), truth] / votes.sum(axis=1)
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


def imbalance(data: Path, cache: Path, seeds: int) -> None:
    """Print how much noise costs a minority class, by how small it is: cats against dogs."""
    train, test, truth, test_truth = components(data, cache)
    print("cat against dog, 500 labels of a rater pool (error .25 wanted), logistic head;")
    print("drop against true labels: average precision of the minority, balanced accuracy\n")
    print(f"{'majority':>9}{'error':>7}{'AP clean':>10}{'AP drop':>18}{'accuracy drop':>18}")
    for share in (0.5, 0.7, 0.8, 0.9):
        drops, clean, errors = [], [], []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            rows, labels = two_classes(truth, share, 500, rng)
            tested, true = two_classes(test_truth, share, 400, rng)
            given = Dataset(labels=labels, features=train[rows])
            noisy = RaterPool(error=0.25, pool_size=30, seed=seed).corrupt(given)
            scores = [
                head_figures(train[rows], one, test[tested], true) for one in (labels, noisy.labels)
            ]
            clean.append(scores[0][0])
            drops.append(np.subtract(*scores))
            errors.append(noisy.mask.mean())
        mean, spread = np.mean(drops, axis=0), np.std(drops, axis=0, ddof=1) / np.sqrt(seeds)
        ap, accuracy = (f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True))
        print(
            f"{share:9.1f}{np.mean(errors):7.2f}{np.mean(clean):10.3f}{ap:>18}{accuracy:>18}",
            flush=True,
        )


def two_classes(
    truth: np.ndarray, share: float, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of cats (0) and dogs (1), so many in all, of which dogs are this share."""
    dogs = round(share * count)
    rows = np.concatenate(
        [
            rng.permutation(np.flatnonzero(truth == 3))[: count - dogs],
            rng.permutation(np.flatnonzero(truth == 5))[:dogs],
        ]
    )
    return rows, (truth[rows] == 5).astype(np.int64)


def head_figures(
    features: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: np.ndarray
) -> tuple[float, float]:
    """Average precision of class 0 and balanced accuracy of a logistic head."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score, balanced_accuracy_score

    model = LogisticRegression(C=0.01, max_iter=300).fit(features, labels)
    precision = average_precision_score(truth == 0, model.predict_proba(test)[:, 0])
    return float(precision), float(balanced_accuracy_score(truth, model.predict(test)))


def difficulty(data: Path, cache: Path, seeds: int) -> None:
    """Print how much noise costs an easy and a hard task of four classes each."""
    train, test, truth, test_truth = components(data, cache)
    tasks = {
        "easy: automobile frog horse ship": (1, 6, 7, 8),
        "hard: bird cat deer dog": (2, 3, 4, 5),
    }
    print("1,400 labels of a rater pool, MLP that fits its labels; drop of accuracy, and its slope")
    print("over 1 - alpha through the origin\n")
    print(f"{'task':34}{'wanted':>8}{'error':>7}{'1 - alpha':>11}{'clean':>8}{'drop':>8}")
    for task, classes in tasks.items():
        points = []
        rows = np.flatnonzero(np.isin(truth, classes))[:1400]
        tested = np.flatnonzero(np.isin(test_truth, classes))
        labels, true = (np.searchsorted(classes, t) for t in (truth[rows], test_truth[tested]))
        for seed in range(seeds):
            clean = fitted(train[rows], labels, seed, test[tested], true)
            for error in (0.15, 0.3, 0.45):
                given = Dataset(labels=labels, features=train[rows])
                pool = RaterPool(error=error, pool_size=30, expert_share=0, seed=seed)
                found = pool.corrupt(given)
                spread = 1 - krippendorff_alpha(found.votes.counts(len(rows), 4))
                drop = clean - fitted(train[rows], found.labels, seed, test[tested], true)
                points.append((error, found.mask.mean(), spread, clean, drop))
        table = np.array(points)
        for error in (0.15, 0.3, 0.45):
            _, wrong, spread, clean, drop = table[table[:, 0] == error].mean(axis=0)
            print(f"{task:34}{error:8.2f}{wrong:7.2f}{spread:11.2f}{clean:8.3f}{drop:8.3f}")
        print(f"{task:34}slope {slope_of(table[:, 2], table[:, 4])}\n", flush=True)


def pretraining(data: Path, cache: Path, seeds: int) -> None:
    """Print how much noise costs with pretrained features and with pixels, in shares of the best.

    The absolute drops cannot be compared: a network of pixels has less to lose.
    """
    from cifar10n import cifar10_images

    train, test, truth, test_truth = components(data, cache)
    pixels, test_pixels = (
        cifar10_images(data, part)[:count].reshape(count, -1).astype(np.float32) / 255 - 0.5
        for part, count in (("train", TRAIN), ("test", TEST))
    )
    arms = {"MobileNetV2 features": (train, test), "pixels": (pixels, test_pixels)}
    print(
        f"{NOISY:,} labels of a rater pool, ten classes, MLP that fits its labels; drop as a share"
    )
    print("of the accuracy with true labels, and its slope over 1 - alpha through the origin\n")
    print(f"{'network sees':24}{'wanted':>8}{'error':>7}{'1 - alpha':>11}{'clean':>8}{'drop':>8}")
    points: dict[str, list[tuple[float, ...]]] = {name: [] for name in arms}
    for seed in range(seeds):
        rows = np.random.default_rng(seed).permutation(TRAIN)[:NOISY]
        clean = {
            name: fitted(x[rows], truth[rows], seed, y, test_truth) for name, (x, y) in arms.items()
        }
        for error in (0.35, 0.5, 0.65):
            given = Dataset(labels=truth, features=train)
            pool = RaterPool(error=error, pool_size=30, expert_share=0, seed=seed)
            found = pool.corrupt(given)
            spread = 1 - krippendorff_alpha(found.votes.counts(TRAIN, 10))
            noisy = found.labels[rows]
            wrong = (noisy != truth[rows]).mean()
            for name, (x, y) in arms.items():
                drop = 1 - fitted(x[rows], noisy, seed, y, test_truth) / clean[name]
                points[name].append((error, wrong, spread, clean[name], drop))
    for name, found_points in points.items():
        table = np.array(found_points)
        for error in np.unique(table[:, 0]):
            figures = table[table[:, 0] == error].mean(axis=0)
            _, wrong, spread, best, drop = figures
            print(f"{name:24}{error:8.2f}{wrong:7.2f}{spread:11.2f}{best:8.3f}{drop:8.3f}")
        print(f"{name:24}slope {slope_of(table[:, 2], table[:, 4])}\n", flush=True)


def slope_of(x: np.ndarray, y: np.ndarray) -> str:
    """Slope of a line through the origin, with its standard error."""
    slope = (x @ y) / (x @ x)
    rest = y - slope * x
    return f"{slope:.3f} ± {np.sqrt((rest @ rest) / (len(x) - 1) / (x @ x)):.3f}"


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


def fitted(
    features: np.ndarray, labels: np.ndarray, seed: int, test: np.ndarray, truth: np.ndarray
) -> float:
    """Accuracy of an MLP that is trained until it fits its labels."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((128,), alpha=1e-4, batch_size=128, max_iter=60, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(features, labels)
    return float((model.predict(test) == truth).mean())


def components(data: Path, cache: Path) -> tuple[np.ndarray, ...]:
    """Principal components of training and test images, and their true labels."""
    labels = np.load(data / "cifar10" / "labels.npz")
    parts = [mobilenet_features(data, cache, "train", TRAIN)]
    parts.append(mobilenet_features(data, cache, "test", TEST))
    mean = parts[0].mean(axis=0)
    _, _, axes = np.linalg.svd(parts[0] - mean, full_matrices=False)
    train, test = ((part - mean) @ axes[:COMPONENTS].T for part in parts)
    scale = train.std()
    return (
        (train / scale).astype(np.float32),
        (test / scale).astype(np.float32),
        labels["train_label"][:TRAIN].astype(np.int64),
        labels["test_label"][:TEST].astype(np.int64),
    )


def mobilenet_features(data: Path, cache: Path, part: str, count: int) -> np.ndarray:
    """MobileNetV2 features of the first images of a part; computed once and kept."""
    path = cache / f"{part}.npy"
    if not path.exists():
        import torch
        from cifar10n import SIDE, cifar10_images, mobilenet

        from adc_plugins_learn import penultimate

        network, pixels, found = mobilenet(data), cifar10_images(data, part)[:count], []
        with torch.inference_mode():
            for start in range(0, count, 250):
                batch = torch.from_numpy(pixels[start : start + 250]).permute(0, 3, 1, 2)
                large = torch.nn.functional.interpolate(batch.float(), SIDE, mode="bicubic")
                found.append(penultimate(network, large.clamp(0, 255) / 127.5 - 1).numpy())
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.concatenate(found).astype(np.float16))
    return np.load(path)[:count].astype(np.float32)


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
