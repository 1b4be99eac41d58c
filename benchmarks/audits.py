"""How often the intervals of an audit hold the truth, and how wide they are.

On real labels of people (CIFAR-10N, given probabilities of two networks) and on simulated ones with
weak, useless, misleading and no evidence, 200 labels are drawn many times, judged by the truth, and
answered; beside them as many labels drawn at random with the exact hypergeometric interval.

    python benchmarks/audits.py --data ../shared/data [--repeats 400]
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from adc_core import Estimate, Findings
from adc_plugins_detect.detectors.self_confidence import self_confidence
from adc_plugins_detect.noise.audit import audit_sample, audited
from adc_plugins_detect.noise.exact_bounds import exact_upper

LOOKS, ROWS = 200, 8000
NETWORKS = ("swin_base_patch4_window7_224", "resnet18")


def real(data: Path) -> Iterator[tuple[str, Findings, np.ndarray]]:
    """Labels of people with the default detector's findings."""
    labels = np.load(data / "cifar10n" / "cifar10n.npz")
    given = np.load(data / "probabilities" / "cifar10n_worse_label.npz")
    for column in ("worse_label", "random_label1", "truth with a tenth of random_label1"):
        for network in NETWORKS:
            rng = np.random.default_rng(1)
            rows = rng.choice(50_000, ROWS, replace=False)
            truth = labels["clean_label"][rows].astype(np.int64)
            mine = labels[column if column in labels else "random_label1"][rows].astype(np.int64)
            if column not in labels:
                mine = np.where(rng.random(ROWS) < 0.1, mine, truth)
            probabilities = given[network][rows].astype(float) + 1e-6
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            yield (
                f"{column}, {network.partition('_')[0]}",
                self_confidence(mine, probabilities),
                mine != truth,
            )


def simulated() -> Iterator[tuple[str, Findings, np.ndarray]]:
    """Suspicions that are normal, shifted where the label is wrong, in small and large sets."""
    for n, rate, shift, flags in (
        (500, 0.10, 2.0, 0.1),
        (2000, 0.02, 2.0, 0.03),
        (2000, 0.10, 1.0, 0.1),
        (2000, 0.10, 0.0, 0.1),
        (2000, 0.30, -1.0, 0.2),
        (20000, 0.005, 1.0, 0.02),
        (20000, 0.05, 3.0, 0.05),
        (20000, 0.50, 2.0, 0.5),
        (20000, 0.05, 3.0, 0.0),
    ):
        rng = np.random.default_rng(n)
        wrong = np.arange(n) < round(n * rate)
        score = rng.normal(size=n) + shift * wrong
        suspicion = score.argsort().argsort() / n
        findings = Findings(
            ids=np.arange(n).astype(str),
            suspicion=suspicion,
            flagged=suspicion >= 1 - flags if flags else np.zeros(n, bool),
            noise_rate=flags,
        )
        yield f"{n:,}, {rate:.1%} wrong, shift {shift:g}, {flags:.0%} flagged", findings, wrong


class Intervals:
    """How many intervals held the truth, and their mean half width."""

    def __init__(self, truth: float) -> None:
        """Start with none."""
        self._truth, self._held, self._widths = truth, [], []

    def add(self, told: Estimate | None) -> None:
        """Count one."""
        if told is not None:
            self._held.append(told.low - 1e-12 <= self._truth <= told.high + 1e-12)
            self._widths.append((told.high - told.low) / 2)

    def __str__(self) -> str:
        """Write coverage and half width."""
        if not self._held:
            return "     -      "
        return f"{np.mean(self._held):.3f} ±{np.mean(self._widths):.4f}"


def measure(findings: Findings, wrong: np.ndarray, repeats: int) -> list[Intervals]:
    """Rate, precision, recall of audits, and the rate of plain random samples."""
    n, flagged = len(wrong), findings.flagged
    found = (wrong & flagged).sum()
    rate, precision, recall, plain = (
        Intervals(float(truth))
        for truth in (
            wrong.mean(),
            found / max(1, flagged.sum()),
            found / wrong.sum(),
            wrong.mean(),
        )
    )
    for seed in range(repeats):
        sample = audit_sample(findings, LOOKS, seed)
        audit = audited(sample, wrong[sample.rows])
        rate.add(audit.noise_rate)
        precision.add(audit.precision)
        recall.add(audit.recall)
        x = int(wrong[np.random.default_rng(seed).choice(n, LOOKS, replace=False)].sum())
        low = 1 - exact_upper(n, LOOKS, LOOKS - x, 0.025) / n
        plain.add(Estimate(low=low, point=low, high=exact_upper(n, LOOKS, x, 0.025) / n))
    return [rate, precision, recall, plain]


def main() -> None:
    """Print a line for each set of labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = Path(os.environ.get("ADC_DATA", Path(__file__).parents[1] / "../shared/data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the real data")
    parser.add_argument("--repeats", type=int, default=400)
    arguments = parser.parse_args()
    print(f"{LOOKS} looks, {arguments.repeats} repeats: coverage and mean half width at 95 %")
    print(f"{'':52}{'rate':16}{'precision':16}{'recall':16}rate, drawn at random")
    for make in (real(arguments.data), simulated()):
        for name, findings, wrong in make:
            told = "   ".join(map(str, measure(findings, wrong, arguments.repeats)))
            print(f"{name:52}{told}", flush=True)


if __name__ == "__main__":
    main()
