"""How well every detector finds the labels that people got wrong on CIFAR-10N (Wei et al., 2022).

Part `given`: out-of-sample probabilities of five networks, ours beside cleanlab on the same arrays.
Part `features`: MobileNetV2 features, probabilities of a linear probe on them, and the dynamics of
ten epochs of a small network; see `cifar10n.py`, which computes them once. F1 is that of each
method's own flags, "budget" that of flagging as many as are wrong by suspicion; CPU seconds are
those of the call alone, and so is the peak of the arrays that it makes, in MB.

    python benchmarks/detection.py [given] [features] [--data ../shared/data] [--labels worse_label]
"""

import argparse
import time
import tracemalloc
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cifar10n
import numpy as np
import torch

from adc_core import Dataset, Dynamics, Findings, Neighbors
from adc_plugins_detect import (
    aum,
    by_rate,
    class_gaussians,
    classifier_filter,
    confident_learning,
    cores,
    data_maps,
    deep_knn,
    early_stop_ce,
    ensemble,
    forgetting,
    gradient_tracing,
    hoc,
    label_diffusion,
    label_propagation,
    linear_probe,
    lstm_dynamics,
    nearest_neighbors,
    neighbor_credibility,
    predicted_differs,
    simifeat,
    small_loss,
)
from adc_plugins_detect.curators.docta import Docta
from adc_plugins_detect.detectors.confident_learning import Rule, Score
from adc_plugins_detect.metrics.detection import flag_figures, rank_figures, transition_error

PUBLISHED = {
    "resnet18": (0.8493, 0.7741, 0.8844, 0.9634, 0.9668),
    "resnet50d": (0.8838, 0.8289, 0.9167, 0.9758, 0.9798),
    "efficientnet_b1": (0.8578, 0.7848, 0.8965, 0.9650, 0.9708),
    "twins_pcpvt_base": (0.9092, 0.8690, 0.9379, 0.9847, 0.9869),
    "swin_base_patch4_window7_224": (0.9236, 0.8917, 0.9527, 0.9905, 0.9921),
}
"""cleanlab 2.9 on the worst labels: F1 of three rules, then ROC AUC of two scores."""

RULES: tuple[Rule, ...] = ("prune_by_noise_rate", "confident_learning", "predicted_neq_given")
SCORES: tuple[Score, ...] = ("self_confidence", "normalized_margin")

TRUSTED = 1000
"""Random samples whose true labels a method may see."""

COLUMNS = ("flagged", "F1", "budget", "AP", "AUC", "P@95", "CPU s", "MB")


class Table:
    """A row per detector."""

    def __init__(self, labels: np.ndarray, truth: np.ndarray) -> None:
        self.labels, self.wrong = labels, labels != truth
        self.rate = float(self.wrong.mean())
        self.found: dict[str, Findings] = {}
        print(f"{len(labels):,} labels, {self.rate:.2%} of them wrong")
        print(" " * 40 + "".join(f"{column:>8}" for column in COLUMNS))
        everything = flag_figures(self.wrong, np.ones(len(labels), np.bool_)).f1
        print(f"{'flag everything':40}{len(labels):>8,}{everything:>8.4f}")
        chance = f"{self.rate:.4f}"
        print(f"{'flag at random':40}{int(self.wrong.sum()):>8,}{chance:>8}{chance:>8}{chance:>8}")

    def add(self, name: str, call: Callable[[], Findings]) -> Findings:
        """Call a detector and print how well it did."""
        start = time.process_time()
        found = call()
        seconds = time.process_time() - start
        tracemalloc.start()  # numpy tells it of every array; it would slow the call above
        call()
        megabytes = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        self.found[name] = found
        ranks = rank_figures(self.wrong, found.suspicion)
        figures = (
            flag_figures(self.wrong, found.flagged).f1 or 0.0,
            flag_figures(self.wrong, by_rate(found, self.rate).flagged).f1 or 0.0,
            *ranks,
        )
        f1, budget, *others = figures
        line = f"{name:40}{int(found.flagged.sum()):>8,}{f1:>8.4f}{budget:>8.4f}"
        line += "".join(f"{value or 0.0:>8.4f}" for value in others)
        print(f"{line}{seconds:>8.2f}{megabytes:>8.0f}", flush=True)
        return found


def given(data: Path, column: str) -> None:
    """Every rule and score on the given probabilities, beside cleanlab and its known figures."""
    from cleanlab.filter import find_label_issues

    labels, truth = cifar10n.labels_of(data, column)
    wrong = labels != truth
    for network, probabilities in cifar10n.given_probabilities(data).items():
        print(f"\n{network}")
        table = Table(labels, truth)
        detect = partial(confident_learning, labels, probabilities)
        rows = [table.add(f"confident-learning, {r}", partial(detect, rule=r)) for r in RULES]
        scores = [table.add(f"suspicion by {s}", partial(detect, score=s)) for s in SCORES]
        table.add("predicted-differs", partial(predicted_differs, labels, probabilities))
        table.add("cores", partial(cores, labels, probabilities))
        ours = [flag_figures(wrong, found.flagged).f1 or 0.0 for found in rows]
        ours += [rank_figures(wrong, found.suspicion).roc_auc or 0.0 for found in scores]
        double = probabilities.astype(np.float64).clip(0, 1)
        for rule, found in zip(RULES, rows, strict=True):
            start = time.process_time()
            theirs = find_label_issues(labels, double, filter_by=rule, n_jobs=1)
            seconds = time.process_time() - start
            f1 = flag_figures(wrong, theirs).f1 or 0.0
            differs = int((theirs != found.flagged).sum())
            print(
                f"cleanlab, {rule:30}{int(theirs.sum()):>8,}{f1:>8.4f}{'':32}{seconds:>8.2f}",
                end="",
            )
            print(f"   {differs} of {len(labels):,} flags differ from ours")
        if column == "worse_label":
            same = [f"{o:.4f} ({p:.4f})" for o, p in zip(ours, PUBLISHED[network], strict=True)]
            print(f"ours (known): {', '.join(same)}")


def features(data: Path, cache: Path, column: str) -> None:
    """Every detector on evidence that two cores can make."""
    labels, truth = cifar10n.labels_of(data, column)
    vectors = cifar10n.features(data, cache)
    seen = cifar10n.dynamics(data, cache, column)
    start = time.process_time()
    graph = nearest_neighbors(vectors, 101)
    searched, start = time.process_time() - start, time.process_time()
    probabilities = linear_probe(labels, vectors).values
    probed = time.process_time() - start
    print(f"\nevidence: 101 neighbors {searched:.0f} CPU s, linear probe {probed:.0f} CPU s")
    print(f"the probe predicts {np.mean(probabilities.argmax(axis=1) == truth):.2%} of the truth")
    near = np.mean(truth[graph.indices[:, :10]] == truth[:, None])
    print(f"of the ten nearest neighbors {near:.2%} are of the same true class")
    _transition(labels, truth, graph)
    table = Table(labels, truth)
    _by_neighbors(table, labels, graph)
    for rule in RULES:
        detect = partial(confident_learning, labels, probabilities, rule=rule)
        table.add(f"confident-learning, {rule}", detect)
    table.add("predicted-differs", lambda: predicted_differs(labels, probabilities))
    table.add("cores", lambda: cores(labels, probabilities))
    table.add("class-gaussians", lambda: class_gaussians(labels, vectors))
    _by_features(table, labels, truth, vectors)
    _by_dynamics(table, labels, seen)
    parts = ("simifeat, rank", "confident-learning, prune_by_noise_rate", "aum")
    table.add("ensemble of three", lambda: ensemble(labels, [table.found[part] for part in parts]))


def _transition(labels: np.ndarray, truth: np.ndarray, graph: Neighbors) -> None:
    estimate = hoc(labels, graph, bootstrap=50)
    assert estimate.interval is not None
    real = np.stack([np.bincount(labels[truth == k], minlength=10) for k in range(10)])
    diagonal = (real / real.sum(axis=1, keepdims=True)).diagonal()
    low, high = estimate.interval.noise_rate
    error = transition_error(estimate.transition, truth, labels)
    wrong, mean = np.mean(labels != truth), estimate.transition.diagonal().mean()
    print(
        f"HOC: noise rate {estimate.noise_rate:.4f} ({low:.4f} … {high:.4f}), truth {wrong:.4f}; "
        f"mean diagonal {mean:.4f}, truth {diagonal.mean():.4f}; mean L1 error of rows {error:.4f}"
    )


def _by_neighbors(table: Table, labels: np.ndarray, graph: Neighbors) -> None:
    table.add("simifeat, rank", lambda: simifeat(labels, graph))
    table.add("simifeat, vote", lambda: simifeat(labels, graph, rule="vote"))
    table.add("deep-knn", lambda: deep_knn(labels, graph))
    table.add("neighbor-credibility", lambda: neighbor_credibility(labels, graph))
    soft = partial(neighbor_credibility, labels, graph, soft="kernel")
    table.add("neighbor-credibility, soft labels", soft)
    table.add("label-propagation", lambda: label_propagation(labels, graph))
    table.add("label-diffusion", lambda: label_diffusion(labels, graph))

    def docta() -> Findings:
        dataset = Dataset(labels=labels, neighbors=graph)
        dropped = Docta(otherwise="drop").curate(dataset, ()).changes["id"].to_numpy()
        flagged = np.isin(dataset.ids, dropped.astype(dataset.ids.dtype))
        return simifeat(labels, graph).replace(flagged=flagged)

    table.add("docta, 21 rounds", docta)


def _by_features(table: Table, labels: np.ndarray, truth: np.ndarray, vectors: np.ndarray) -> None:
    trace = partial(gradient_tracing, labels, vectors)
    table.add("gradient-tracing, itself", trace)
    trusted = np.full(len(labels), -1)
    some = np.random.default_rng(0).permutation(len(labels))[:TRUSTED]
    trusted[some] = truth[some]
    table.add(f"gradient-tracing, {TRUSTED:,} trusted", partial(trace, trusted=trusted))
    for rule in ("majority", "consensus"):
        judge = partial(classifier_filter, labels, vectors, rule=rule)
        table.add(f"classifier-filter, {rule}", judge)


def _by_dynamics(table: Table, labels: np.ndarray, seen: Dynamics) -> None:
    table.add("early-stop-ce", lambda: early_stop_ce(labels, seen))
    table.add("aum", lambda: aum(labels, seen))
    table.add("data-maps", lambda: data_maps(labels, seen))
    table.add("forgetting", lambda: forgetting(labels, seen))
    table.add("small-loss", lambda: small_loss(labels, seen))
    table.add("lstm-dynamics", lambda: lstm_dynamics(labels, seen))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="given, features, or both")
    parser.add_argument("--labels", default="worse_label", help="or random_label1")
    cifar10n.add_arguments(parser)
    arguments = parser.parse_args()
    warnings.simplefilter("always")
    torch.set_num_threads(arguments.threads)
    if "given" in arguments.parts or not arguments.parts:
        given(arguments.data, arguments.labels)
    if "features" in arguments.parts or not arguments.parts:
        features(arguments.data, arguments.cache, arguments.labels)


if __name__ == "__main__":
    main()
