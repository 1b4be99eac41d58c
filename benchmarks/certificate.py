"""How often the certificate of a review holds, and how narrow it is.

Simulated detectors of several strengths, useless and misleading ones among them, choose the repair
part; the plan always believes an area of 0.8 and twice the true rate. Three ways to spend the same
looks are compared: uniform (all drawn at random), once (repairs and an exact bound) and any time
(repairs and betting by weights). Then real labels of people (CIFAR-10N), where raters who miss
wrong labels and doubt right ones vote, with control questions.

    python benchmarks/certificate.py --data ../shared/data [--repeats 1000]
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from scipy import stats

from adc_plugins_review import (
    Gold,
    audit_weights,
    certify,
    certify_any_time,
    choose_repairs,
    exact_upper,
    verdicts,
    weighted_order,
)

SCENARIOS = (
    ("small, good detector", 2000, 0.05, 0.90),
    ("small, fair detector", 2000, 0.02, 0.80),
    ("medium, good detector", 20_000, 0.02, 0.90),
    ("medium, strong detector", 20_000, 0.05, 0.95),
    ("large, fair detector", 50_000, 0.01, 0.80),
    ("useless detector", 20_000, 0.02, 0.50),
    ("misleading detector", 20_000, 0.02, 0.25),
    ("no error at all", 20_000, 0.0, 0.80),
    ("very noisy", 20_000, 0.20, 0.85),
    ("tiny", 500, 0.02, 0.85),
)
LOOKS = (100, 200, 400, 800)
METHODS = ("uniform", "once", "any time")


def population(size: int, rate: float, auc: float, rng: np.random.Generator) -> np.ndarray:
    """Which labels are wrong, most suspicious first, for a binormal detector."""
    wrong = np.zeros(size, bool)
    wrong[rng.choice(size, round(rate * size), replace=False)] = True
    score = rng.normal(size=size) + np.sqrt(2) * stats.norm.ppf(auc) * wrong
    # Sorting both kinds apart is five times as fast as sorting the samples.
    right, errors = np.sort(-score[~wrong]), np.sort(-score[wrong])
    ranked = np.zeros(size, bool)
    ranked[np.searchsorted(right, errors) + np.arange(len(errors))] = True
    return ranked


class Uppers:
    """Exact bounds, each computed once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], int] = {}

    def __call__(self, size: int, drawn: int, found: int) -> int:
        """Return the bound."""
        key = (size, drawn, found)
        if key not in self._known:
            self._known[key] = exact_upper(*key)
        return self._known[key]


def cell(size: int, rate: float, auc: float, looks: int, repeats: int, seed: int) -> dict:
    """Repeat one review; for each method, the bound and what is left, as shares of the samples."""
    rng = np.random.default_rng([2024, seed, looks])
    believed = max(2 * rate, 0.005)
    plan = choose_repairs(size, looks, believed)
    R, n, upper = plan.repaired, plan.drawn, Uppers()
    weights, expected = audit_weights(np.arange(size), believed, 0.8)
    found: dict[str, list[tuple[float, float]]] = {method: [] for method in METHODS}
    for _ in range(repeats):
        wrong = population(size, rate, auc, rng)
        verdict, total, repaired = np.where(wrong, -1, 1), int(wrong.sum()), int(wrong[:R].sum())
        x = int(wrong[rng.choice(size, looks, replace=False)].sum())
        found["uniform"].append((upper(size, looks, x) - x, total - x))
        audit = R + rng.choice(size - R, n, replace=False)
        x = int(wrong[audit].sum())
        bound = certify(
            verdict[:R],
            verdict[audit],
            population=size,
            audit_upper=upper(size - R, n, x),
        )
        found["once"].append((bound.left_upper, total - repaired - x))
        places = first_drawn(rng.random(size - R), weights[R:], n)
        bound = certify_any_time(
            verdict[:R],
            verdict[R + places],
            weights=weights[R:],
            expected=expected[R:],
            places=places,
            population=size,
        )
        found["any time"].append((bound.left_upper, total - repaired - bound.drawn_wrong))
    return {"repaired": R} | {name: np.array(pairs) / size for name, pairs in found.items()}


def first_drawn(uniforms: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """Return the first places of `weighted_order`, without sorting those that come later."""
    some = np.argpartition(-np.log(uniforms) / weights, count - 1)[:count]
    return some[weighted_order(uniforms[some], weights[some])]


def study(repeats: int) -> None:
    """Print a line per cell, and what holds over all of them; cells are spread over the cores."""
    print(f"coverage / mean bound % (mean share left %), {repeats} repeats a cell; nominal 95 %")
    print(
        f"{'':26}{'N':>7}{'wrong':>7}{'AUC':>6}{'looks':>6}{'R':>5}  "
        + "".join(f"{name:>24}" for name in METHODS)
    )
    covered: dict[str, list[float]] = {name: [] for name in METHODS}
    width: dict[str, list[float]] = {name: [] for name in METHODS}
    cells = [
        (title, (size, rate, auc, looks, repeats, seed))
        for seed, (title, size, rate, auc) in enumerate(SCENARIOS)
        for looks in LOOKS
        if looks < size
    ]
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        results = workers.map(cell, *zip(*(given for _, given in cells), strict=True))
        for (title, given), got in zip(cells, results, strict=True):
            size, rate, auc, looks = given[:4]
            line = f"{title:26}{size:7,}{rate:7.1%}{auc:6.2f}{looks:6}{got['repaired']:5}  "
            for name in METHODS:
                bound, left = got[name].T
                share = float((bound >= left).mean())
                covered[name].append(share)
                width[name].append(float(bound.mean()))
                line += f"{share:10.3f} /{100 * bound.mean():6.2f} ({100 * left.mean():4.2f})"
            print(line, flush=True)
    print(f"\nover all {len(covered['once'])} cells")
    print(f"{'':12}{'pooled':>8}{'least':>8}{'below .935':>12}{'width against uniform':>40}")
    for name in METHODS:
        ratio = np.array(width[name]) / np.array(width["uniform"])
        print(
            f"{name:12}{np.mean(covered[name]):8.3f}{min(covered[name]):8.3f}"
            f"{sum(one < 0.935 for one in covered[name]):12}"
            f"{f'{ratio.min():.2f} to {ratio.max():.2f}, median {np.median(ratio):.2f}':>40}"
        )


def panel(
    wrong: np.ndarray, rng: np.random.Generator, doubt_right: float, doubt_wrong: float
) -> np.ndarray:
    """Verdicts of three people by one-then-two: 1 right, -1 wrong."""
    doubt = rng.random((len(wrong), 3)) < np.where(wrong, doubt_wrong, doubt_right)[:, None]
    item = np.repeat(np.arange(len(wrong)), 3)
    return verdicts(item, np.where(doubt, -1, 1).ravel(), "one-then-two", items=len(wrong))


def real(data: Path, seeds: int) -> None:
    """Certify CIFAR-10N as it is left by a network's agreement, with people who err."""
    labels = np.load(data / "cifar10n" / "cifar10n.npz")
    truth, given = labels["clean_label"].astype(int), labels["worse_label"].astype(int)
    networks = np.load(data / "probabilities" / "cifar10n_worse_label.npz")
    print(
        "\nCIFAR-10N, worse labels, samples kept where a network agrees; people doubt 4 % of right "
        "and\n90 % of wrong labels; 400 looks by one-then-two, 60 wrong control questions"
    )
    print(f"{'network':12}{'kept':>8}{'wrong':>8}{'R':>5}{'true left':>11}{'bound':>8}{'held':>12}")
    for network in ("resnet18", "swin_base_patch4_window7_224"):
        p = networks[network].astype(np.float64)
        kept = p.argmax(axis=1) == given
        suspicion = 1 - p[np.arange(len(given)), given][kept]
        wrong = (truth != given)[kept][np.argsort(-suspicion, kind="stable")]
        size = len(wrong)
        plan = choose_repairs(size, 400, 0.05)
        R, n = plan.repaired, plan.drawn
        held, bounds, left = [], [], []
        for seed in range(seeds):
            rng = np.random.default_rng([7, seed])
            verdict = panel(wrong, rng, 0.04, 0.9)
            audit = R + rng.choice(size - R, n, replace=False)
            missed = int((panel(np.ones(60, bool), rng, 0.04, 0.9) > 0).sum())
            bound = certify(verdict[:R], verdict[audit], population=size, gold=Gold(60, missed))
            out = np.zeros(size, bool)
            out[:R] = verdict[:R] < 0
            out[audit] = verdict[audit] < 0
            true = (wrong & ~out).sum() / (size - out.sum())
            held.append(bound.rate_upper >= true)
            bounds.append(bound.rate_upper)
            left.append(true)
        print(
            f"{network.partition('_')[0]:12}{size:8,}{wrong.mean():8.2%}{R:5}"
            f"{np.mean(left):11.2%}{np.mean(bounds):8.2%}{sum(held):7} of {seeds}",
            flush=True,
        )


def main() -> None:
    """Run both studies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of real data")
    parser.add_argument("--repeats", type=int, default=1000)
    options = parser.parse_args()
    begun = time.perf_counter()
    study(options.repeats)
    if options.data:
        real(options.data, 20)
    print(f"\n{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
