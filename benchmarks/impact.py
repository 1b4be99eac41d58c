"""What noise of simulated raters costs: a small class, a network without pretraining, an easy task.

The three studies of Gu et al., section 3, on CIFAR-10 at a size for two cores. As in the paper, one
rater of ten labels each sample, and for the study of imbalance the samples are chosen after they
were labelled. `benchmarks/raters.py` runs them.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from cifar10_features import components, crowd, fitted, mean_and_error, noise, slope_of

SHARES, IMBALANCED, TESTED = (0.5, 0.7, 0.8, 0.9), 4000, 1100
"""Shares of the larger class, and how many samples of both classes there are in all."""

ERRORS = (0.15, 0.25, 0.35, 0.45, 0.55)
SLOW_SEEDS = 3
EASY, HARD, OF_A_TASK = (1, 6, 7, 8), (2, 3, 4, 5), 10_000
PRETRAINED, NETWORK_ERRORS = 3000, (0.3, 0.45, 0.6)


def imbalance(data: Path, cache: Path, seeds: int) -> None:
    """Print how much noise costs a minority class, by how small it is: cats against dogs."""
    from cifar10n import cifar10_images

    train, test, truth, test_truth = components(data, cache, 50_000, 10_000)
    pixels, test_pixels = (cifar10_images(data, part) for part in ("train", "test"))
    animals = np.flatnonzero(np.isin(truth, (3, 5)))
    tested = np.flatnonzero(np.isin(test_truth, (3, 5)))
    print(
        f"cat against dog, {IMBALANCED:,} of 10,000 labels of a rater pool, {seeds} seeds (CNN:\n"
        f"{min(seeds, SLOW_SEEDS)}); what noise costs in average precision of the minority, as a\n"
        "share of it too, and in balanced accuracy, ± standard error\n"
    )
    print(
        f"{'learner':16}{'wanted':>8}{'majority':>10}{'error':>7}{'AP clean':>10}{'AP drop':>17}"
        f"{'share of AP':>17}{'accuracy drop':>17}"
    )
    heads: dict[str, tuple[tuple[float, ...], Callable[..., tuple[float, float]]]] = {
        "logistic head": (ERRORS[1:4], logistic_head),
        "3-layer CNN": (ERRORS[2:3], lambda *given: minority_figures(network_scores(*given))),
    }
    people = [
        crowd(train[animals], (truth[animals] == 5).astype(int), seed) for seed in range(seeds)
    ]
    for learner, (errors, figures) in heads.items():
        fast = learner == "logistic head"
        x, y = (train, test) if fast else (pixels, test_pixels)
        repeats = range(seeds if fast else min(seeds, SLOW_SEEDS))
        best: dict[tuple[float, int], tuple[float, float]] = {}
        for error in errors:
            drops: dict[float, np.ndarray] = {}
            for share in SHARES:
                found, wrong = [], []
                for seed in repeats:
                    true = (truth[animals] == 5).astype(int)
                    given = noise(people[seed], true, error, seed).labels
                    rows = unequal(true, share, IMBALANCED, seed)
                    new = unequal((test_truth[tested] == 5).astype(int), share, TESTED, seed)
                    answers = (test_truth[tested[new]] == 5).astype(int)
                    seen, asked = x[animals[rows]], y[tested[new]]
                    if (share, seed) not in best:
                        best[share, seed] = figures(seen, true[rows], asked, answers, seed)
                    clean = best[share, seed]
                    noisy = figures(seen, given[rows], asked, answers, seed)
                    found.append((*clean, *np.subtract(clean, noisy)))
                    wrong.append((given != true)[rows].mean())
                ap_clean, _, ap, accuracy = np.array(found).T
                drops[share] = ap
                told = [mean_and_error(one) for one in (ap, ap / ap_clean, accuracy)]
                print(
                    f"{learner:16}{error:8.2f}{share:10.1f}{np.mean(wrong):7.2f}"
                    f"{ap_clean.mean():10.3f}" + "".join(f"{m:10.3f} ± {e:.3f}" for m, e in told),
                    flush=True,
                )
            mean, spread = mean_and_error(drops[0.8] - drops[0.5])
            print(f"{'':16}more at .8 than at .5: {mean:.3f} ± {spread:.3f}\n", flush=True)


def unequal(true: np.ndarray, share: float, count: int, seed: int) -> np.ndarray:
    """Rows of both classes, so many in all, of which class 1 has this share."""
    rng = np.random.default_rng([seed, round(100 * share)])
    many = round(share * count)
    parts = ((np.flatnonzero(true == 1), many), (np.flatnonzero(true == 0), count - many))
    return np.concatenate([rng.permutation(rows)[:part] for rows, part in parts])


def logistic_head(
    features: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: np.ndarray, _: int
) -> tuple[float, float]:
    """Average precision of class 0 and balanced accuracy of a logistic head."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.01, max_iter=300).fit(features, labels)
    return minority_figures((model.predict_proba(test)[:, 0], truth))


def minority_figures(given: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """Average precision of class 0 by its chances, and balanced accuracy."""
    from sklearn.metrics import average_precision_score, balanced_accuracy_score

    chance, truth = given
    predicted = (chance < 0.5).astype(int)
    return (
        float(average_precision_score(truth == 0, chance)),
        float(balanced_accuracy_score(truth, predicted)),
    )


def network_scores(
    images: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Chances of class 0 by a network of pixels, trained for six epochs; and the truth."""
    return convolutional(images, labels, test, seed, epochs=6)[:, 0], truth


def convolutional(
    images: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int, epochs: int
) -> np.ndarray:
    """Chances of the test images' classes by three convolutions and two linear layers.

    Training ends early where 99 % of the labels are fitted.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    K = int(labels.max()) + 1

    def tensor(pixels: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1

    def step(inside: int, outside: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inside, outside, 3, stride=2, padding=1),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
        ]

    network = nn.Sequential(
        *step(3, 24), *step(24, 48), *step(48, 64), nn.Flatten(),
        nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, K),
    )  # fmt: skip
    x, y = tensor(images), torch.from_numpy(labels.astype(np.int64))
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(epochs):
        network.train()
        order, right = torch.randperm(len(x)), 0
        for rows in order.split(64):
            scores = network(x[rows])
            loss = nn.functional.cross_entropy(scores, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += int((scores.argmax(dim=1) == y[rows]).sum())
        if right >= 0.99 * len(x):
            break
    network.eval()
    with torch.inference_mode():
        return torch.cat([network(part).softmax(dim=1) for part in tensor(test).split(500)]).numpy()


def pretraining(data: Path, cache: Path, seeds: int) -> None:
    """Print how much noise costs with pretrained features and from pixels, as a share of the best.

    The absolute drops cannot be compared: a network of pixels has less to lose.
    """
    from cifar10n import cifar10_images

    train, test, truth, test_truth = components(data, cache, 50_000, 10_000)
    seen = slice(0, 20_000)
    pixels = cifar10_images(data, "train")[:20_000]
    test_pixels = cifar10_images(data, "test")

    def by_pixels(rows: np.ndarray, labels: np.ndarray, seed: int) -> float:
        chances = convolutional(pixels[rows], labels, test_pixels, seed, epochs=30)
        return float((chances.argmax(axis=1) == test_truth).mean())

    arms: dict[str, Callable[[np.ndarray, np.ndarray, int], float]] = {
        "MLP on MobileNetV2": lambda rows, labels, seed: fitted(
            train[rows], labels, seed, test, test_truth
        ),
        "CNN from scratch": by_pixels,
    }
    print(
        f"{PRETRAINED:,} of 20,000 labels of a rater pool, ten classes, both networks fit their\n"
        f"labels, {seeds} seeds; drop as a share of the accuracy with true labels, and its slope\n"
        "over 1 - alpha, and over the share of wrong labels, both through the origin\n"
    )
    print(f"{'network':20}{'wanted':>8}{'error':>7}{'1 - alpha':>11}{'clean':>8}{'drop':>8}")
    points: dict[str, list[tuple[float, ...]]] = {name: [] for name in arms}
    for seed in range(seeds):
        people = crowd(train[seen], truth[seen], seed, 20)
        rows = np.random.default_rng(seed).permutation(20_000)[:PRETRAINED]
        clean = {name: learn(rows, truth[rows], seed) for name, learn in arms.items()}
        for error in NETWORK_ERRORS:
            found = noise(people, truth[seen], error, seed)
            for name, learn in arms.items():
                drop = 1 - learn(rows, found.labels[rows], seed) / clean[name]
                points[name].append((error, found.wrong, found.spread, clean[name], drop))
    print_points(points, 20)


def difficulty(data: Path, cache: Path, seeds: int) -> None:
    """Print how much noise costs an easy and a hard task of four classes each."""
    train, test, truth, test_truth = components(data, cache, 50_000, 10_000)
    tasks = {"easy: automobile frog horse ship": EASY, "hard: bird cat deer dog": HARD}
    print(
        f"{OF_A_TASK:,} labels of a rater pool a task, MLP that fits its labels, {seeds} seeds;\n"
        "drop of accuracy, and its slope over 1 - alpha, and over the share of wrong labels,\n"
        "both through the origin\n"
    )
    print(f"{'task':34}{'wanted':>8}{'error':>7}{'1 - alpha':>11}{'clean':>8}{'drop':>8}")
    points: dict[str, list[tuple[float, ...]]] = {}
    for task, classes in tasks.items():
        rows = np.flatnonzero(np.isin(truth, classes))[:OF_A_TASK]
        tested = np.flatnonzero(np.isin(test_truth, classes))
        labels, true = (np.searchsorted(classes, t) for t in (truth[rows], test_truth[tested]))
        points[task] = []
        for seed in range(seeds):
            people = crowd(train[rows], labels, seed)
            clean = fitted(train[rows], labels, seed, test[tested], true)
            for error in ERRORS:
                found = noise(people, labels, error, seed)
                drop = clean - fitted(train[rows], found.labels, seed, test[tested], true)
                points[task].append((error, found.wrong, found.spread, clean, drop))
    print_points(points, 34)


def print_points(points: dict[str, list[tuple[float, ...]]], width: int) -> None:
    """Print the mean of each noise level, the slopes, and how far those of two arms are apart.

    Args:
        points: arm to a row for each level and seed, seed by seed: wanted error, share of wrong
            labels, 1 - alpha, clean accuracy, drop.
        width: of the first column.
    """
    slopes = []
    for name, found in points.items():
        table = np.array(found)
        for error in np.unique(table[:, 0]):
            _, wrong, spread, clean, drop = table[table[:, 0] == error].mean(axis=0)
            print(f"{name:{width}}{error:8.2f}{wrong:7.2f}{spread:11.2f}{clean:8.3f}{drop:8.3f}")
        text = " and ".join("{:.3f} ± {:.3f}".format(*slope_of(table[:, c], table[:, 4]))
                            for c in (2, 1))  # fmt: skip
        print(f"{name:{width}}slopes {text}\n", flush=True)
        by_seed = table.reshape(-1, len(np.unique(table[:, 0])), 5)
        slopes.append([[slope_of(one[:, c], one[:, 4])[0] for c in (2, 1)] for one in by_seed])
    first, second = np.array(slopes)
    apart = (mean_and_error(one) for one in (first - second).T)
    print(
        "first less second, seed by seed: " + " and ".join(f"{m:+.3f} ± {e:.3f}" for m, e in apart)
    )
