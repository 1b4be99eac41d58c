"""How often the range of the noise rate holds the truth, and how good the default flags are.

    python benchmarks/noise_rates.py --data ../shared/data

Label sets with * were not the ones that the networks were trained on, whose labels resemble them.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from cleanlab.filter import find_label_issues
from label_sets import LabelSet, label_sets
from sklearn.metrics import average_precision_score

from adc_plugins_detect import self_confidence


def f1(flagged: np.ndarray, wrong: np.ndarray) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * (flagged & wrong).sum() / max(1, flagged.sum() + wrong.sum())


def measure(one: LabelSet) -> dict[str, float]:
    """Print what is found of one label set; return the figures that are averaged."""
    wrong = one.given != one.truth
    found = self_confidence(one.given, one.probabilities)
    rate, quality = found.noise_range, found.evidence
    values = one.probabilities.astype(np.float64)
    values /= values.sum(axis=1, keepdims=True)
    peer = find_label_issues(one.given, values, n_jobs=1)
    order = np.argsort(-found.suspicion, kind="stable")
    true = wrong.mean()
    inside = rate.low - 0.005 <= true <= rate.high + 0.005
    said = found.precision
    real = wrong[found.flagged].mean() if found.flagged.any() else np.nan
    held = said is None or said.low - 0.03 <= real <= said.high + 0.03
    words = ", ".join(f"{name} {value:.3f}" for name, value in rate.estimators.items())
    print(
        f"{one.name:38} true {true:.3f}  range {rate.low:.3f} … {rate.point:.3f} … {rate.high:.3f}"
        f"{'' if inside else '  MISSED'}  ({words})  separation {quality.separation:.3f} "
        f"{quality.verdict}  top 30 {wrong[order[:30]].mean():.2f}  top 100 "
        f"{wrong[order[:100]].mean():.2f}  flagged {found.flagged.mean():.3f}, right "
        f"{real:.2f}{'' if held else '  MISSED'}, said {said or '-'}  F1 "
        f"{f1(found.flagged, wrong):.3f}, cleanlab {f1(peer, wrong):.3f}",
        flush=True,
    )
    return {
        "ranges that hold the truth": float(inside),
        "mean width": rate.high - rate.low,
        "precisions within their range": float(held),
        "mean absolute error of the point": abs(rate.point - true),
        "… of the confident joint": abs(rate.estimators["confident joint"] - true),
        "… of predicted otherwise": abs(rate.estimators["differs"] - true),
        "F1 of the default flags": f1(found.flagged, wrong) if wrong.any() else np.nan,
        "F1 of cleanlab's default": f1(peer, wrong) if wrong.any() else np.nan,
        "flagged where all are right": np.nan if wrong.any() else found.flagged.mean(),
        "cleanlab's, where all are right": np.nan if wrong.any() else peer.mean(),
        "average precision": average_precision_score(wrong, found.suspicion)
        if wrong.any()
        else np.nan,
    }


def main() -> None:
    """Measure all label sets and print the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = Path(os.environ.get("ADC_DATA", Path(__file__).parents[1] / "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    figures = [measure(one) for one in label_sets(parser.parse_args().data)]
    print(f"\n{len(figures)} label sets")
    for name in figures[0]:
        print(f"{name:34} {np.nanmean([one[name] for one in figures]):.4f}")


if __name__ == "__main__":
    main()
