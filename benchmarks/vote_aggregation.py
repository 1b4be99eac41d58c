"""What votes say together: accuracy, speed and memory of the kernels, beside their peers.

Real votes (dog, bluebirds) and a million simulated ones; beside cleanlab and crowd-kit, where they
are installed: each peer's row says how many times our seconds it takes, and how many items more or
fewer it gets right. Of small sets the seconds are the least of five calls.

    python benchmarks/vote_aggregation.py --data ../shared/data
"""

import argparse
import csv
import importlib.util
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from adc_plugins_review import crowdlab, dawid_skene, mace, majority, one_coin


def crowd(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Votes of a crowdsourced set: item, rater, label, and the truth of each item."""
    with (folder / "answers.csv").open() as file:
        rows = [(row["item"], row["worker"], int(row["label"])) for row in csv.DictReader(file)]
    with (folder / "truth.csv").open() as file:
        truths = {row["item"]: int(row["truth"]) for row in csv.DictReader(file)}
    names, item = np.unique([row[0] for row in rows], return_inverse=True)
    _, rater = np.unique([row[1] for row in rows], return_inverse=True)
    label = np.array([row[2] for row in rows])
    truth = np.array([truths.get(name, label.min() - 1) for name in names.tolist()])
    return item, rater, label - label.min(), truth - label.min()


def timed(work: Callable[[], np.ndarray], calls: int = 1) -> tuple[float, np.ndarray]:
    """Least seconds of some calls, and the labels that the last one gives."""
    seconds = []
    for _ in range(calls):
        begun = time.perf_counter()
        posterior = work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds), posterior.argmax(axis=1)


def aggregation(data: Path) -> None:
    """Print accuracy and seconds of each method on each set of votes."""
    print(
        f"{'':12}{'items':>9}{'votes':>10}  {'method':28}{'right':>8}{'seconds':>9}"
        f"{'x ours':>9}{'items right':>13}"
    )
    for name in ("dog", "bluebirds"):
        item, rater, label, truth = crowd(data / "crowd" / name)
        votes, known = (item, rater, label), truth >= 0
        methods: dict[str, Callable[[], np.ndarray]] = {
            "majority": lambda v=votes: majority(*v).share,
            "one coin": lambda v=votes: one_coin(*v).posterior,
            "MACE": lambda v=votes: mace(*v).posterior,
            "Dawid-Skene": lambda v=votes: dawid_skene(*v).posterior,
        }
        peers, ours = others(votes), {}
        for method, work in (methods | peers).items():
            seconds, guess = timed(work, 5)
            right = int((guess == truth)[known].sum())
            ours.setdefault(method.partition(" (")[0], (seconds, right))
            line = (
                f"{name:12}{len(truth):9,}{len(item):10,}  {method:28}{right / known.sum():8.4f}"
                f"{seconds:9.4f}"
            )
            if method in peers:
                our_seconds, our_right = ours[method.partition(" (")[0]]
                line += f"{seconds / our_seconds:9.1f}{right - our_right:+13}"
            print(line, flush=True)
    item, rater, label, truth = many()
    for method, kernel in (("Dawid-Skene", dawid_skene), ("one coin", one_coin), ("MACE", mace)):
        seconds, guess = timed(lambda k=kernel: k(item, rater, label).posterior)
        print(
            f"{'simulated':12}{len(truth):9,}{len(item):10,}  {method:28}"
            f"{(guess == truth).mean():8.4f}{seconds:9.2f}",
            flush=True,
        )
    # A classifier that is right on three of four, and equally sure of itself on all.
    rng = np.random.default_rng(1)
    errs = rng.random(len(truth)) < 0.25
    predicted = (truth + errs * rng.integers(1, 10, len(truth))) % 10
    probabilities = np.full((len(truth), 10), 0.02)
    probabilities[np.arange(len(truth)), predicted] = 0.82
    seconds, guess = timed(lambda: crowdlab(item, rater, label, probabilities).posterior)
    print(
        f"{'simulated':12}{len(truth):9,}{len(item):10,}  {'CROWDLAB':28}"
        f"{(guess == truth).mean():8.4f}{seconds:9.2f}"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nlargest memory of the process: {peak:.2f} GiB")


def many() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A million votes on 300,000 items by 1,000 raters, of ten classes."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, 300_000)
    item, rater = rng.integers(0, 300_000, 1_000_000), rng.integers(0, 1000, 1_000_000)
    skill = rng.uniform(0.4, 0.95, 1000)
    right = rng.random(1_000_000) < skill[rater]
    other = (truth[item] + rng.integers(1, 10, 1_000_000)) % 10
    item[:300_000] = np.arange(300_000)  # each has a vote
    right[:300_000] = rng.random(300_000) < skill[rater[:300_000]]
    other[:300_000] = (truth + rng.integers(1, 10, 300_000)) % 10
    return item, rater, np.where(right, truth[item], other), truth


def others(votes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> dict[str, Callable]:
    """The same by cleanlab and crowd-kit, where they are installed."""
    found: dict[str, Callable] = {}
    item, rater, label = votes
    K = int(label.max()) + 1
    if importlib.util.find_spec("cleanlab"):
        from cleanlab.multiannotator import get_majority_vote_label

        wide = np.full((item.max() + 1, rater.max() + 1), np.nan)
        wide[item, rater] = label
        found["majority (cleanlab)"] = lambda: np.eye(K)[
            get_majority_vote_label(wide, verbose=False)
        ]
    if importlib.util.find_spec("crowdkit"):
        import pandas as pd
        from crowdkit.aggregation import MACE, DawidSkene, MajorityVote, OneCoinDawidSkene

        frame = pd.DataFrame({"task": item, "worker": rater, "label": label})
        methods = {
            "majority": MajorityVote,
            "one coin": lambda: OneCoinDawidSkene(n_iter=100),
            "MACE": lambda: MACE(random_state=0),
            "Dawid-Skene": lambda: DawidSkene(n_iter=100),
        }
        for title, make in methods.items():
            found[f"{title} (crowd-kit)"] = lambda made=make: np.eye(K)[
                made().fit_predict(frame).sort_index().to_numpy()
            ]
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of real data")
    aggregation(parser.parse_args().data)
